"""XML with line numbers: the elements of xml.etree and the line of each, so that an error can name file and line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from relsift.errors import DataError

Element = ElementTree.Element


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
                content = ", ".join(f"<{other.tag}>" for other in element) or "nothing"
                raise DataError(f"{self.where(element)}: expected <{tag}> inside <{element.tag}>, got {content}")
            element = child
        return element


def parse(file: Path) -> Markup:
    """Raises DataError with line and column if the file is not well-formed XML."""
    # xml.etree uses expat but drops its line numbers, so expat is called here. A DTD that the file only names is not read.
    builder = ElementTree.TreeBuilder()
    lines: dict[Element, int] = {}
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start_element(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    parser.StartElementHandler = start_element
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        data = file.read_bytes()
        parser.Parse(data, True)
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise DataError(f"{file}:{error.lineno}: expected well-formed XML, got {problem} at column {error.offset + 1}") from error
    except (LookupError, ValueError) as error:  # the XML declaration names an encoding that is unknown or not supported
        raise DataError(f"{file}:1: expected XML in an encoding that can be read, got {error}") from error
    return Markup(file, builder.close(), lines)


def _opening_tag(element: Element) -> str:
    attributes = "".join(f" {name}={value[:40]!r}" for name, value in element.attrib.items())
    return f"<{element.tag}{attributes}>"
