"""Files of phrases and token patterns, as spaCy's entity ruler writes and reads them: one JSON object a line. spaCy is not needed.

{"label": "ORG", "pattern": "Acme Inc"}                                          a phrase
{"label": "ORG", "pattern": [{"LOWER": "acme"}, {"LOWER": "inc", "OP": "?"}]}    a token pattern: conditions on one token after the other
{"label": "ORG", "pattern": "Acme Inc", "id": "acme"}                            which thing it is

Conditions on one token: ORTH or TEXT (as it is written), LOWER (in small letters), LENGTH (characters), and the yes-or-no keys in `FLAGS`.
ORTH, TEXT and LOWER take a text, {"IN": [texts]} or {"NOT_IN": [texts]}. OP says how often the token stands there: "?" at most once, "*"
any number of times, "+" once or more; without it, once. An object without conditions is any token. Other keys are an error.

Tokens are those of `relsift.text.tokenise`, composed (NFC). A text that is several of them can stand in a phrase, not in one condition.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from relsift.errors import ConfigError, DataError
from relsift.json_text import decode
from relsift.text import half_character, tokenise

Test = Callable[[str], bool]  # of a token

FLAGS: dict[str, Test] = {
    "IS_ALPHA": str.isalpha, "IS_ASCII": str.isascii, "IS_DIGIT": str.isdigit, "IS_LOWER": str.islower, "IS_UPPER": str.isupper,
    "IS_TITLE": str.istitle, "IS_PUNCT": lambda token: all(unicodedata.category(character)[0] == "P" for character in token),
}  # fmt: skip
SPELLINGS: dict[str, Callable[[str], str]] = {"ORTH": str, "TEXT": str, "LOWER": str.lower}  # key -> what of a token is compared
LENGTH, OP = "LENGTH", "OP"
ONCE, OPTIONAL, ANY, SOME = "1", "?", "*", "+"
_KEYS = (*SPELLINGS, LENGTH, *FLAGS, OP)
_SHOWN = 80  # characters of a line in a message


class Rule(NamedTuple):
    """What a matched pattern says."""

    line: int  # of the file
    label: str
    id: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """What one token of a pattern must be."""

    tests: tuple[Test, ...]
    repeats: str  # ONCE, OPTIONAL, ANY or SOME
    texts: frozenset[str] | None  # if the token is one of a few, those; None: it can be any
    lowers: frozenset[str] | None  # the same in small letters

    def holds(self, token: str) -> bool:
        return all(test(token) for test in self.tests)

    @property
    def can_be_absent(self) -> bool:
        return self.repeats in (OPTIONAL, ANY)


class TokenPattern(NamedTuple):
    """Conditions on one token after the other."""

    rule: Rule
    conditions: tuple[Condition, ...]
    is_fixed: bool  # whether each condition is met by just one token


@dataclass
class PatternFile:
    """The patterns of one file."""

    phrases: dict[tuple[str, ...], Rule] = field(default_factory=dict)  # tokens -> the first rule for them
    patterns: list[TokenPattern] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)  # places of phrases that an earlier line has with another label or id


def composed(token: str) -> str:
    """The token as it is compared: an accented letter is one character."""
    return token if token.isascii() else unicodedata.normalize("NFC", token)


def tokens_of(text: str) -> tuple[str, ...]:
    """The tokens of a text, as they are compared."""
    return tuple(composed(text[start:end]) for start, end in tokenise(text))


def read_patterns(file: Path) -> PatternFile:
    """Raises: ConfigError if there is no such file; DataError naming file and line for a broken line, and a file without patterns."""
    result = PatternFile()
    for number, line in _lines(file):
        where = f"{file}:{number}"
        record = _record(line, where)
        rule = Rule(number, _text(record, "label", where), _text(record, "id", where) if "id" in record else None)
        pattern = record["pattern"]
        if isinstance(pattern, list):
            conditions = _conditions(pattern, where)
            is_fixed = all(condition.repeats == ONCE for condition in conditions)
            result.patterns.append(TokenPattern(rule, conditions, is_fixed))
            continue
        phrase = tokens_of(_text(record, "pattern", where))
        first = result.phrases.setdefault(phrase, rule)
        if first[1:] != rule[1:]:
            result.contradictions.append(where)
    if not result.phrases and not result.patterns:
        raise DataError(f'{file}: expected lines such as {{"label": "ORG", "pattern": "Acme Inc"}}, got none')
    return result


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line that is not blank."""
    if not file.is_file():
        got = "a folder" if file.is_dir() else "nothing"
        raise ConfigError(f"annotator patterns: expected a JSONL file of patterns at {file}, got {got}")
    try:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise ConfigError(f"annotator patterns: expected a readable file, got {file}: {error.strerror}") from error
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataError(f"{file}:{number}: expected UTF-8, got {error.reason} at byte {error.start}; save the file as UTF-8") from error
        if text:
            yield number, text


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = decode(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: expected JSON, got {_shown(line)}: {error}") from error
    if not isinstance(record, dict) or not {"label", "pattern"} <= record.keys():
        raise DataError(f'{where}: expected an object with "label" and "pattern", got {_shown(line)}')
    if unknown := record.keys() - {"label", "pattern", "id"}:
        raise DataError(f'{where}: expected the keys "label", "pattern" and "id" alone, got {min(unknown)!r}; remove it')
    return record


def _text(record: dict[str, Any], key: str, where: str) -> str:
    value = record[key]
    kind = "a text, or a list of objects," if key == "pattern" else "a text"
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: {key}: expected {kind} that is not blank, got {_shown(repr(value))}")
    if half := half_character(value):
        raise DataError(f"{where}: {key}: expected whole characters, got half of one, the lone surrogate {half}")
    return value


def _conditions(pattern: list[Any], where: str) -> tuple[Condition, ...]:
    conditions = tuple(_condition(value, f"{where}: token {number}") for number, value in enumerate(pattern))
    if all(condition.can_be_absent for condition in conditions):
        raise DataError(f"{where}: pattern: expected at least one token that must be there, got {_shown(repr(pattern))}")
    return conditions


def _condition(value: Any, where: str) -> Condition:
    if not isinstance(value, dict):
        raise DataError(f'{where}: expected an object such as {{"LOWER": "acme"}}, got {_shown(repr(value))}')
    tests: list[Test] = []
    repeats = ONCE
    literals: dict[bool, frozenset[str]] = {}  # whether in small letters -> texts of which the token is one
    for key, wanted in value.items():
        name = key.upper()  # as spaCy does
        place = f"{where}: {key}"
        if name == OP:
            repeats = _repeats(wanted, place)
        elif name == LENGTH:
            tests.append(_length(wanted, place))
        elif name in FLAGS:
            tests.append(_flag(FLAGS[name], wanted, place))
        elif name in SPELLINGS:
            one_of, none_of = _spellings(wanted, name == "LOWER", place)
            tests += _spelling_tests(SPELLINGS[name], one_of, none_of)
            if one_of is not None:
                literals[name == "LOWER"] = one_of
        else:
            raise DataError(f"{where}: expected keys among {', '.join(_KEYS)}, got {key!r}; write the pattern without it")
    return Condition(tuple(tests), repeats, literals.get(False), literals.get(True))


def _repeats(value: Any, where: str) -> str:
    if value not in (OPTIONAL, ANY, SOME):
        raise DataError(f"{where}: expected {OPTIONAL}, {ANY} or {SOME}, or no key {OP}, got {_shown(repr(value))}")
    return str(value)


def _length(value: Any, where: str) -> Test:
    if type(value) is not int or value < 1:
        raise DataError(f"{where}: expected a whole number >= 1, got {_shown(repr(value))}")
    return lambda token: len(token) == value


def _flag(test: Test, value: Any, where: str) -> Test:
    if not isinstance(value, bool):
        raise DataError(f"{where}: expected true or false, got {_shown(repr(value))}")
    return test if value else lambda token: not test(token)


def _spellings(value: Any, small: bool, where: str) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The texts of which the token is one (None: it can be any), and those of which it is none."""
    if isinstance(value, str):
        return frozenset([_spelling(value, small, where)]), frozenset()
    if not isinstance(value, dict) or not value or value.keys() - {"IN", "NOT_IN"}:
        raise DataError(f'{where}: expected a text, {{"IN": [texts]}} or {{"NOT_IN": [texts]}}, got {_shown(repr(value))}')
    sets = {}
    for key, texts in value.items():
        if not isinstance(texts, list) or not texts:
            raise DataError(f"{where}: {key}: expected a list of texts, got {_shown(repr(texts))}")
        sets[key] = frozenset(_spelling(text, small, f"{where}: {key}") for text in texts)
    return sets.get("IN"), sets.get("NOT_IN", frozenset())


def _spelling(value: Any, small: bool, where: str) -> str:
    """Raises DataError for a text that no token can be."""
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: expected a text that is not blank, got {_shown(repr(value))}")
    tokens = tokens_of(value)
    if len(tokens) != 1:
        raise DataError(
            f"{where}: expected one token, got {value!r}, which is {len(tokens)}: write an object for each of {' '.join(tokens)}"
        )
    if small and tokens[0] != tokens[0].lower():
        raise DataError(f"{where}: expected small letters, which this key compares, got {value!r}; write {tokens[0].lower()!r}")
    return tokens[0]


def _spelling_tests(spell: Callable[[str], str], one_of: frozenset[str] | None, none_of: frozenset[str]) -> list[Test]:
    tests: list[Test] = [] if one_of is None else [lambda token: spell(token) in one_of]
    return [*tests, lambda token: spell(token) not in none_of] if none_of else tests


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
