"""relsift formats"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relsift.cli.output import echo, echo_json

if TYPE_CHECKING:
    from relsift.readers.base import Reader
    from relsift.writers.base import Writer

_WIDTH = 120  # columns of a list of values


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the formats as JSON.")] = False,
) -> None:
    """List the file formats: those that are read, with their options, and those that are written."""
    from relsift.registry import find, table

    readers: dict[str, Reader] = {name: find("reader", name) for name in table("reader")}
    writers: dict[str, Writer] = {name: find("writer", name) for name in table("writer")}
    if as_json:
        formats = {
            "readers": [{"name": name} | _of_reader(reader) for name, reader in readers.items()],
            "writers": [{"name": name} | _of_writer(writer) for name, writer in writers.items()],
        }
        echo_json(formats)
        return
    echo(*_reading(readers), "", *_writing(writers))


def options_of(format: Reader | Writer) -> list[str]:
    """`option=value | value …`, the default first; of an option that takes any value, what a value is."""
    options = [f"{name}={' | '.join(values)}" for name, values in format.options.items()]
    options += [f"{name}=… {what}" for name, what in format.open_options.items()]
    return options + ["encoding=… name of a text encoding"] * getattr(format, "has_encoding", False)


def _reading(readers: dict[str, Reader]) -> Iterator[str]:
    yield "Formats that are read. DATA is a path, FORMAT:PATH, or FORMAT[option=value,…]:PATH; the first value of an option is the default."
    width = max(map(len, readers))
    for name, reader in readers.items():
        yield f"{name:{width}}  {reader.summary}"
        yield from _indented(options_of(reader), width)


def _writing(writers: dict[str, Writer]) -> Iterator[str]:
    yield "Formats that are written, by `relsift convert` and `relsift predict` with --format NAME or --format NAME[option=value,…]."
    width, suffix_width = max(map(len, writers)), max(len(_made(writer)) for writer in writers.values())
    for name, writer in writers.items():
        yield f"{name:{width}}  {_made(writer):{suffix_width}}  {writer.summary}"
        yield from _indented(options_of(writer), width)


def _indented(options: list[str], width: int) -> Iterator[str]:
    for option in options:
        yield from wrap(option, _WIDTH, initial_indent=" " * (width + 4), subsequent_indent=" " * (width + 8))


def _made(writer: Writer) -> str:
    """What the format is: the suffix of its files, or a folder."""
    return "folder" if writer.is_folder else writer.suffix


def _of_reader(reader: Reader) -> dict[str, Any]:
    options = {name: list(values) for name, values in reader.options.items()}
    open_options = dict(reader.open_options)
    return {"summary": reader.summary, "options": options, "open_options": open_options, "encoding": reader.has_encoding}


def _of_writer(writer: Writer) -> dict[str, Any]:
    options = {name: list(values) for name, values in writer.options.items()}
    return {
        "summary": writer.summary, "suffix": writer.suffix, "resumable": writer.lines is not None, "keeps": sorted(writer.keeps),
        "options": options, "open_options": dict(writer.open_options),
    }  # fmt: skip
