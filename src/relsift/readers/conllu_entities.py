"""Entities in the MISC column of CoNLL-U: tags (`NER=B-PER`), or brackets as in GUM and CorefUD (`Entity=(e1-person-1)`).

    # global.Entity = eid-etype-head-other               what the parts of an opening bracket are
    1  Ada   …  Entity=(e1-person-1-new(e2-work-2-new     two mentions begin here
    2  Berg  …  Entity=e2)                                e2 ends here
    3  left  …  Entity=e1)

Formats: https://wiki.universaldependencies.org/conllu, https://ufal.mff.cuni.cz/corefud
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown

TAG_KEYS = ("NER", "NE")  # in any case; Stanza writes ner
_FIRST, _ONLY = frozenset("BSU"), frozenset("SU")  # prefixes of tags that begin an entity, and that end it at once
_LAST = frozenset("ELSU")
_BRACKET = re.compile(r"\(([^()]+)(\))?|([^()]+)\)")
_PART = re.compile(r"(.+)\[(\d+)/(\d+)\]")  # of a discontinuous mention
_DEFAULT_PARTS = ("eid", "etype")
_ETYPE = "etype"


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity by token indices."""

    where: str
    key: str  # of the thing that it stands for
    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class MiscRow:
    """What the MISC column of one row says."""

    where: str
    token: int  # index of the row's token; of an empty node, that of the next one
    is_empty: bool  # an empty node, which covers no token
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Open:
    """A bracket that is not closed yet."""

    row: MiscRow
    key: str
    type: str
    part: int  # of a discontinuous mention, from 1; 0: it is in one piece


@dataclass(slots=True)
class BracketParts:
    """The meaning of the parts of an opening bracket, from the line `# global.Entity`."""

    names: Sequence[str] = field(default=_DEFAULT_PARTS)

    def split(self, text: str) -> tuple[str, str]:
        """Key and type of an opening bracket.

        >>> BracketParts(("GRP", "etype", "infstat")).split("12-person-new")
        ('12', 'person')
        """
        parts = text.split("-")
        place = self.names.index(_ETYPE) if _ETYPE in self.names else None
        return parts[0], parts[place] if place is not None and place < len(parts) else ""


def tagged_mentions(rows: Sequence[MiscRow], report: ReadReport) -> list[Mention]:
    """The entities of BIO, BIOES or BILOU tags. Counts: entities that begin with an inner tag (kept)."""
    mentions: list[Mention] = []
    begun: tuple[MiscRow, str] | None = None

    def close(end: int) -> None:
        if begun is not None:
            mentions.append(Mention(begun[0].where, "", begun[0].token, end, begun[1]))

    for row in rows:
        if row.is_empty:
            continue
        tag = next((value for key, value in row.values.items() if key.upper() in TAG_KEYS), "O")
        with report.leaving_out("entities"):
            prefix, dash, kind = tag.partition("-")
            if tag not in ("O", "_") and (len(prefix) != 1 or prefix not in "BIESLU" or not dash or not kind):
                raise DataError(f"{row.where}: expected a tag such as B-PER or O, got {shown(tag)}")
            continues = begun is not None and prefix not in _FIRST and kind == begun[1]
            if not continues:
                close(row.token)
                begun = None
                if kind:
                    begun = (row, kind)
                    if prefix not in _FIRST:
                        report.drop("entities that begin with an inner tag (kept)", row.where)
            if begun is not None and prefix in _LAST:
                close(row.token + 1)
                begun = None
    close(rows[-1].token + (not rows[-1].is_empty) if rows else 0)
    return mentions


def bracketed_mentions(rows: Sequence[MiscRow], parts: BracketParts, report: ReadReport) -> list[Mention]:
    """The entities of brackets, in the order in which they end.

    Raises: DataError for a bracket that is not closed in its sentence, or closes nothing.
    Counts: discontinuous entities, entities of empty nodes alone, entities without a type.
    """
    mentions: list[Mention] = []
    opened: list[_Open] = []
    for row in rows:
        text = row.values.get("Entity", "")
        with report.leaving_out("entities"):
            if _BRACKET.sub("", text):
                raise DataError(f"{row.where}: expected brackets such as (e1-person-1) or e1), got {shown(text)}")
            for match in _BRACKET.finditer(text):
                if match[1]:
                    key, kind = parts.split(match[1])
                    part = _PART.fullmatch(key)
                    opened.append(_Open(row, part[1] if part else key, kind, int(part[2][:9]) if part else 0))
                if match[2] or match[3]:
                    _close(row, match[3], opened, mentions, report)
    for one in opened:
        with report.leaving_out("entities"):
            raise DataError(f"{one.row.where}: expected the bracket of {shown(one.key)} to be closed in its sentence, got no end")
    return mentions


def _close(row: MiscRow, closing: str | None, opened: list[_Open], mentions: list[Mention], report: ReadReport) -> None:
    """Close the last bracket, or the last one with the key that is named."""
    part = _PART.fullmatch(closing) if closing else None
    key = part[1] if part else closing
    place = next((n for n in range(len(opened) - 1, -1, -1) if key is None or opened[n].key == key), None)
    if place is None:
        raise DataError(f"{row.where}: expected the end of an open bracket, got {shown(closing)}")
    one = opened.pop(place)
    end = row.token + (not row.is_empty)
    label = f"{one.row.where}: {one.key}"
    if one.part:
        if one.part == 1:
            report.lose_entity("discontinuous entities", label)
    elif end <= one.row.token:
        report.lose_entity("entities of empty nodes alone", label)
    elif not one.type:
        report.lose_entity("entities without a type", label)
    else:
        mentions.append(Mention(one.row.where, one.key, one.row.token, end, one.type))
