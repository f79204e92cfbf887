"""XML with line numbers: what xml.etree parses, and where each element stands, so that an error can name file and line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from relsift.errors import DataError

Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class Markup:
    """A parsed file. Attributes that must be there are asked for through `get`, which raises DataError if they are not."""

    file: Path
    root: Element
    lines: dict[Element, int]

    def where(self, element: Element) -> str:
        return f"{self.file}:{self.lines[element]}"

    def get(self, element: Element, attribute: str) -> str:
        value = element.get(attribute)
        if not value:
            where = self.where(element)
            raise DataError(f"{where}: expected <{element.tag}> with the attribute {attribute!r}, got {_shown(element)}")
        return value

    def child(self, element: Element, *path: str) -> Element:
        """The first child, grandchild … along the path of tags."""
        for tag in path:
            found = element.find(tag)
            if found is None:
                inside = ", ".join(f"<{child.tag}>" for child in element) or "nothing"
                raise DataError(f"{self.where(element)}: expected <{tag}> inside <{element.tag}>, got {inside}")
            element = found
        return element


def parse(file: Path) -> Markup:
    """Raises DataError with line and column if the file is not well-formed XML."""
    # xml.etree sits on expat but keeps no line numbers; driving expat ourselves keeps them. A DTD that is only named is not read.
    builder = ElementTree.TreeBuilder()
    lines: dict[Element, int] = {}
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    parser.StartElementHandler = start
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


def _shown(element: Element) -> str:
    attributes = "".join(f" {name}={value[:40]!r}" for name, value in element.attrib.items())
    return f"<{element.tag}{attributes}>"
