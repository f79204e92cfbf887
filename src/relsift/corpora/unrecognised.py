"""What to say of a file or folder that no reader recognises, or that has no text."""

from __future__ import annotations

from pathlib import Path

from relsift.json_text import decode
from relsift.readers.base import beginning_of, is_hidden, packed_file, packed_files_hint
from relsift.readers.native_fields import WORDS, keys_for_message

_TEXT_LIKE = ("", ".md", ".markdown", ".rst", ".text", ".log", ".tex")  # endings of files that may be meant as raw text
_HINT_BYTES = 1 << 18  # of a file, which are looked at for a hint


def what_instead_of_text(path: Path) -> str | None:
    """What a file or folder without any text holds; None: it may have some."""
    if path.is_file():
        if beginning_of(path).strip("\ufeff \t\r\n"):
            return None
        return "an empty file" if path.stat().st_size == 0 else "a file of blanks only"
    if not path.is_dir():
        return "a pipe or a device, which cannot be read twice; write it to a file first"
    files = [file for file in path.rglob("*") if file.is_file() and not is_hidden(file, path)]
    if not files:
        return "a folder without files"
    return "a folder of empty files only" if all(what_instead_of_text(file) is not None for file in files) else None


def what_to_do(path: Path) -> str:
    """What to do about a file that no format recognises, if it can be told; else ''."""
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and not is_hidden(file, path)]
        if hint := packed_files_hint(path):
            return hint.removeprefix("; ")
        are_text = all(file.suffix.lower() in _TEXT_LIKE for file in files)
        return f"raw text is read from files that end with .txt: rename them, or name one as text:{files[0]}" if are_text else ""
    if (packed := packed_file(path)) is not None:
        return f"it is {packed}: unpack it, and name what is in it"
    if path.suffix.lower() in (".jsonl", ".json", ".ndjson"):
        beginning, _, _ = beginning_of(path, _HINT_BYTES).lstrip("\ufeff \t\r\n").partition("\n")
        try:
            record = decode(beginning)
        except (ValueError, RecursionError):
            return ""
        if isinstance(record, dict) and record.keys().isdisjoint(WORDS):
            return f'a line of JSON needs the key "text" or "tokens", and its first one has {keys_for_message(record)}'
        return ""
    if path.suffix.lower() in _TEXT_LIKE and "\0" not in beginning_of(path):
        return f"to read it as raw text write text:{path}; .txt files are taken for raw text without that"
    return ""
