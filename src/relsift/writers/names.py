"""Names that other programs take: of files, of types, and text for XML. What is changed is counted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from relsift.omissions import Omissions

_UNSAFE = re.compile(  # in names of files, on one system or another; NUL and others are devices of Windows, with any ending
    r'[\x00-\x1f\x7f<>:"\\|?*%]|^\.|[. ]$|^(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)'
)
_LONGEST = 150  # bytes of a name, for file systems that take 255, and the ends that are added
_UNTYPICAL = re.compile(r"[^\w-]|(?<=_)x(?=[0-9A-F]{4,6}_)")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UniqueNames:
    """Names in use; one that comes again gets a number."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def of(self, name: str) -> str:
        """The name, with a number behind it if it was given before.

        >>> names = UniqueNames()
        >>> names.of("a"), names.of("A"), names.of("b")
        ('a', 'A-2', 'b')
        """
        while True:
            key = name.casefold()  # some file systems take a and A for one name
            self._used[key] += 1
            if self._used[key] == 1:
                return name
            name = f"{name}-{self._used[key]}"


def file_name(name: str) -> str:
    """A relative path without a suffix: folders stay, what no file can be named is percent-encoded.

    >>> file_name("news/2026: 1"), file_name("../x")
    ('news/2026%3A 1', '%2E%2E/x')
    """
    return "/".join(_part(part) for part in name.split("/"))


def _part(part: str) -> str:
    safe = _percent(part) if part == ".." else _UNSAFE.sub(lambda found: _percent(found[0]), part)
    if len(safe.encode()) > _LONGEST:
        safe = safe.encode()[:_LONGEST].decode(errors="ignore") + "-" + hashlib.sha256(part.encode()).hexdigest()[:8]
    return safe or "%"


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def word(kind: str) -> str:
    """A type of letters, digits, `-` and `_`; others become `_xHHHH_`, as in OOXML.

    >>> word("located in"), word("PHYS:Near"), word("地点")
    ('located_x0020_in', 'PHYS_x003A_Near', '地点')
    """
    return _UNTYPICAL.sub(lambda found: f"_x{ord(found[0]):04X}_", kind)


def xml_text(text: str, where: str, left_out: Omissions) -> str:
    """The text with U+FFFD for each character that XML 1.0 cannot hold."""
    safe, count = _NO_XML.subn("\ufffd", text)
    if count:
        left_out.drop("characters that XML cannot hold (written as U+FFFD)", where, count)
    return safe
