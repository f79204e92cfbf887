"""Native JSON lines: a round trip through text, ids and positions, character offsets, documents, and every kind of bad line."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.native import READER, read_lines, read_records
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence, Syntax
from relsift.writers.native import write
from strategies import documents, related_across

ADA_ACME = [{"start": 0, "end": 1, "type": "PER"}, {"start": 2, "end": 3, "type": "ORG"}]
LINE: dict[str, Any] = {"id": "s1", "tokens": ["Ada", "runs", "Acme"], "entities": ADA_ACME}
RELATED = {"head": 0, "tail": 1, "type": "runs"}
# Ada [0,3), Zed [9,12)
TEXT: dict[str, Any] = {
    "id": "t", "text": "Ada runs Zed.",
    "entities": [{"start": 0, "end": 3, "type": "PER"}, {"start": 9, "end": 12, "type": "ORG"}],
}  # fmt: skip


def read(*records: dict[str, Any] | str) -> tuple[list[Document], ReadReport]:
    """Records of a file named f.jsonl, one a line."""
    report = ReadReport()
    lines = enumerate((r if isinstance(r, str) else json.dumps(r) for r in records), start=1)
    return list(read_lines(lines, "f.jsonl", report)), report


def only(record: dict[str, Any]) -> Sentence:
    """The one sentence of a line from which nothing may be dropped."""
    (document,), report = read(record)
    assert not report.dropped
    (sentence,) = document.sentences
    return sentence


def written(*documents: Document) -> str:
    stream = io.StringIO()
    write(documents, stream)
    return stream.getvalue()


# ---- round trip --------------------------------------------------------------------------------------------------------------


@given(documents())
def test_what_is_written_reads_back_as_the_same_sentences_with_the_same_text(document: Document):
    (back,), report = read(*written(document).rstrip("\n").split("\n"))
    assert not report.dropped
    assert back.id == document.id
    assert back.sentences == document.sentences
    if document.text is None:
        assert back.text is None
        return
    assert back.text is not None
    for sentence in document.sentences:
        for (start, end), token in zip(sentence.offsets or (), sentence.tokens):
            assert back.text[start:end] == document.text[start:end] == token


@given(st.lists(documents(), min_size=1, max_size=3, unique_by=lambda d: d.id))
def test_documents_stay_apart(documents: list[Document]):
    back, _ = read(*written(*documents).rstrip("\n").split("\n"))
    assert [(d.id, len(d.sentences)) for d in back] == [(d.id, len(d.sentences)) for d in documents]


# ---- head and tail -----------------------------------------------------------------------------------------------------------


def named(entities: list[dict[str, Any]], ids: tuple[str | int | None, ...]) -> list[dict[str, Any]]:
    return [e | ({} if name is None else {"id": name}) for e, name in zip(entities, ids)]


@pytest.mark.parametrize("key", [{"tokens": LINE["tokens"]}, {"text": "Ada runs Zed."}])
@pytest.mark.parametrize(
    ("ids", "head", "tail", "expected"),
    [
        ((None, None), 1, 0, (1, 0)),  # positions
        (("a", "b"), "b", "a", (1, 0)),
        (("a", "b"), 1, 0, (1, 0)),  # positions, although there are ids
        (("a", None), "a", 1, (0, 1)),
        (("1", "0"), "1", "0", (0, 1)),  # ids that look like positions: strings are ids, numbers are positions
        (("1", "0"), 1, 0, (1, 0)),
        ((7, 9), 9, 7, (1, 0)),  # numbers as ids
        ((1, 0), 1, 0, (0, 1)),
        ((7, 9), "9", "7", (1, 0)),
    ],
)
def test_head_and_tail_are_ids_or_positions(key, ids, head, tail, expected):
    spans = named(ADA_ACME if "tokens" in key else TEXT["entities"], ids)
    sentence = only({"id": "s", **key, "entities": spans, "relations": [{"head": head, "tail": tail, "type": "r"}]})
    assert [(r.head, r.tail) for r in sentence.relations or ()] == [expected]
    assert [e.id for e in sentence.entities] == [None if name is None else str(name) for name in ids]


@pytest.mark.parametrize("key", [{"tokens": LINE["tokens"]}, {"text": "Ada runs Zed."}])
@pytest.mark.parametrize(
    ("ids", "head", "message"),
    [
        ((None, None), 2, r"head: expected a position below 2, the number of entities, got 2"),
        ((None, None), -1, r"head: expected a position below 2, the number of entities, got -1"),
        ((None, None), "a", r"head: expected the id of an entity \(known: none given\) or a position, got 'a'"),
        (("a", "b"), "c", r"\(known: a, b\) or a position, got 'c'"),
        ((7, 9), 0, r"\(known: 7, 9\) or a position, got 0"),
        ((None, None), 1, r"expected two different entities, got 1 and 1"),
        ((None, None), True, r"head: expected int or str, got True"),
        ((None, None), 0.0, r"head: expected int or str, got 0\.0"),
        ((None, None), None, r"head: expected int or str, got None"),
    ],
)
def test_unknown_heads_are_refused(key, ids, head, message):
    spans = named(ADA_ACME if "tokens" in key else TEXT["entities"], ids)
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: relation 0: .*{message}"):
        read({"id": "s", **key, "entities": spans, "relations": [{"head": head, "tail": 1, "type": "r"}]})


# ---- annotated or not --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [LINE, TEXT])
def test_missing_relations_mean_not_annotated_and_empty_ones_mean_none(base: dict[str, Any]):
    assert only(base).relations is None
    assert only(base | {"relations": None}).relations is None
    assert only(base | {"relations": []}).relations == ()
    assert only(base | {"relations": [RELATED]}).relations == (Relation(0, 1, "runs"),)


def test_all_that_a_line_says_is_kept():
    entity = {"id": "a", "start": 0, "end": 1, "type": "PER", "subtype": "Individual", "chars": [0, 3]}
    sentence = only(
        LINE | {"doc_id": "d", "entities": [entity, ADA_ACME[1]], "relations": [RELATED | {"score": 0.25}]}
        | {"text": "Ada runs Acme", "offsets": [[0, 3], [4, 8], [9, 13]], "text_start": 4}
    )  # fmt: skip
    assert sentence == Sentence(
        "s1", ("Ada", "runs", "Acme"),
        (Entity(0, 1, "PER", "Individual", "a", (4, 7)), Entity(2, 3, "ORG")),
        (Relation(0, 1, "runs", 0.25),), "d", ((4, 7), (8, 12), (13, 17)),
        original="Ada runs Acme",
    )  # fmt: skip


@pytest.mark.parametrize("source", [{"tokens": ["Ada", "runs", "Acme"]}, {"text": "Ada runs Acme"}], ids=["tokens", "text"])
def test_a_relation_given_twice_is_read_once_and_counted(source: dict[str, Any]):
    ends = [(0, 1), (2, 3)] if "tokens" in source else [(0, 3), (9, 13)]
    entities = [{"start": start, "end": end, "type": "X"} for start, end in ends]
    runs, back, owns = ({"head": h, "tail": t, "type": kind} for h, t, kind in [(0, 1, "runs"), (1, 0, "runs"), (0, 1, "owns")])
    record = {"id": "s", **source, "entities": entities, "relations": [runs, back, runs, owns, runs]}
    report = ReadReport()
    [document] = read_records(iter([(1, record)]), "here", report)
    assert document.sentences[0].relations == (Relation(0, 1, "runs"), Relation(1, 0, "runs"), Relation(0, 1, "owns"))
    assert report.dropped == {"duplicate relations": 2}


@pytest.mark.parametrize("key", ["entities", "tagged"])
def test_scores_of_entities_are_kept_also_of_a_text_without_tokens(key: str):
    scored = [ADA_ACME[0] | {"score": 2}, ADA_ACME[1] | {"score": -0.5, "id": "a"}]
    expected = (Entity(0, 1, "PER", score=2.0), Entity(2, 3, "ORG", id="a", score=-0.5))
    assert getattr(only(LINE | {key: scored}), key) == expected
    in_characters = [entity | {"score": score} for entity, score in zip(TEXT["entities"], (2, -0.5))]
    assert [entity.score for entity in getattr(only(TEXT | {key: in_characters}), key)] == [2.0, -0.5]


def test_scores_of_a_text_without_tokens_are_counted():
    _, report = read(TEXT | {"relations": [RELATED | {"score": 0.5}]})
    assert dict(report.dropped) == {"scores of relations of a text without tokens": 1}


# ---- text alone --------------------------------------------------------------------------------------------------------------


def test_text_alone_is_split_and_its_entities_aligned():
    # "Bo left. Ida runs Zed-9." : Ida [9,12), Zed [18,21) inside a word with a hyphen
    record = {
        "id": "t", "text": "Bo left. Ida runs Zed-9.",
        "entities": [{"start": 18, "end": 21, "type": "ORG", "id": "z"}, {"start": 9, "end": 12, "type": "PER", "subtype": "I"}],
        "relations": [{"head": 1, "tail": "z", "type": "runs"}],
    }  # fmt: skip
    (document,), report = read(record)
    assert not report.dropped
    first, second = document.sentences
    assert (first.id, first.tokens, first.entities, first.relations) == ("t-0", ("Bo", "left", "."), (), ())
    assert (second.id, second.tokens) == ("t-1", ("Ida", "runs", "Zed", "-", "9", "."))
    assert second.entities == (Entity(2, 3, "ORG", None, "z", (18, 21)), Entity(0, 1, "PER", "I", None, (9, 12)))
    assert second.relations == (Relation(1, 0, "runs"),)
    assert second.offsets == ((9, 12), (13, 17), (18, 21), (21, 22), (22, 23), (23, 24))


def test_chinese_text_counts_characters_and_not_bytes():
    # 张伟 [0,2) 创办 云图公司 [4,8) 。
    record = {
        "id": "z", "text": "张伟创办云图公司。", "relations": [RELATED],
        "entities": [{"start": 0, "end": 2, "type": "PER"}, {"start": 4, "end": 8, "type": "ORG"}],
    }  # fmt: skip
    sentence = only(record)
    assert (sentence.id, len(sentence.tokens)) == ("z", 9)
    assert [sentence.text_of(entity) for entity in sentence.entities] == ["张伟", "云图公司"]
    assert [(e.start, e.end) for e in sentence.entities] == [(0, 2), (4, 8)]


def test_characters_beyond_the_basic_plane_count_one():
    sentence = only({"id": "e", "text": "😀😀 Ada", "entities": [{"start": 3, "end": 6, "type": "PER"}]})
    assert sentence.text_of(sentence.entities[0]) == "Ada"


def test_relations_across_sentences_are_counted():
    record = TEXT | {"text": "Ada left. Zed stays.", "entities": [*TEXT["entities"][:1], {"start": 10, "end": 13, "type": "ORG"}]}
    (document,), report = read(record | {"relations": [RELATED]})
    assert [s.relations for s in document.sentences] == [(), ()]
    assert dict(report.dropped) == {"relations across sentences": 1}
    assert document.across == (RelationAcross((0, 0), (1, 0), "runs"),)


@given(related_across())
def test_relations_across_sentences_read_back_and_count_as_lost(document: Document):
    (back,), report = read(*written(document).rstrip("\n").split("\n"))
    assert back.sentences == document.sentences
    assert Counter(back.across) == Counter(document.across)  # in the order of their heads' lines
    assert report.lost_relations == Counter(relation.type for relation in document.across)
    assert +report.dropped == +Counter({"relations across sentences": len(document.across)})


def across(**values: Any) -> dict[str, Any]:
    return LINE | {"doc_id": "d", "across": [{"head": 0, "tail": 1, "away": 1, "type": "t"} | values]}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (across(away=2), "f.jsonl:1: across 0: away: expected a line of the same document, 0 to 1, got 2"),
        (across(away=-1), "f.jsonl:1: across 0: away: expected a line of the same document, 0 to 1, got -1"),
        (across(away=0), "f.jsonl:1: across 0: away: expected another line"),
        (across(tail=2), "f.jsonl:1: across 0: tail: expected a position below 2"),
        (across(tail="e1"), "f.jsonl:1: across 0: tail: expected int"),
        (across(type=""), "f.jsonl:1: across 0: expected a type"),
        (TEXT | {"across": [{"head": 0, "tail": 1, "away": 1, "type": "t"}]}, 'f.jsonl:1: expected "tokens" beside "across"'),
    ],
)
def test_broken_relations_across_sentences_name_their_place(record: dict[str, Any], message: str):
    with pytest.raises(DataError, match=re.escape(message)):
        read(record, LINE | {"id": "s2", "doc_id": "d"})


def test_skipping_broken_lines_and_entities_leaves_other_relations_across_sentences_right():
    broken = {"start": 5, "end": 9, "type": "X"}
    last = LINE | {"id": "s3", "doc_id": "d", "entities": [broken, *ADA_ACME]}
    report = ReadReport(on_error="skip")
    ends = [(1, 1), (2, 0), (2, 1)]  # away and tail: on the broken line, the broken entity, the first entity beside it
    first = LINE | {"doc_id": "d", "across": [{"head": 1, "away": away, "tail": tail, "type": f"t{tail}{away}"} for away, tail in ends]}
    lines = enumerate(map(json.dumps, [first, {"id": "s2", "doc_id": "d", "tokens": 3}, last]), start=1)
    (document,) = read_lines(lines, "f.jsonl", report)
    assert document.across == (RelationAcross((0, 1), (1, 0), "t12"),)
    assert report.dropped == {
        "broken lines": 1, "broken entities": 1, "relations of a broken entity": 2, "relations across sentences": 1,
    }  # fmt: skip
    assert report.lost_relations == {"t11": 1, "t02": 1, "t12": 1}


# ---- documents ---------------------------------------------------------------------------------------------------------------


def test_lines_of_one_document_are_joined_with_blanks_in_the_gaps():
    line = {"doc_id": "d", "entities": []}
    (document,), report = read(
        line | {"id": "1", "tokens": ["Ada"], "text": "Ada", "offsets": [[0, 3]], "text_start": 2},
        line | {"id": "2", "text": "Bo left.", "text_start": 7},
    )
    assert not report.dropped
    assert (document.id, document.text) == ("d", "  Ada  Bo left.")
    assert [s.offsets for s in document.sentences] == [((2, 5),), ((7, 9), (10, 14), (14, 15))]


@pytest.mark.parametrize("other", [{"text": "Bo left."}, {"tokens": ["Bo"]}])  # begins at 0 too; has no text
def test_texts_that_do_not_fit_together_lose_their_offsets_and_are_counted(other: dict[str, Any]):
    (document,), report = read(TEXT | {"doc_id": "d"}, {"id": "u", "doc_id": "d"} | other)
    assert document.text is None
    assert [(s.id, s.offsets) for s in document.sentences] == [("t", None), ("u", None)]
    assert [e.chars for e in document.sentences[0].entities] == [None, None]
    assert dict(report.dropped) == {"documents whose texts do not fit together (kept, without character offsets)": 1}


def test_sentences_of_several_texts_of_one_document_have_different_ids():
    (document,), _ = read({"id": "a", "doc_id": "d", "text": "One. Two."}, {"id": "b", "doc_id": "d", "text": "One. Two."})
    assert [s.id for s in document.sentences] == ["a-0", "a-1", "b-0", "b-1"]


def test_lines_without_document_stand_alone_and_only_neighbours_are_joined():
    keys = ["d", None, None, "d", "d", 0, 0]
    back, _ = read(*(LINE | {"id": n, "doc_id": key} for n, key in enumerate(keys)))
    assert [(d.id, [s.id for s in d.sentences]) for d in back] == [
        ("d", ["0"]), ("1", ["1"]), ("2", ["2"]), ("d", ["3", "4"]), ("0", ["5", "6"]),
    ]  # fmt: skip


def test_a_long_document_is_read_in_a_time_that_grows_with_its_length():
    # Were every line's text padded to its place before it is joined, these lines would take 8 GB.
    step, number = 200, 9000
    line = {"doc_id": "d", "text": "Ada", "tokens": ["Ada"], "offsets": [[0, 3]]}
    (document,), report = read(*(line | {"id": n, "text_start": n * step} for n in range(number)))
    assert not report.dropped
    assert document.text is not None
    assert len(document.text) == (number - 1) * step + 3


# ---- files -------------------------------------------------------------------------------------------------------------------


def test_documents_come_before_the_end_of_the_file_is_read(tmp_path: Path):
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(LINE) + "\n" + json.dumps(LINE) + "\nbroken\n", encoding="utf-8")
    stream = READER.read(file, ReadReport())
    assert next(stream).sentences[0].id == "s1"
    with pytest.raises(DataError, match=r"a\.jsonl:3: expected one JSON object a line"):
        list(stream)


def test_blank_lines_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xef\xbb\xbf\r\n" + json.dumps(LINE).encode() + b"\r\n\r\n")
    assert READER.recognises(file)
    assert [d.id for d in READER.read(file, ReadReport())] == ["s1"]


def test_a_line_separator_inside_a_token_is_no_line_end(tmp_path: Path):
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(LINE | {"tokens": ["a\u2028b", "\x85", "c\nd"]}, ensure_ascii=False), encoding="utf-8")
    ((sentence,),) = (d.sentences for d in READER.read(file, ReadReport()))
    assert sentence.tokens == ("a\u2028b", "\x85", "c\nd")


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_a_file_without_lines_is_refused(tmp_path: Path, content: str):
    file = tmp_path / "a.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl: expected text, annotated or not, got none: no line of JSON"):
        list(READER.read(file, ReadReport()))


def test_other_encodings_are_refused_with_the_byte_and_a_way_out(tmp_path: Path):
    file = tmp_path / "a.jsonl"
    # The second line is GB18030: 张 is d5 c5, and "text": " takes the first ten columns.
    file.write_bytes(json.dumps(LINE).encode() + b"\n" + '{"text": "张"}'.encode("gb18030"))
    with pytest.raises(DataError, match=r"a\.jsonl:2: expected UTF-8 text, got byte 0xd5 at column 10; it looks like GB18030"):
        list(READER.read(file, ReadReport()))


@pytest.mark.parametrize(
    ("name", "content", "ours"),
    [
        ("a.jsonl", json.dumps(LINE), True),
        ("A.JSONL", json.dumps(LINE), True),
        ("a.jsonl", json.dumps(LINE | {"tokens": ["These", "sentences", ":"]}), True),  # a word, not another format's key
        ("a.jsonl", json.dumps({"id": 1, "text": 'the "sentences": [] key'}), True),
        ("a.jsonl", '{"id": "d", "sentences": [["text"]], "text": ""}', False),
        ("a.jsonl", '["id", "tokens"]', False),
        ("a.jsonl", '{"text": "Ada leads Acme."}\n{"text": "Bo left."}', True),  # for a model that finds entities
        ("a.jsonl", '{"tokens": ["Ada", "left"]}', True),
        ("a.jsonl", '{"text": "Ada leads Acme.", "label": [[0, 3, "PER"]]}', False),  # another tool's
        ("a.jsonl", '{"doc_id": "d"}', False),
        ("a.json", json.dumps(LINE), False),
        ("a.jsonl", "", False),
    ],
)
def test_recognises_its_own_keys_and_no_other_format(tmp_path: Path, name: str, content: str, ours: bool):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert READER.recognises(file) is ours


# ---- bad lines ---------------------------------------------------------------------------------------------------------------


def entity(**values: Any) -> dict[str, Any]:
    return LINE | {"entities": [ADA_ACME[0] | values]}


def relation(**values: Any) -> dict[str, Any]:
    return LINE | {"relations": [RELATED | values]}


def without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}


OFFSETS = LINE | {"text": "Ada runs Acme", "offsets": [[0, 3], [4, 8], [9, 13]]}
BAD: list[tuple[dict[str, Any] | str, str]] = [
    ('{"id": ', "expected one JSON object a line, got Expecting value at column 8"),
    ("{'id': 1}", "expected one JSON object a line, got Expecting property name"),
    ('{"id": 1} {}', "expected one JSON object a line, got Extra data at column 11"),
    ("[" * 100_000, "expected one JSON object a line, got maximum recursion depth"),
    ('{"id": ' + "1" * 5000 + "}", r"expected one JSON object a line, got Exceeds the limit \(4300 digits\)"),
    (json.dumps(LINE | {"tokens": ["\ud83d"]}), r"expected whole characters, got half of one, the lone surrogate '\\ud83d'"),
    ("[]", "expected a JSON object, got list"),
    ("3", "expected a JSON object, got int"),
    (LINE | {"id": 1.5}, r"id: expected str or int, got 1\.5"),
    (LINE | {"doc_id": ["d"]}, r"doc_id: expected str or int, got \['d'\]"),
    (without(LINE, "tokens"), 'expected the key "text" or "tokens", got keys entities, id'),
    (LINE | {"tokens": []}, "entity 0: expected 0 <= start < end <= 0 tokens, got start 0, end 1"),
    (LINE | {"tokens": None}, "tokens: expected a list, got None"),
    (LINE | {"tokens": "Ada runs Acme"}, "tokens: expected a list, got 'Ada runs Acme'"),
    (LINE | {"tokens": ["Ada", "", "Acme"]}, "token 1: expected a non-empty string, got ''"),
    (LINE | {"tokens": ["Ada", 1, "Acme"]}, "token 1: expected a non-empty string, got 1"),
    (LINE | {"entities": {}}, "entities: expected a list, got {}"),
    (LINE | {"entities": [[0, 1, "PER"]]}, r"entity 0: expected an object with start, end and type, got \[0, 1, 'PER'\]"),
    (entity(start=3, end=4), r"entity 0: expected 0 <= start < end <= 3 tokens, got start 3, end 4"),
    (entity(start=1), "entity 0: expected 0 <= start < end <= 3 tokens, got start 1, end 1"),
    (entity(start=-1), "entity 0: .*got start -1, end 1"),
    (entity(start="0"), "entity 0: start: expected int, got '0'"),
    (entity(end=1.0), r"entity 0: end: expected int, got 1\.0"),
    (entity(end=True), "entity 0: end: expected int, got True"),
    (entity(type=None), "entity 0: type: expected str, got None"),
    (entity(type=""), "entity 0: expected a type, got an empty string"),
    (entity(subtype=3), "entity 0: subtype: expected str, got 3"),
    (entity(id={}), "entity 0: id: expected str or int, got {}"),
    (entity(chars=[3]), r"entity 0: chars: expected \[start, end\] with 0 <= start < end, got \[3\]"),
    (entity(chars=[3, 3]), r"entity 0: chars: expected .*, got \[3, 3\]"),
    (entity(score="high"), "entity 0: score: expected int or float, got 'high'"),
    (entity(score=True), "entity 0: score: expected int or float, got True"),
    (entity(score=float("nan")), "entity 0: score: expected a finite number, got nan"),
    (entity(score=float("-inf"), chars=[0, 3]), "entity 0: score: expected a finite number, got -inf"),
    (LINE | {"entities": [without(ADA_ACME[0], "end")]}, "entity 0: expected the key 'end', got keys start, type"),
    (LINE | {"entities": [e | {"id": "a"} for e in ADA_ACME]}, "expected each entity id once, got 'a' twice"),
    (LINE | {"entities": [e | {"id": n} for e, n in zip(ADA_ACME, (1, "1"))]}, "expected each entity id once, got '1' twice"),
    (LINE | {"relations": {}}, "relations: expected a list, got {}"),
    (LINE | {"relations": [[0, 1]]}, r"relation 0: expected a JSON object, got \[0, 1\]"),
    (relation(type=7), "relation 0: type: expected str, got 7"),
    (relation(type=""), "relation 0: expected a type, got an empty string"),
    (relation(score="high"), "relation 0: score: expected int or float, got 'high'"),
    (relation(score=float("nan")), "relation 0: score: expected a finite number, got nan"),
    (LINE | {"relations": [without(RELATED, "tail")]}, "relation 0: expected the key 'tail', got keys head, type"),
    (LINE | {"text": "Ada runs Acme"}, 'expected "text" and "offsets" together beside "tokens", got only \'text\''),
    (without(OFFSETS, "text"), "together beside \"tokens\", got only 'offsets'"),
    (OFFSETS | {"offsets": [[0, 3]]}, r"expected one offset per token \(3\), got 1"),
    (OFFSETS | {"offsets": "0-3"}, "offsets: expected a list, got '0-3'"),
    (OFFSETS | {"offsets": [[0, 3], 4, [9, 13]]}, r"offset 1: expected \[start, end\] with 0 <= start < end <= 13, got 4"),
    (OFFSETS | {"offsets": [[0, 3], [4, 8], [9, 14]]}, r"offset 2: .*<= 13, got \[9, 14\]"),
    (OFFSETS | {"text": 5}, "text: expected str, got 5"),
    (OFFSETS | {"text_start": "4"}, "text_start: expected int, got '4'"),
    (OFFSETS | {"text_start": -1}, "text_start: expected 0 to 100000000000 characters, got -1"),
    (OFFSETS | {"text_start": 10**12}, "text_start: expected 0 to 100000000000 characters, got 1000000000000"),
    (LINE | {"text_start": 4}, 'expected "text" beside "text_start", got keys entities, id, text_start, tokens'),
    (TEXT | {"text": " \n"}, "entity 0: expected 0 <= start < end <= 2 characters, got start 0, end 3"),
    (TEXT | {"text": None}, "text: expected str, got None"),
    (TEXT | {"offsets": []}, 'expected "tokens" beside offsets, got only "text"'),
    (TEXT | {"text": "Ada"}, r"entity 1: expected 0 <= start < end <= 3 characters, got start 9, end 12"),
    (TEXT | {"entities": [{"start": 3, "end": 4, "type": "PER"}]}, r"entity 0: expected some text in characters 3 to 4, got only blanks"),
    (TEXT | {"entities": [{"start": 0, "end": 3, "type": ""}]}, "entity 0: expected a type, got an empty string"),
]


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message[:60] for _, message in BAD])
def test_bad_lines_are_refused_with_file_line_and_what_was_expected(line: dict[str, Any] | str, message: str):
    with pytest.raises(DataError, match=rf"(?s)^f\.jsonl:2: .*{message}"):
        read(LINE, line)


def test_unknown_keys_are_counted():
    entities, relations = [ADA_ACME[0] | {"colour": "red"}, ADA_ACME[1]], [RELATED | {"weight": 2}]
    _, report = read(LINE | {"extra": 1, "entities": entities, "relations": relations}, LINE | {"id": "s2", "extra": 2})
    assert dict(report.dropped) == {
        "values under the unknown key 'extra'": 2,
        "values under the unknown key 'colour'": 1,
        "values under the unknown key 'weight'": 1,
    }
    assert report.examples["values under the unknown key 'colour'"] == ["f.jsonl:1: entity 0"]


@pytest.mark.parametrize("line", [
    '{"id": "a", "tokens": ["x"], "%s": 1}', '{"id": "a", "tokens": ["x"], "entities": [{"start": 0, "end": 1, "type": "T", "%s": 1}]}',
])  # fmt: skip
def test_an_unknown_key_of_any_length_is_told_in_a_short_line(line: str, tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(line % ("k" * 100_000) + "\n")
    report = ReadReport()
    assert len(list(READER.read(tmp_path / "a.jsonl", report))) == 1
    (told,) = report.lines()
    assert told.startswith("1 value under the unknown key 'kkk") and len(told) < 300


# ---- dependency trees

TREE: dict[str, Any] = {"heads": [1, -1, 1], "dependencies": ["subject", "root", "object"], "pos": ["N", "V", "N"]}


def test_trees_are_read_and_written_back():
    sentence = only(LINE | TREE)
    assert sentence.syntax == Syntax((1, -1, 1), ("subject", "root", "object"), ("N", "V", "N"))
    stream = io.StringIO()
    write([Document("s1", (sentence,))], stream)
    assert only(json.loads(stream.getvalue())) == sentence


def test_a_line_without_trees_has_none():
    assert only(LINE).syntax is None
    assert only(LINE | dict.fromkeys(TREE)).syntax is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pos": None}, "expected heads, dependencies, pos together, got only heads and dependencies"),
        ({"heads": [1, -1, "1"]}, "heads 2: expected int, got '1'"),
        ({"heads": [1, True, 1]}, "heads 1: expected int, got True"),
        ({"pos": ["N", None, "N"]}, "pos 1: expected str, got None"),
        ({"heads": [1, -1]}, "expected one of dependencies for each of 2 heads, got 3"),
        ({"heads": [1, 2, 1]}, "token 1: expected trees, got a cycle"),
        ({"heads": [1, -1, 3]}, r"token 2: expected another token 0\.\.2 as head, or -1 for a root, got 3"),
        ({"heads": "1"}, "heads: expected a list"),
        ({"tokens": ["Ada", "runs", "Acme", "."]}, r"expected one head per token \(4\), got 3"),
    ],
)
def test_broken_trees_are_refused_with_file_and_line(change, message):
    with pytest.raises(DataError, match=f"f.jsonl:1: .*{message}"):
        read(LINE | TREE | change)


def test_trees_of_a_text_without_tokens_are_refused():
    with pytest.raises(DataError, match=r'f\.jsonl:1: expected "tokens" beside heads, dependencies, pos, got only "text"'):
        read(TEXT | TREE)


# ---- entities as tags


def test_tagged_entities_are_read_as_entities_are():
    tagged = [{"start": 1, "end": 3, "type": "ORG"}, {"start": 0, "end": 1, "type": "PER", "subtype": "x", "id": "t"}]
    sentence = only(LINE | {"tagged": tagged})
    assert sentence.tagged == (Entity(1, 3, "ORG"), Entity(0, 1, "PER", "x", "t"))
    assert sentence.entities == only(LINE).entities
    assert (only(LINE).tagged, only(LINE | {"tagged": None}).tagged, only(LINE | {"tagged": []}).tagged) == (None, None, ())


def test_tagged_entities_of_a_text_find_their_sentences_and_change_no_relation():
    # Bo [0,2) left.  Ida [9,12) runs Zed [18,21): the tagger takes "runs Zed" for a firm and half of "left" for a person.
    record = {
        "id": "t", "doc_id": "d", "text": "Bo left. Ida runs Zed.", "text_start": 100,
        "entities": [{"start": 18, "end": 21, "type": "ORG"}, {"id": "ida", "start": 9, "end": 12, "type": "PER"}],
        "tagged": [{"start": 13, "end": 21, "type": "ORG"}, {"start": 3, "end": 5, "type": "PER"}],
        "relations": [{"head": "ida", "tail": 0, "type": "runs"}],
    }  # fmt: skip
    (document,), report = read(record)
    assert not report.dropped
    first, second = document.sentences
    assert (first.tokens, first.entities) == (("Bo", "le", "ft", "."), ())  # cut at their edges, like entities
    assert first.tagged == (Entity(1, 2, "PER", chars=(103, 105)),)
    assert second.tokens == ("Ida", "runs", "Zed", ".")
    assert second.entities == (Entity(2, 3, "ORG", chars=(118, 121)), Entity(0, 1, "PER", None, "ida", (109, 112)))
    assert second.tagged == (Entity(1, 3, "ORG", chars=(113, 121)),)
    assert second.relations == (Relation(1, 0, "runs"),)


def test_every_sentence_of_a_text_with_tagged_entities_has_a_list_of_them():
    (document,), _ = read({"id": "t", "text": "Bo left. Ida runs Zed.", "entities": [], "tagged": []})
    assert [sentence.tagged for sentence in document.sentences] == [(), ()]


@pytest.mark.parametrize(
    ("tagged", "message"),
    [
        ("x", r"tagged: expected a list, got 'x'"),
        ([1], r"tagged entity 0: expected an object with start, end and type, got 1"),
        ([{"start": 0, "end": 1}], r"tagged entity 0: expected the key 'type'"),
        ([{"start": 0, "end": 9, "type": "PER"}], r"tagged entity 0: expected 0 <= start < end <= 3 tokens, got start 0, end 9"),
    ],
)
def test_broken_tagged_entities_are_refused(tagged: Any, message: str):
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: .*{message}"):
        read(LINE | {"tagged": tagged})


def test_texts_that_do_not_fit_together_lose_the_offsets_of_tagged_entities_too():
    one = {"id": "1", "doc_id": "d", "text": "Bo left.", "entities": [], "tagged": [{"start": 0, "end": 2, "type": "PER"}]}
    (document,), report = read(one, one | {"id": "2"})
    assert report.dropped
    assert [sentence.tagged for sentence in document.sentences] == [(Entity(0, 1, "PER"),)] * 2


def test_a_folder_or_dangling_link_called_like_a_file_does_not_hide_the_files(tmp_path: Path):
    (tmp_path / "a.jsonl").mkdir()
    (tmp_path / "b.jsonl").symlink_to("b.jsonl")
    (tmp_path / "c.jsonl").write_text('{"id": "s", "tokens": ["Ada"], "entities": []}\n', encoding="utf-8")
    assert READER.recognises(tmp_path)
    assert [document.id for document in READER.read(tmp_path, ReadReport())] == ["s"]
