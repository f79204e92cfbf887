"""Entities from a list of names and patterns (see `relsift.annotators.pattern_file`), without a model.

Matching: a phrase is compared as it is written, capitals too; blanks between its tokens do not count. A match must begin and end where
tokens of the sentence do. Of matches that overlap, the longest in tokens is taken; of equally long ones the first in the text; on the
same tokens the first in the file. The sentence is cut into tokens as its text is, whatever tokens it came with.

Phrases are found by a hash of their tokens, and token patterns by a tree of their first tokens, so that long lists cost little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from relsift.annotators.alignment import Alignment
from relsift.annotators.entity_annotator import EntityAnnotator
from relsift.annotators.pattern_file import ANY, ONCE, SOME, Condition, PatternFile, Rule, TokenPattern, composed, read_patterns
from relsift.errors import ConfigError
from relsift.schema import Entity, Sentence
from relsift.text import tokenise

WIDEST = 1000  # nodes of the tree that one pattern may have at a depth; a first token of more texts than that is not told


class _Match(NamedTuple):
    start: int  # first token of the text
    end: int  # token after the last one
    rule: Rule


class PatternEntities(EntityAnnotator):
    """Entities that match a file of patterns, without overlaps. The id of a pattern becomes the subtype: ids of mentions differ."""

    VERSIONED = False

    def __init__(self, file: Path) -> None:
        """Raises: as `read_patterns`."""
        super().__init__()
        self.file = file
        patterns = read_patterns(file)
        for place in patterns.contradictions:
            self.report.drop("phrases that an earlier line has with another label or id", place)
        self._matcher = _Matcher(patterns)

    @classmethod
    def named(cls, argument: str) -> PatternEntities:
        """The patterns of a file. Raises: ConfigError for no path; others as `read_patterns`."""
        return cls(_path(argument))

    @classmethod
    def path_of(cls, name: str) -> Path | None:
        return _path(name)

    @property
    def spec(self) -> str:
        return f"patterns:{self.file}"

    def find(self, sentences: Sequence[Sentence]) -> Iterator[list[Entity]]:
        return map(self._found, sentences)

    def _found(self, sentence: Sentence) -> list[Entity]:
        text = sentence.text
        spans = tokenise(text)
        matches = list(self._matcher([composed(text[start:end]) for start, end in spans]))
        alignment = Alignment(sentence) if matches else None
        placed: list[tuple[_Match, Entity]] = []
        for match in matches:
            start, end = spans[match.start][0], spans[match.end - 1][1]
            tokens = alignment.tokens(start, end) if alignment is not None else None
            if tokens is None or not tokens.is_exact:
                self.report.drop("matches of patterns that begin or end inside a token", f"sentence {sentence.id!r}: {text[start:end]!r}")
                continue
            placed.append((match, Entity(tokens.start, tokens.end, match.rule.label, match.rule.id)))
        return _without_overlaps(placed)


def _path(argument: str) -> Path:
    """Raises ConfigError if there is none: it would be the current folder."""
    if not argument.strip():
        raise ConfigError("annotator patterns: expected the path of a JSONL file of patterns, as in patterns:names.jsonl, got none")
    return Path(argument)


class _Matcher:
    """All matches in a text, also those that overlap."""

    def __init__(self, file: PatternFile) -> None:
        self._phrases = file.phrases
        self._lengths: dict[str, set[int]] = {}  # first token -> numbers of tokens of the phrases that begin with it
        for tokens in file.phrases:
            self._lengths.setdefault(tokens[0], set()).add(len(tokens))
        self._patterns = _Node()
        for pattern in file.patterns:
            self._patterns.add(pattern)

    def __call__(self, tokens: Sequence[str]) -> Iterator[_Match]:
        """Every phrase, and the longest match of each token pattern at each token."""
        for start, token in enumerate(tokens):
            for length in self._lengths.get(token, ()):
                end = start + length
                if end <= len(tokens) and (rule := self._phrases.get(tuple(tokens[start:end]))) is not None:
                    yield _Match(start, end, rule)
            for pattern in self._patterns.possible(tokens, start):
                longest = (_fixed if pattern.is_fixed else _longest)(pattern.conditions, tokens, start)
                if longest is not None:
                    yield _Match(start, longest, pattern.rule)


class _Node:
    """A tree of token patterns by what their first tokens must be. A pattern lies as deep as its tokens are told one by one."""

    def __init__(self) -> None:
        self._patterns: list[TokenPattern] = []  # those whose told tokens end here
        self._by_text: dict[str, _Node] = {}  # by what the next token must be
        self._by_lower: dict[str, _Node] = {}  # the same in small letters
        self._any: _Node | None = None  # the next token may be one of many

    def add(self, pattern: TokenPattern) -> None:
        for node in self._reached(list(_told(pattern))):
            node._patterns.append(pattern)

    def possible(self, tokens: Sequence[str], start: int) -> Iterator[TokenPattern]:
        """The patterns that may match from `start` on, each once: their told tokens are there."""
        nodes = [self]
        for place in range(start, len(tokens) + 1):
            for node in nodes:
                yield from node._patterns
            if place == len(tokens):
                return
            token = tokens[place]
            nodes = [child for node in nodes for child in node._children(token) if child is not None]
            if not nodes:
                return

    def _children(self, token: str) -> tuple[_Node | None, ...]:
        return self._by_text.get(token), self._by_lower.get(token.lower()) if self._by_lower else None, self._any

    def _reached(self, told: Sequence[Condition]) -> list[_Node]:
        """The nodes of these conditions, made where they are missing: several where a token may be one of a few."""
        nodes = [self]
        for condition in told:
            index, keys = ("_by_text", condition.texts) if condition.texts is not None else ("_by_lower", condition.lowers)
            if keys is None:
                nodes = [node._next_any() for node in nodes]
            else:
                nodes = [getattr(node, index).setdefault(key, _Node()) for node in nodes for key in keys]
        return nodes

    def _next_any(self) -> _Node:
        if self._any is None:
            self._any = _Node()
        return self._any


def _told(pattern: TokenPattern) -> Iterator[Condition]:
    """The first conditions that are met by just one token each, up to the last of a few texts; fewer if the tree would grow too wide."""
    held: list[Condition] = []
    width = 1
    for condition in pattern.conditions:
        if condition.repeats != ONCE:
            return
        held.append(condition)
        keys = condition.lowers if condition.texts is None else condition.texts
        if keys is not None:
            width *= len(keys)
            if width > WIDEST:
                return
            yield from held
            held = []


def _fixed(conditions: Sequence[Condition], tokens: Sequence[str], start: int) -> int | None:
    """`_longest` for conditions that are each met by one token."""
    end = start + len(conditions)
    is_met = end <= len(tokens) and all(map(Condition.holds, conditions, tokens[start:end]))
    return end if is_met else None


def _longest(conditions: Sequence[Condition], tokens: Sequence[str], start: int) -> int | None:
    """The end of the longest match that begins at `start`; None if there is none. No backtracking: all positions in the pattern at once."""
    waiting = _with_absent({0}, conditions)  # positions of conditions that the next token may meet; their number: all are met
    best = None
    for place in range(start, len(tokens) + 1):
        if len(conditions) in waiting:
            best = place
        if place == len(tokens):
            break
        reached = set()
        for position in waiting:
            if position < len(conditions) and conditions[position].holds(tokens[place]):
                reached.add(position + 1)
                if conditions[position].repeats in (ANY, SOME):
                    reached.add(position)
        if not reached:
            break
        waiting = _with_absent(reached, conditions)
    return best


def _with_absent(positions: set[int], conditions: Sequence[Condition]) -> set[int]:
    """These positions, and those behind conditions that need no token."""
    for position in sorted(positions):
        while position < len(conditions) and conditions[position].can_be_absent:
            position += 1
            positions.add(position)
    return positions


def _without_overlaps(placed: Iterable[tuple[_Match, Entity]]) -> list[Entity]:
    """The entities of the longest matches, then of the first in the text, then of the first in the file."""
    kept: list[Entity] = []
    covered: set[int] = set()
    for match, entity in sorted(placed, key=lambda pair: (pair[0].start - pair[0].end, pair[0].start, pair[0].rule.line)):
        tokens = range(match.start, match.end)
        if covered.isdisjoint(tokens):
            covered.update(tokens)
            kept.append(entity)
    return kept
