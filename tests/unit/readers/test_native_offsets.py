"""One rule for all character offsets of a native line, and the comparison of what a line says twice."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.native import read_lines
from relsift.readers.native_positions import LineText, mentions_without_question
from relsift.schema import Document, Entity, Sentence, sentences_of
from relsift.writers.native import write
from strategies import documents


def read(*records: dict[str, Any] | str, report: ReadReport | None = None, positions: str = "characters") -> list[Document]:
    """Records of a file named f.jsonl, one a line."""
    lines = enumerate((r if isinstance(r, str) else json.dumps(r) for r in records), start=1)
    return list(read_lines(lines, "f.jsonl", ReadReport() if report is None else report, positions=positions))


def written(some_documents: list[Document]) -> list[str]:
    stream = io.StringIO()
    write(some_documents, stream)
    return stream.getvalue().split("\n")[:-1]


# ---- one rule


def check_offsets(line: str, sentence: Sentence) -> None:
    """Every offset of the line points into the line's own text."""
    record = json.loads(line)
    assert [record["text"][a:b] for a, b in record["offsets"]] == record["tokens"]
    for entity, mention in zip(record["entities"], sentence.entities):
        if "chars" in entity:
            assert record["text"][slice(*entity["chars"])] == sentence.text_of(mention)


@given(documents())
def test_every_offset_of_a_written_line_points_into_its_text_and_writing_again_changes_nothing(document: Document):
    lines = written([document])
    if document.text is not None:
        for line, sentence in zip(lines, document.sentences, strict=True):
            check_offsets(line, sentence)
            start = json.loads(line)["text_start"]
            assert document.text[start:].startswith(json.loads(line)["text"])
    report = ReadReport()
    assert written(read(*lines, report=report)) == lines
    assert not report.dropped


WORDS = st.sampled_from(["Ada", "x", "😀", "é", "张", " ", "  ", "\n", ". ", "-", "B. "])


@given(data=st.data())
def test_a_text_alone_with_any_mentions_becomes_lines_that_can_be_fed_back(data: st.DataObject):
    # As `predict` writes them: mentions may have blanks at their edges, and the text begins anywhere in its document.
    text = "".join(data.draw(st.lists(WORDS, min_size=1, max_size=12)))
    edges = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).filter(lambda s: text[s[0] : s[1]].strip() != "")
    spans = data.draw(st.lists(edges, max_size=3)) if text.strip() else []
    start = data.draw(st.sampled_from([0, 1, 2, 1000]))
    record = {"id": "t", "text": text, "text_start": start, "entities": [{"start": a, "end": b, "type": "X"} for a, b in spans]}
    report = ReadReport()
    first = read(record, report=report)
    lines = written(first)
    for line, sentence in zip(lines, sentences_of(first)):
        check_offsets(line, sentence)
    again = ReadReport()
    back = read(*lines, report=again)
    assert written(back) == lines
    assert not again.dropped or not text.strip()
    assert list(sentences_of(back)) == list(sentences_of(first))
    kept = sorted(sentence.text_of(entity) for sentence in sentences_of(first) for entity in sentence.entities)
    assert len(kept) == len(spans) - report.dropped["entities that cross a sentence boundary"]
    if not report.dropped:
        assert kept == sorted(text[a:b].strip() for a, b in spans)


# "Bo. Ada runs Acme Ltd" : the second sentence begins at 4
LINE: dict[str, Any] = {
    "id": "s", "tokens": ["Ada", "runs", "Acme", "Ltd"], "text": "Ada runs Acme Ltd", "text_start": 4,
    "offsets": [[0, 3], [4, 8], [9, 13], [14, 17]],
}  # fmt: skip


def with_chars(*chars: list[int]) -> dict[str, Any]:
    spans = [(0, 1), (2, 4)]
    return LINE | {"entities": [{"start": a, "end": b, "type": "X", "chars": c} for (a, b), c in zip(spans, chars)]}


@pytest.mark.parametrize(
    ("chars", "expected"),
    [
        ([[0, 3], [9, 17]], [(4, 7), (13, 21)]),
        ([[0, 2], [10, 16]], [(4, 6), (14, 20)]),  # finer than the tokens
        ([[0, 4], [8, 17]], [(4, 7), (13, 21)]),  # blanks at the edges
    ],
)
def test_chars_count_in_the_text_of_the_line(chars: list[list[int]], expected: list[tuple[int, int]]):
    report = ReadReport()
    (document,) = read(with_chars(*chars), report=report)
    assert [entity.chars for entity in document.sentences[0].entities] == expected
    assert not report.dropped


def test_lines_of_version_0_2_whose_chars_count_in_the_document_are_read_so_and_counted():
    report = ReadReport()
    (document,) = read(with_chars([4, 7], [13, 21]), report=report)
    assert [entity.chars for entity in document.sentences[0].entities] == [(4, 7), (13, 21)]
    assert dict(report.dropped) == {"lines whose chars count in the document, as earlier versions of relsift wrote them (read so)": 1}


@pytest.mark.parametrize(
    ("chars", "message"),
    [
        ([[0, 3], [10, 18]], r"entity 1: chars: expected characters of its tokens, \[9, 17\], 'Acme Ltd', got \[10, 18\], 'cme Ltd'"),
        ([[0, 3], [9, 12]], r"entity 1: chars: .*got \[9, 12\], 'Acm'"),  # not in the last token
        ([[4, 7], [9, 17]], r"entity 0: chars: .*, \[0, 3\], 'Ada', got \[4, 7\], 'run'"),  # half old, half new
        ([[0, 99], [9, 17]], r"entity 0: chars: "),
        ([[1, 4], [9, 17]], r"entity 0: chars: .*got \[1, 4\], 'da '"),  # a blank at the edge, and not all of its tokens
        ([[0, 3], [10, 18]], r"counted with the first one as number 1; subtract 1 from both"),
    ],
)
def test_chars_of_other_words_are_refused(chars: list[list[int]], message: str):
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: .*{message}"):
        read(with_chars(*chars))


def test_chars_without_a_text_are_kept_as_they_are():
    record = {"id": "s", "tokens": ["Ada"], "entities": [{"start": 0, "end": 1, "type": "X", "chars": [70, 73]}]}
    documents = read(record)
    assert json.loads(written(documents)[0]) == record


# ---- offsets and tokens


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([[0, 3], [4, 8], [9, 12], [14, 17]], r"offset 2: expected the token 'Acme', got 'Acm' at 9 to 12 of the text; .* end counted in"),
        ([[1, 4], [5, 9], [10, 14], [15, 17]], r"offset 0: expected the token 'Ada', got 'da ' .* first one as number 1"),
        ([[4, 8], [0, 3], [9, 13], [14, 17]], r"offset 0: expected the token 'Ada', got 'runs'"),
    ],
)
def test_offsets_beside_tokens_that_show_other_words_are_refused(offsets: list[list[int]], message: str):
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: {message}"):
        read(LINE | {"offsets": offsets})


@pytest.mark.parametrize(
    ("token", "text"),
    [("-LRB-", "("), ("``", '"'), ("acme", "ACME"), ("e\u0301", "é"), ("a b", "a\nb")],
)
def test_tokens_that_are_written_otherwise_than_the_text_are_the_same_words(token: str, text: str):
    size = len(text)
    (document,) = read({"id": "s", "tokens": [token, "x"], "text": f"{text} x", "offsets": [[0, size], [size + 1, size + 2]]})
    assert (document.sentences[0].tokens[0], document.sentences[0].text) == (token, f"{text} x")


# ---- a mention's own words


def test_utf_16_code_units_are_named_and_can_be_read():
    # "😀 Ada runs Zed." : Ada [2,5), Zed [11,14) in characters; one more each in UTF-16 code units
    spans = [(3, 6, "Ada"), (12, 15, "Zed")]
    record = {"id": "s", "text": "😀 Ada runs Zed.", "entities": [{"start": a, "end": b, "type": "X", "text": t} for a, b, t in spans]}
    expected = (
        r"f\.jsonl:1: entity 0: expected 'Ada', its own \"text\", in characters 3 to 6 \(exclusive\), got 'da '; .* UTF-16 code units, "
        r"as JavaScript counts: read it with native\[positions=utf16\]:FILE"
    )
    with pytest.raises(DataError, match=expected):
        read(record)
    (document,) = read(record, positions="utf16")
    (sentence,) = document.sentences
    assert [(sentence.text_of(e), e.chars) for e in sentence.entities] == [("Ada", (2, 5)), ("Zed", (11, 14))]


def test_utf_16_code_units_of_tokens_and_chars():
    record: dict[str, Any] = {
        "id": "s", "tokens": ["😀", "Ada"], "text": "😀 Ada", "offsets": [[0, 2], [3, 6]],
        "entities": [{"start": 1, "end": 2, "type": "X", "chars": [3, 6]}],
    }  # fmt: skip
    with pytest.raises(DataError, match=r"offset 0: expected the token '😀', got '😀 ' at 0 to 2 of the text; .*positions=utf16"):
        read(record | {"text": "😀 Ada."})
    (document,) = read(record, positions="utf16")
    (sentence,) = document.sentences
    assert (sentence.offsets, sentence.entities[0].chars) == (((0, 1), (2, 5)), (2, 5))
    with pytest.raises(DataError, match=r"entity 0: chars: expected the edges of characters, in a text of 6 UTF-16 code units, got"):
        read(record | {"entities": [{"start": 1, "end": 2, "type": "X", "chars": [1, 6]}]}, positions="utf16")


TOKENS = ["Ada", "runs", "Zed", "Ltd", "in", "Lund", "and", "in", "Vell", "now"]


@pytest.mark.parametrize(
    ("start", "end", "text", "message"),
    [
        # "Ada runs Zed" has Zed at 9..12 in characters, and token 9 is "now"
        (0, 3, "Ada", r"expected 'Ada', its own \"text\", in tokens 0 to 3 \(exclusive\), got 'Ada runs Zed'; they fit as character"),
        (9, 12, "Zed", r"expected 0 <= start < end <= 10 tokens, got start 9, end 12; they fit as character offsets"),
        (2, 3, "Zed Ltd", r"got 'Zed'; they fit if the end is counted in; add 1 to each end"),
        (3, 5, "Zed Ltd", r"got 'Ltd in'; they fit if the first token is number 1; subtract 1 from both"),
        (3, 4, "Zed Ltd", r"got 'Ltd'; they fit if the first token is number 1 and the end is counted in"),
        (2, 4, "Lund", r"got 'Zed Ltd'$"),
    ],
)
def test_a_mention_whose_tokens_are_not_its_words_is_refused_with_the_habit_that_fits(start: int, end: int, text: str, message: str):
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: entity 0: .*{message}"):
        read({"id": "s", "tokens": TOKENS, "entities": [{"start": start, "end": end, "type": "X", "text": text}]})


@pytest.mark.parametrize(
    ("start", "end", "habit"),
    [
        (4, 7, "from the beginning of the document; subtract text_start"),  # é Ada, text_start 2
        (3, 6, "in bytes of UTF-8|first one as number 1"),
        (2, 4, "with the end counted in"),
    ],
)
def test_a_mention_whose_characters_are_not_its_words_is_refused_with_the_habit_that_fits(start: int, end: int, habit: str):
    record = {"id": "s", "text": "é Ada left", "text_start": 2, "entities": [{"start": start, "end": end, "type": "X", "text": "Ada"}]}
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: entity 0: expected 'Ada', .*; the offsets fit if they are counted {habit}"):
        read(record)


def test_own_words_that_agree_are_read_whatever_their_blanks():
    report = ReadReport()
    text = "Ada runs\nZed Ltd ."
    mentions = [(0, 4, "Ada"), (9, 17, "Zed  Ltd")]
    one = {"id": "s", "text": text, "entities": [{"start": a, "end": b, "type": "X", "text": t} for a, b, t in mentions]}
    two = {"id": "t", "tokens": ["(", "张", "伟", ")"], "entities": [{"start": 1, "end": 3, "type": "X", "text": "张伟"}]}
    first, second = read(one, two, report=report)
    texts = [sentence.text_of(entity) for sentence in (*first.sentences, *second.sentences) for entity in sentence.entities]
    assert texts == ["Ada", "Zed Ltd", "张伟"]
    assert not report.dropped


def test_a_mention_finer_than_its_tokens_may_give_its_own_words():
    record = with_chars([0, 2], [9, 17])
    record["entities"][0]["text"] = "Ad"
    (document,) = read(record)
    assert document.sentences[0].text_of(document.sentences[0].entities[0]) == "Ad"


def test_ids_and_subtypes_do_not_need_a_closer_look():
    """relsift writes them itself, so such lines have to be as fast as those without."""
    line = LineText(("Ada", "left"), "Ada left", ((0, 3), (4, 8)), 5, 2)
    record = {"id": "T1", "start": 0, "end": 1, "type": "PER", "subtype": "PER-Name", "chars": [0, 3]}
    assert mentions_without_question([record], line) == [Entity(0, 1, "PER", "PER-Name", "T1", (5, 8))]
    for name in ("id", "subtype"):
        assert mentions_without_question([{**record, name: None}], line) is not None
        assert mentions_without_question([{**record, name: 7}], line) is None
