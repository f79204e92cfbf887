"""Names and patterns from a file: what matches, which of several matches is taken, exact characters, and broken lines named."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.annotators.base import find_annotator
from relsift.annotators.pattern_entities import PatternEntities, _longest, _Matcher, _Node
from relsift.annotators.pattern_file import read_patterns
from relsift.errors import ConfigError, DataError
from relsift.schema import Document, Sentence
from relsift.text import tokenise

ACME = {"label": "ORG", "pattern": "Acme Inc"}
MANY_SCRIPTS = st.text(st.sampled_from("aB1 é́😀👩‍👧京大শ্রীעב.-\u00a0\u200b"), min_size=1, max_size=12)


def file_of(folder: Path, *records: object) -> Path:
    file = folder / "names.jsonl"
    file.write_text("".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records), encoding="utf-8")
    return file


def sentence_of(text: str, start: int = 0) -> Sentence:
    """One sentence of a document in which `start` characters stand before it."""
    spans = tokenise(text)
    sentence = Sentence("s", tuple(text[a:b] for a, b in spans), offsets=tuple((start + a, start + b) for a, b in spans))
    return Document("d", (sentence,), " " * start + text).sentences[0]


def found(folder: Path, text: str | Sentence, *records: object) -> list[tuple[str, str]]:
    """Mention and type of every entity."""
    sentence = sentence_of(text) if isinstance(text, str) else text
    (annotated,) = PatternEntities(file_of(folder, *records)).annotate([sentence])
    return [(annotated.text_of(entity), entity.type) for entity in annotated.entities]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("Acme Inc left.", ["Acme Inc"]),
        ("acme inc left.", []),  # capitals count
        ("Acme  Inc left, AcmeInc too.", ["Acme  Inc"]),  # blanks do not, tokens do
        ("Acme", []),
        ("Acme Inc", ["Acme Inc"]),
        ("NotAcme Inc", []),
        ("Acme Inc.Acme Inc", ["Acme Inc", "Acme Inc"]),
    ],
)
def test_a_phrase_matches_its_tokens_as_they_are_written(tmp_path, text, mentions):
    assert found(tmp_path, text, ACME, {"label": "X", "pattern": "Acme Inc left again"}) == [(mention, "ORG") for mention in mentions]


def test_chinese_phrases_match_characters_and_whole_words_of_other_tokens(tmp_path):
    names = [{"label": "ORG", "pattern": "北京大学"}, {"label": "LOC", "pattern": "北京"}]
    assert found(tmp_path, "张三在北京大学，不在北京。", *names) == [("北京大学", "ORG"), ("北京", "LOC")]
    assert found(tmp_path, Sentence("s", ("北京", "大学", "在", "北京")), *names) == [("北京大学", "ORG"), ("北京", "LOC")]


def test_a_match_that_ends_inside_a_token_is_left_out_and_counted(tmp_path):
    annotator = PatternEntities(file_of(tmp_path, {"label": "LOC", "pattern": "京大"}))
    (sentence,) = annotator.annotate([Sentence("s", ("北京", "大学"))])
    assert sentence.entities == ()
    assert annotator.report.lines() == ["1 match of patterns that begins or ends inside a token (first: sentence 's': '京大')"]


def test_the_longest_match_wins_then_the_first_in_the_text_then_the_first_line(tmp_path):
    phrases = ["a b", "b c d", "d e", "f g", "g h"]
    records = [{"label": f"L{n}", "pattern": phrase} for n, phrase in enumerate(phrases)]
    assert found(tmp_path, "a b c d e", *records) == [("b c d", "L1")]  # the longest, though "a b" and "d e" are two
    assert found(tmp_path, "f g h", *records) == [("f g", "L3")]
    both = [{"label": "FIRST", "pattern": [{"ORTH": "f"}]}, {"label": "SECOND", "pattern": "f"}]
    assert found(tmp_path, "f", *both) == [("f", "FIRST")]


def test_a_phrase_that_an_earlier_line_calls_otherwise_is_counted(tmp_path):
    annotator = PatternEntities(file_of(tmp_path, ACME, ACME, ACME | {"label": "PER"}))
    (sentence,) = annotator.annotate([sentence_of("Acme Inc")])
    assert [entity.type for entity in sentence.entities] == ["ORG"]
    (line,) = annotator.report.lines()
    assert re.fullmatch(r"1 phrase that an earlier line has with another label or id \(first: .*names\.jsonl:3\)", line)


@pytest.mark.parametrize(
    ("pattern", "text", "mention"),
    [
        ([{"LOWER": "acme"}, {"ORTH": "Inc"}], "ACME Inc", "ACME Inc"),
        ([{"lower": "acme"}], "aCme", "aCme"),  # keys in small letters, as spaCy takes them
        ([{"TEXT": "Acme"}], "acme", None),
        ([{"ORTH": "No"}, {"IS_DIGIT": True}], "No 12 x", "No 12"),
        ([{"ORTH": "No"}, {"IS_DIGIT": False}], "No 12", None),
        ([{"ORTH": "a"}, {"OP": "?"}, {"ORTH": "c"}], "a b c", "a b c"),
        ([{"ORTH": "a"}, {"OP": "?"}, {"ORTH": "c"}], "a c", "a c"),
        ([{"ORTH": "a"}, {"OP": "?"}, {"ORTH": "c"}], "a b b c", None),
        ([{"ORTH": "a"}, {"ORTH": "b", "OP": "*"}], "a b b c", "a b b"),
        ([{"ORTH": "a"}, {"ORTH": "b", "OP": "*"}], "a c", "a"),
        ([{"ORTH": "a"}, {"ORTH": "b", "OP": "+"}], "a c", None),
        ([{"ORTH": "a"}, {"ORTH": "b", "OP": "+"}, {"ORTH": "b"}], "a b b", "a b b"),
        ([{"ORTH": "a"}, {"ORTH": "b", "OP": "+"}, {"ORTH": "b"}], "a b", None),
        ([{"ORTH": "b", "OP": "?"}, {"ORTH": "a"}], "b a", "b a"),
        ([{"LOWER": {"IN": ["a", "b"]}}, {"ORTH": {"NOT_IN": ["c"]}}], "B d", "B d"),
        ([{"LOWER": {"IN": ["a", "b"]}}, {"ORTH": {"NOT_IN": ["c"]}}], "B c", None),
        ([{"IS_TITLE": True, "LENGTH": 3}], "ada Ada Adaa", "Ada"),
        ([{"IS_UPPER": True, "IS_ALPHA": True, "OP": "+"}], "x AB CD e", "AB CD"),
        ([{"IS_PUNCT": True}], "a !", "!"),
        ([{"IS_LOWER": True, "IS_ASCII": False}], "É é e", "é"),
        ([{"ORTH": "京"}], "北京", "京"),
    ],
)
def test_token_patterns_match_as_their_keys_say(tmp_path, pattern, text, mention):
    assert found(tmp_path, text, {"label": "X", "pattern": pattern}) == ([] if mention is None else [(mention, "X")])


CONDITIONS = st.fixed_dictionaries({"ORTH": st.sampled_from("ab")}, optional={"OP": st.sampled_from("?*+")}) | st.fixed_dictionaries(
    {}, optional={"OP": st.sampled_from("?*+")}
)


@given(st.lists(CONDITIONS, min_size=1, max_size=4), st.text(st.sampled_from("abc"), min_size=1, max_size=8))
def test_token_patterns_match_what_a_regular_expression_matches(tmp_path_factory, pattern, letters):
    if all(condition.get("OP") in ("?", "*") for condition in pattern):
        pattern = [*pattern, {"ORTH": "a"}]
    expression = re.compile("".join(condition.get("ORTH", ".") + condition.get("OP", "") for condition in pattern))
    size = len(letters)
    longest = {}  # start -> end
    for start in range(size):
        ends = [end for end in range(start + 1, size + 1) if expression.fullmatch(letters, start, end)]
        longest |= {start: max(ends)} if ends else {}
    expected: list[tuple[int, int]] = []
    for start, end in sorted(longest.items(), key=lambda span: (span[0] - span[1], span[0])):
        if all(end <= first or last <= start for first, last in expected):
            expected.append((start, end))
    file = file_of(tmp_path_factory.mktemp("patterns"), {"label": "X", "pattern": pattern})
    (sentence,) = PatternEntities(file).annotate([Sentence("s", tuple(letters))])
    assert [(entity.start, entity.end) for entity in sentence.entities] == sorted(expected)


@given(MANY_SCRIPTS, MANY_SCRIPTS, MANY_SCRIPTS, st.integers(0, 3))
def test_characters_are_those_of_the_name_whatever_the_text(tmp_path_factory, before, name, after, start):
    text = f"{before} {name} {after}"
    if not tokenise(name) or not tokenise(text):
        return
    sentence = sentence_of(text, start)
    annotator = PatternEntities(file_of(tmp_path_factory.mktemp("patterns"), {"label": "X", "pattern": name}))
    (annotated,) = annotator.annotate([sentence])
    words = [name[a:b] for a, b in tokenise(name)]
    assert annotated.entities  # at least the one between the blanks
    for entity in annotated.entities:
        a, b = entity.chars
        mention = (" " * start + text)[a:b]
        assert mention == annotated.text_of(entity)
        assert [mention[c:d] for c, d in tokenise(mention)] == words == list(annotated.tokens[entity.start : entity.end])


def test_an_accent_may_be_written_in_two_ways(tmp_path):
    assert found(tmp_path, "Caf\u00e9 X", {"label": "X", "pattern": "Cafe\u0301"}) == [("Caf\u00e9", "X")]
    assert found(tmp_path, "Cafe\u0301 X", {"label": "X", "pattern": "Caf\u00e9"}) == [("Cafe\u0301", "X")]


def test_the_id_of_a_pattern_becomes_the_subtype(tmp_path):
    annotator = PatternEntities(file_of(tmp_path, ACME | {"id": "acme"}))
    (sentence,) = annotator.annotate([sentence_of("Acme Inc and Acme Inc")])
    assert [(entity.subtype, entity.id) for entity in sentence.entities] == [("acme", None), ("acme", None)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "expected JSON"),
        ("[1]", 'expected an object with "label" and "pattern"'),
        ('{"label": "X"}', 'expected an object with "label" and "pattern"'),
        ('{"label": "X", "label": "Y", "pattern": "a"}', "the key 'label' twice"),
        ('{"label": "", "pattern": "a"}', "label: expected a text that is not blank, got ''"),
        ('{"label": "\\ud800", "pattern": "a"}', "label: expected whole characters, got half of one, the lone surrogate '\\ud800'"),
        ('{"label": "X", "id": "\\udfff", "pattern": "a"}', "id: expected whole characters"),
        ('{"label": "X", "pattern": " "}', "pattern: expected a text, or a list of objects, that is not blank, got ' '"),
        ('{"label": "X", "pattern": 3}', "pattern: expected a text, or a list of objects, that is not blank, got 3"),
        ('{"label": "X", "pattern": []}', "pattern: expected at least one token that must be there, got []"),
        ('{"label": "X", "pattern": [{"OP": "*"}]}', "pattern: expected at least one token that must be there"),
        ('{"label": "X", "pattern": "a", "id": 3}', "id: expected a text that is not blank, got 3"),
        ('{"label": "X", "pattern": "a", "colour": 3}', 'keys "label", "pattern" and "id" alone, got \'colour\''),
        ('{"label": "X", "pattern": ["a"]}', "token 0: expected an object such as"),
        ('{"label": "X", "pattern": [{"LEMMA": "be"}]}', "token 0: expected keys among ORTH, TEXT, LOWER, LENGTH, IS_ALPHA"),
        ('{"label": "X", "pattern": [{"TEXT": {"REGEX": "a"}}]}', 'token 0: TEXT: expected a text, {"IN": [texts]}'),
        (
            '{"label": "X", "pattern": [{"LOWER": "Acme"}]}',
            "LOWER: expected small letters, which this key compares, got 'Acme'; write 'acme'",
        ),
        (
            '{"label": "X", "pattern": [{"ORTH": "U.S."}]}',
            "ORTH: expected one token, got 'U.S.', which is 4: write an object for each of U . S .",
        ),
        ('{"label": "X", "pattern": [{"ORTH": "a", "OP": "!"}]}', "OP: expected ?, * or +, or no key OP, got '!'"),
        ('{"label": "X", "pattern": [{"IS_DIGIT": 1}]}', "IS_DIGIT: expected true or false, got 1"),
        ('{"label": "X", "pattern": [{"LENGTH": true}]}', "LENGTH: expected a whole number >= 1, got True"),
        ('{"label": "X", "pattern": [{"ORTH": {"IN": []}}]}', "ORTH: IN: expected a list of texts, got []"),
    ],
)
def test_a_broken_line_is_named_with_its_file(tmp_path, line, words):
    file = tmp_path / "names.jsonl"
    file.write_text(f"{json.dumps(ACME)}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        find_annotator(f"patterns:{file}", "entities")
    assert str(caught.value).startswith(f"{file}:3: ") and words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_in_another_encoding_and_a_file_without_patterns_are_named(tmp_path):
    file = tmp_path / "names.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"label": "X", "pattern": "a"}\r\n\xe9\n')
    with pytest.raises(DataError, match=rf"^{re.escape(str(file))}:2: expected UTF-8"):
        PatternEntities(file)
    file.write_bytes(b"\n\n")
    with pytest.raises(DataError, match="expected lines such as"):
        PatternEntities(file)


@pytest.mark.parametrize(("argument", "got"), [("none.jsonl", "nothing"), (".", "a folder")])
def test_a_file_that_is_not_there_is_named(argument, got):
    with pytest.raises(ConfigError, match=f"expected a JSONL file of patterns at .*, got {got}"):
        find_annotator(f"patterns:{argument}", "entities")


def test_patterns_need_no_spacy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    assert found(tmp_path, "Acme Inc", ACME) == [("Acme Inc", "ORG")]


def test_a_file_that_changed_is_read_again(tmp_path):
    file = file_of(tmp_path, ACME)
    assert find_annotator(f"patterns:{file}", "entities").annotate([sentence_of("Bo")])[0].entities == ()
    file_of(tmp_path, {"label": "PER", "pattern": "Bo"})
    assert len(find_annotator(f"patterns:{file}", "entities").annotate([sentence_of("Bo")])[0].entities) == 1


@pytest.mark.parametrize("spec", ["patterns:", "patterns", "patterns: "])
def test_a_path_that_is_missing_is_asked_for(spec):
    with pytest.raises(ConfigError, match=r"expected the path of a JSONL file of patterns, as in patterns:names\.jsonl, got none"):
        find_annotator(spec, "entities")


WORDS = st.sampled_from(("the", "The", "acme", "Acme", "mill"))
LITERALS = st.sampled_from(("the", "The", "acme", "Acme", "mill")).map(lambda word: {"ORTH": word}) | st.sampled_from(
    ({"LOWER": "the"}, {"LOWER": {"IN": ["acme", "mill"]}}, {"ORTH": {"IN": ["The", "Acme"]}, "LOWER": "the"}, {"IS_TITLE": True}, {})
)
REPEATED = st.builds(lambda literal, repeats: literal | repeats, LITERALS, st.sampled_from(({}, {}, {"OP": "?"}, {"OP": "+"}, {"OP": "*"})))


@given(st.lists(st.lists(REPEATED, min_size=1, max_size=4), min_size=1, max_size=6), st.lists(WORDS, min_size=1, max_size=7))
def test_the_tree_of_patterns_finds_what_a_loop_over_all_patterns_finds(tmp_path_factory, patterns, words):
    named = [[*pattern, {"ORTH": "mill"}] if all(c.get("OP") in ("?", "*") for c in pattern) else pattern for pattern in patterns]
    file = file_of(tmp_path_factory.mktemp("patterns"), *({"label": f"L{n}", "pattern": pattern} for n, pattern in enumerate(named)))
    by_loop = [
        (start, end, pattern.rule)
        for start in range(len(words))
        for pattern in read_patterns(file).patterns
        if (end := _longest(pattern.conditions, words, start)) is not None
    ]
    assert sorted(_Matcher(read_patterns(file))(words)) == sorted(by_loop)


def test_only_patterns_whose_first_tokens_are_there_are_tried(tmp_path):
    words = [letter * count for letter in "abcde" for count in range(1, 9)]
    records = [{"label": "X", "pattern": [{"LOWER": "the"}, {"LOWER": word}, {"IS_TITLE": True}]} for word in words]
    patterns = read_patterns(file_of(tmp_path, *records)).patterns
    tree = _Node()
    for pattern in patterns:
        tree.add(pattern)
    assert list(tree.possible(["The", "aaaaaaaa", "Mill"], 0)) == [patterns[7]]
    assert list(tree.possible(["The", "mill"], 0)) == []
