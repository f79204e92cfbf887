"""Where strings without offsets stand in a text: at the one place where the text has them as whole words. Nothing is guessed."""

from __future__ import annotations

from relsift.readers.base import ReadReport, shown
from relsift.readers.marked_text import Cutting, MarkedText
from relsift.readers.positions import Positions
from relsift.readers.standoff import same_words
from relsift.schema import Document
from relsift.text import Span
from relsift.token_text import is_cjk

_MOST_PLACES = 2  # of a string; more say no more
ABSENT, SEVERAL = "that the text does not have", "that stand several times in the text"


class Places:
    """The mentions of one text that could be placed, and their relations."""

    def __init__(self, text: str, where: str, report: ReadReport) -> None:
        self.where, self.report = where, report
        self._marked = MarkedText(text, where, report, Positions(text))
        self._keys: dict[tuple[Span, str], str] = {}  # span and type -> id
        self._ids_of: dict[str, list[str]] = {}  # words -> ids of the mentions with them
        self._without_place: set[tuple[str, str]] = set()  # words and type that were counted

    def add_words(self, words: str, kind: str, place: str) -> str | None:
        """The id of the mention with these words; None if they have no place, or several, which is counted once a text and type."""
        found = occurrences(words, self._marked.text)
        if len(found) == 1:
            return self._add(found[0], words, kind, place)
        if (words, kind) not in self._without_place:
            self._without_place.add((words, kind))
            self.report.lose_entity(f"entities {SEVERAL if found else ABSENT}", f"{place}: {shown(words)}")
        return None

    def add_at(self, positions: Span, words: str, kind: str, place: str, *, is_near: bool) -> str | None:
        """The id of the mention at the half-open positions. If other words stand there, it goes where `add_words` puts it.

        Args: is_near: other words there are meant; they are kept, and counted.
        Raises: DataError for positions outside the text.
        """
        span = self._marked.span(*positions, place)
        found = self._marked.text[slice(*span)]
        if not found.strip():
            self.report.lose_entity("entities without text", place)
            return None
        if not same_words(found.casefold(), words.casefold()):
            if not is_near:
                self.report.drop("extractions whose words are not at their place, looked for in the text", f"{place}: {shown(words)}")
                return self.add_words(words, kind, place)
            self.report.drop("extractions aligned with other words of the text (kept)", f"{place}: {shown(words)}")
        return self._add(span, words, kind, place)

    def key_of(self, words: str, place: str) -> str | None:
        """The id of the mention with these words; None if there is none, or if there are several at different places.

        Counts: relation ends on a span with several entity types: the string does not say which is meant, so the first is taken.
        """
        keys = self._ids_of.get(words, [])
        if len({(entity.start, entity.end) for entity in map(self._marked.entities.__getitem__, keys)}) != 1:
            return None
        if len(keys) > 1:
            self.report.drop("relation ends on a span with several entity types, read as the first", place)
        return keys[0]

    def add_relation(self, head: str | None, tail: str | None, kind: str, place: str) -> None:
        """Keep a relation, or count it if an end has no place."""
        if head is None or tail is None:
            self.report.lose_relation("relations of a string without one place in the text", place, kind)
        else:
            self._marked.add_relation(head, tail, kind, place)

    def document(self, key: str, cutting: Cutting, *, annotated: bool) -> Document:
        return self._marked.document(key, cutting, annotated=annotated)

    def _add(self, span: Span, words: str, kind: str, place: str) -> str:
        key = self._keys.get((span, kind))
        if key is None:
            key = str(len(self._keys))
            self._marked.add_entity(key, span, kind, place)
            self._keys[span, kind] = key
        if key not in self._ids_of.setdefault(words, []):
            self._ids_of[words].append(key)
        return key

def occurrences(words: str, text: str) -> list[Span]:
    """Where the text has the words, not inside of longer ones; two places at most.

    >>> occurrences("Ada", "Canada pays Ada."), occurrences("Ada", "Ada and Ada and Ada")
    ([(12, 15)], [(0, 3), (8, 11)])
    """
    found: list[Span] = []
    start = text.find(words) if words.strip() else -1
    while start >= 0 and len(found) < _MOST_PLACES:
        end = start + len(words)
        if not (_cuts_a_word(text, start) or _cuts_a_word(text, end)):
            found.append((start, end))
        start = text.find(words, start + 1)
    return found


def _cuts_a_word(text: str, edge: int) -> bool:
    return 0 < edge < len(text) and all(character.isalnum() and not is_cjk(character) for character in text[edge - 1 : edge + 1])
