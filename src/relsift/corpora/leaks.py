"""The same sentence on both sides of a split: what a model has seen in training says little about what it can do.

Sentences are the same if their letters and digits are, whatever their tokens, punctuation, case or ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from relsift.corpora.data import Data
from relsift.corpora.groups import SHARED_TOKENS
from relsift.files import file_sha256, replaced_file
from relsift.schema import Sentence
from relsift.token_text import join_tokens

LONGEST_QUOTE = 80  # characters of a sentence in a message
_DIGITS = 16  # hexadecimal ones of a fingerprint: 64 bits, so that two of ten million sentences agree by chance once in 200,000 corpora


def normalised_text(sentence: Sentence) -> str:
    """Letters and digits in lower case: equal for a sentence that was tokenised or punctuated in two ways."""
    text = "".join(sentence.tokens)
    return "".join(filter(str.isalnum, text.lower())) or text


def fingerprint(sentence: Sentence) -> str:
    """Of the normalised text, in 16 hexadecimal digits."""
    return hashlib.sha256(normalised_text(sentence).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def seen_before(sentences: Iterable[Sentence], fingerprints: Collection[str]) -> list[Sentence]:
    """Those whose fingerprint is among these."""
    return [sentence for sentence in sentences if fingerprint(sentence) in fingerprints]


def duplicates_line(part: str, first: str, sentences: Sequence[Sentence], what_to_do: str = "") -> str:
    """Names how many sentences of `part` stand in the part `first` too, and the first long one of them.

    Args: what_to_do: advice where long ones are among them; short ones are on both sides of any cut.
    """
    noun = "sentence stands" if len(sentences) == 1 else "sentences stand"
    long = [sentence for sentence in sentences if len(sentence.tokens) >= SHARED_TOKENS]
    short = len(sentences) - len(long)
    example = (long or sentences)[0]
    by_chance = f"; {short} of them, shorter than {SHARED_TOKENS} tokens, may be equal by chance" if short else ""
    return (
        f"{part}: {len(sentences)} {noun} in {first} too, so scores may be too good (first: {example.id} {quoted(example)})"
        f"{by_chance}{'; ' if what_to_do and long else ''}{what_to_do if long else ''}"
    )


def quoted(sentence: Sentence) -> str:
    text = join_tokens(sentence.tokens)
    return repr(text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…")


def repeated_ids(sentences: Iterable[Sentence]) -> list[str]:
    """Ids of sentences that an earlier sentence has, in order."""
    seen = set[str]()
    repeated = []
    for sentence in sentences:
        if sentence.id in seen:
            repeated.append(sentence.id)
        seen.add(sentence.id)
    return repeated


def repeated_ids_line(part: str, ids: Sequence[str]) -> str:
    noun = "sentence has" if len(ids) == 1 else "sentences have"
    return f"{part}: {len(ids)} {noun} the id of an earlier one (first: {ids[0]!r}); give each one an id of its own"


def same_origin(one: Data, split: str | None, other: Data, other_split: str | None) -> str | None:
    """What two parts are both read from: a file, a folder, or a part of a corpus; None if they have nothing in common.

    Links are followed, and a copy of a file is the same as the file.
    """
    place, other_place = one.places.get(split), other.places.get(other_split)
    if place is None or other_place is None:
        return None
    (path, part), (other_path, other_part) = place, other_place
    if part != other_part and part is not None and other_part is not None:
        return None
    a, b = path.resolve(), other_path.resolve()
    if a == b or a.is_relative_to(b) or b.is_relative_to(a):
        return str(path if a.is_relative_to(b) else other_path)
    if a.is_file() and b.is_file() and a.stat().st_size == b.stat().st_size and file_sha256(a) == file_sha256(b):
        return f"{path} and {other_path}, which have the same content"
    return None


def fingerprints_of(sentences: Iterable[Sentence]) -> list[str]:
    """Of all sentences, each fingerprint once, sorted."""
    return sorted({fingerprint(sentence) for sentence in sentences})


def write_fingerprints(file: Path, fingerprints: Iterable[str]) -> None:
    """One fingerprint a line: enough to know a sentence again, not to read it."""
    with replaced_file(file) as stream:
        stream.writelines(f"{line}\n" for line in fingerprints)


def read_fingerprints(file: Path) -> frozenset[str]:
    """Empty if there is no such file."""
    return frozenset(file.read_text(encoding="ascii", errors="replace").split()) if file.is_file() else frozenset()
