"""XML with line numbers: the elements of xml.etree and the line of each, so that an error can name file and line."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from relsift.errors import DataError
from relsift.readers.encodings import UTF8, decode
from relsift.readers.likely_encoding import byte_order_mark

Element = ElementTree.Element
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
        its text would be missing.
    """
    # xml.etree uses expat but drops its line numbers, so expat is called here.
    builder = ElementTree.TreeBuilder()
    lines: dict[Element, int] = {}
    parser = expat.ParserCreate(UTF8)
    parser.buffer_text = True

    def start_element(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    def refuse(name: str | None) -> NoReturn:
        raise DataError(
            f"{file}:{parser.CurrentLineNumber}: expected entities that the file defines, got {name}, which is from another file; "
            "write the characters themselves"
        )

    parser.StartElementHandler = start_element
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.SkippedEntityHandler = lambda name, _is_parameter: refuse(name)
    parser.ExternalEntityRefHandler = lambda context, _base, _system, _public: refuse(context)
    text = _text(file, encoding)
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise DataError(f"{file}:{error.lineno}: expected well-formed XML, got {problem} at column {error.offset + 1}") from error
    return Markup(file, builder.close(), lines)


def _text(file: Path, encoding: str | None) -> str:
    """The file's text. Where it names a DTD that lies elsewhere, blanks: else expat would skip the entities defined there in silence."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error
    declared = _DECLARATION.match(data)
    mark = byte_order_mark(data)
    name = encoding or (mark.encoding if mark else declared[1].decode() if declared else UTF8)
    try:
        codecs.lookup(name)
        "".encode(name)  # refuses codecs from bytes to bytes
    except (LookupError, ValueError) as error:
        raise DataError(f"{file}:1: expected XML in an encoding that can be read, got {error}") from error
    return _DOCTYPE.sub(lambda match: match[1] + re.sub(r"[^\r\n]", " ", match[2] + match[3] + match[4]), decode(data, file, name))


def _opening_tag(element: Element) -> str:
    attributes = "".join(f" {name[:40]}={value[:40]!r}" for name, value in list(element.attrib.items())[:_MOST_SHOWN])
    return f"<{element.tag[:40]}{attributes}>"
