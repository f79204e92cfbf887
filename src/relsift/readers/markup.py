"""XML with line numbers: the elements of xml.etree and the line of each, so that an error can name file and line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from relsift.errors import DataError
from relsift.readers.encodings import UTF8, decode
from relsift.readers.likely_encoding import byte_order_mark

Element = ElementTree.Element
_PIECE = 1 << 20  # bytes of a file that are parsed at once
_DEEPEST = 1_000_000  # levels of elements; a file of nothing but opening tags would take a hundred times its size
_MOST_SHOWN = 8  # attributes or elements in a message
_DECLARATION = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\s[^<>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DOCTYPE = re.compile(r"""(<!DOCTYPE\s+[^\s<>\[]+\s+)(SYSTEM|PUBLIC\s+(?:"[^"]*"|'[^']*'))(\s+)("[^"]*"|'[^']*')""")


@dataclass(frozen=True, slots=True)
class Markup:
    """A parsed file."""

    file: Path
    root: Element
    lines: dict[Element, int]  # line at which each element starts, from 1

    def where(self, element: Element) -> str:
        """File and line of the element, for messages."""
        return f"{self.file}:{self.lines[element]}"

    def get(self, element: Element, attribute: str) -> str:
        """A required attribute. Raises DataError if it is missing or empty."""
        value = element.get(attribute)
        if not value:
            where = self.where(element)
            raise DataError(f"{where}: expected <{element.tag}> with the attribute {attribute!r}, got {_opening_tag(element)}")
        return value

    def child(self, element: Element, *path: str) -> Element:
        """The first child, grandchild … along the path of tags. Raises DataError if there is none."""
        for tag in path:
            child = element.find(tag)
            if child is None:
                content = ", ".join(f"<{other.tag[:40]}>" for other in element[:_MOST_SHOWN]) or "nothing"
                raise DataError(f"{self.where(element)}: expected <{tag}> inside <{element.tag}>, got {content}")
            element = child
        return element


def parse(file: Path, encoding: str | None = None) -> Markup:
    """Read a file. A DTD that it only names is not read.

    Args: encoding: a name that Python knows; None: what the file declares, UTF-8 if it declares none.
    Raises: DataError with line and column if the file is not well-formed XML, or refers to an entity that it does not define itself:
        its text would be missing. Entities that multiply themselves ("billion laughs") are refused by expat.
    """
    parser = _Parser(file, None)
    parser.feed(_text(file, encoding), is_last=True)
    return Markup(file, parser.builder.close(), parser.lines)


def stream(file: Path, tag: str, encoding: str | None = None) -> Iterator[Markup]:
    """Each element with this tag, as it is complete; the memory holds one of them and one piece of the file at a time.

    Args and raises: as for `parse`; an error is raised when the file has been read that far.
    """
    parser = _Parser(file, tag)
    for piece in _pieces(file, encoding):
        parser.feed(piece, is_last=False)
        yield from parser.complete_elements()
    parser.feed("", is_last=True)
    yield from parser.complete_elements()


class _Parser:
    """expat and a tree builder: xml.etree does the same, but drops the line numbers."""

    def __init__(self, file: Path, tag: str | None) -> None:
        """Args: tag: of elements that leave the tree when they are complete; None: none do."""
        self.file, self.tag = file, tag
        self.builder = ElementTree.TreeBuilder()
        self.lines: dict[Element, int] = {}
        self._open: list[Element] = []
        self._complete: list[Markup] = []
        self._expat = expat.ParserCreate(UTF8)
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self.builder.data
        self._expat.SkippedEntityHandler = lambda name, _is_parameter: self._refuse(name)
        self._expat.ExternalEntityRefHandler = lambda context, _base, _system, _public: self._refuse(context)

    def feed(self, text: str, *, is_last: bool) -> None:
        """Parse the next piece. Raises: DataError with line and column."""
        try:
            self._expat.Parse(text.encode(), is_last)
        except expat.ExpatError as error:
            problem = expat.ErrorString(error.code)
            raise DataError(f"{self.file}:{error.lineno}: expected well-formed XML, got {problem} at column {error.offset + 1}") from error

    def complete_elements(self) -> list[Markup]:
        """The complete elements since the last call."""
        complete, self._complete = self._complete, []
        return complete

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) == _DEEPEST:
            where = f"{self.file}:{self._expat.CurrentLineNumber}"
            raise DataError(f"{where}: expected elements that are nested at most {_DEEPEST} deep, got <{tag[:40]}> inside so many")
        element = self.builder.start(tag, attributes)
        self.lines[element] = self._expat.CurrentLineNumber
        self._open.append(element)

    def _end(self, tag: str) -> None:
        element = self.builder.end(tag)
        self._open.pop()
        if tag == self.tag:
            self._complete.append(Markup(self.file, element, self.lines))
            self.lines = {}
            if self._open:
                self._open[-1].remove(element)

    def _refuse(self, name: str | None) -> NoReturn:
        where = f"{self.file}:{self._expat.CurrentLineNumber}"
        raise DataError(
            f"{where}: expected entities that the file defines, got {name}, which is from another file; write the characters themselves"
        )


def _pieces(file: Path, encoding: str | None) -> Iterator[str]:
    """The file's text as `_text` gives it, in pieces."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_PIECE)
            name = _encoding(data, file, encoding)
            decoder = codecs.getincrementaldecoder("utf-8-sig" if codecs.lookup(name).name == UTF8 else name)()
            is_first = True
            while data:
                text = decoder.decode(data)
                text.encode()  # no half characters
                if "\0" in text:
                    raise UnicodeError
                yield _without_external_dtd(text.removeprefix("\ufeff")) if is_first else text
                data, is_first = opened.read(_PIECE), False
            yield decoder.decode(b"", True)
    except UnicodeError:
        yield _text(file, encoding)  # raises, with the place
        raise
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error


def _text(file: Path, encoding: str | None) -> str:
    """The file's text, without the DTD that it only names."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error
    return _without_external_dtd(decode(data, file, _encoding(data, file, encoding)))


def _encoding(data: bytes, file: Path, encoding: str | None) -> str:
    declared = _DECLARATION.match(data)
    mark = byte_order_mark(data)
    name = encoding or (mark.encoding if mark else declared[1].decode() if declared else UTF8)
    try:
        codecs.lookup(name)
        "".encode(name)  # refuses codecs from bytes to bytes
    except (LookupError, ValueError) as error:
        raise DataError(f"{file}:1: expected XML in an encoding that can be read, got {error}") from error
    return name


def _without_external_dtd(text: str) -> str:
    """Blanks where a file names a DTD that lies elsewhere: else expat would skip the entities defined there in silence."""
    return _DOCTYPE.sub(lambda match: match[1] + re.sub(r"[^\r\n]", " ", match[2] + match[3] + match[4]), text, count=1)


def _opening_tag(element: Element) -> str:
    attributes = "".join(f" {name[:40]}={value[:40]!r}" for name, value in list(element.attrib.items())[:_MOST_SHOWN])
    return f"<{element.tag[:40]}{attributes}>"
