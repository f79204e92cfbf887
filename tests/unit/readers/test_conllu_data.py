"""CoNLL-U as data: character offsets, entities in brackets and tags, bridging, trees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from offset_documents import Marked, expected, found, marked_documents
from reading import mentions, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.conllu_data import READER

GLOBAL = "# global.Entity = eid-etype-head-other\n"


def row(key: object, form: str, misc: str = "_", head: object = "_") -> str:
    return f"{key}\t{form}\t_\t_\t_\t_\t{head}\t_\t_\t{misc}\n"


def written(marked: Marked) -> str:
    """Every word is a token; the mentions of a line in brackets, closed by their names."""
    lines = [GLOBAL]
    for number, words in enumerate(marked.lines):
        lines.append(f"# text = {' '.join(words)}\n")
        for place, word in enumerate(words):
            there = [(f"e{n}", m) for n, m in enumerate(marked.mentions) if m.line == number]
            begun = "".join(f"({key}-{m.type}-1{')' if m.after == place + 1 else ''}" for key, m in there if m.first == place)
            ended = "".join(f"{key})" for key, m in there if m.after == place + 1 > m.first + 1)
            lines.append(row(place + 1, word, f"Entity={ended}{begun}" if begun or ended else "_"))
        lines.append("\n")
    return "".join(lines)


@settings(max_examples=40)
@given(marked=marked_documents())
def test_what_is_written_is_read(marked: Marked, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / "random.conllu"
    file.write_text(written(marked), encoding="utf-8")
    report = ReadReport()
    documents = list(READER.read(file, report))
    assert found(documents)[0] == expected(marked)[0]
    assert not report.dropped
    assert documents[0].text == marked.text
    assert all(sentence.relations is None and sentence.syntax is None for sentence in documents[0].sentences)


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        (["B-PER", "I-PER", "O"], [("Ada Berg", "PER")]),
        (["B-PER", "E-PER", "S-PER"], [("Ada Berg", "PER"), ("met", "PER")]),
        (["B-PER", "L-PER", "U-ORG"], [("Ada Berg", "PER"), ("met", "ORG")]),
        (["B-PER", "B-PER", "I-PER"], [("Ada", "PER"), ("Berg met", "PER")]),
        (["B-PER", "I-ORG", "O"], [("Ada", "PER"), ("Berg", "ORG")]),
        (["I-PER", "I-PER", "I-PER"], [("Ada Berg met", "PER")]),
    ],
)
def test_tags_of_the_usual_schemes(tmp_path: Path, tags: list[str], entities: list[tuple[str, str]]):
    words = ("Ada", "Berg", "met")
    content = "".join(row(n, word, f"ner={tag}") for n, (word, tag) in enumerate(zip(words, tags), start=1))
    (document,), report = read_content(READER, tmp_path / "a.conllu", content)
    assert mentions(document.sentences[0]) == entities
    begins_inside = tags[0] == "I-PER" or tags[1] == "I-ORG"
    assert report.dropped == ({"entities that begin with an inner tag (kept)": 1} if begins_inside else {})


def test_the_parts_of_a_bracket_are_those_that_the_file_declares(tmp_path: Path):
    header = "# global.Entity = GRP-etype-infstat-identity\n"
    content = header + row(1, "Ada", "Entity=(12-person-new-Ada%2C_poet") + row(2, "Berg", "Entity=(3-name)12)")
    (document,), _ = read_content(READER, tmp_path / "a.conllu", content)
    assert sorted(mentions(document.sentences[0])) == [("Ada Berg", "person"), ("Berg", "name")]
    content = GLOBAL + row(1, "Ada", "Entity=(c1--1)")
    _, report = read_content(READER, tmp_path / "a.conllu", content)
    assert report.dropped == {"entities without a type": 1}


def test_parts_of_a_discontinuous_mention_are_one_loss_and_empty_nodes_cover_nothing(tmp_path: Path):
    rows = [
        row(1, "renal", "Entity=(e1[1/2]-x-1)"), row(2, "or"), row("2.1", "_", "Entity=(e2-x-1)"), row(3, "pain", "Entity=(e1[2/2]-x-1)"),
    ]  # fmt: skip
    _, report = read_content(READER, tmp_path / "a.conllu", GLOBAL + "".join(rows))
    assert report.dropped == {"discontinuous entities": 1, "entities of empty nodes alone": 1}


def test_bridging_is_a_relation_from_the_earlier_mention_and_lost_where_there_is_none(tmp_path: Path):
    rows = [
        row(1, "mill", "Entity=(e1-place-1)"), row(2, "mill", "Entity=(e1-place-1)"),
        row(3, "wheel", "Bridge=e1<e2:part|Entity=(e2-thing-1)"),
        row(4, "door", "Bridge=e1<e3,e9<e3:part|Entity=(e3-thing-1)|SplitAnte=e1<e3"),
    ]  # fmt: skip
    (document,), report = read_content(READER, tmp_path / "a.conllu", GLOBAL + "".join(rows))
    assert [(r.head, r.tail, r.type) for r in document.sentences[0].relations or ()] == [(1, 2, "part"), (1, 3, "bridge")]
    assert triples(document.sentences[0])[0] == ("mill", "part", "wheel")
    assert report.dropped == {"bridging without an earlier mention in the sentence": 1, "split antecedents, which are not read": 1}
    assert report.lost_relations == {"part": 1}


def test_words_of_a_multi_word_token_have_offsets_where_they_spell_it(tmp_path: Path):
    rows = [row("1-2", "club's", "SpaceAfter=No"), row(1, "club"), row(2, "'s"), row(3, ".")]
    (document,), _ = read_content(READER, tmp_path / "a.conllu", "".join(rows))
    assert document.text == "club's."
    assert document.sentences[0].offsets == ((0, 4), (4, 6), (6, 7))
    rows = [row("1-2", "zum"), row(1, "zu"), row(2, "dem"), row(3, "See", "NER=B-LOC")]
    (document,), _ = read_content(READER, tmp_path / "a.conllu", "".join(rows))
    assert document.text == "zum See"
    assert document.sentences[0].offsets is None
    assert mentions(document.sentences[0]) == [("See", "LOC")]


def test_documents_sentence_ids_and_trees_are_kept(tmp_path: Path):
    first = "# newdoc id = d1\n# sent_id = s1\n" + row(1, "Ada", head=2) + row(2, "left", head=0)
    content = first + "\n# newdoc id = d2\n" + row(1, "Bo", head=0)
    documents, _ = read_content(READER, tmp_path / "a.conllu", content)
    assert [(d.id, [s.id for s in d.sentences]) for d in documents] == [("d1", ["s1"]), ("d2", ["d2-0"])]
    assert [s.syntax.heads for d in documents for s in d.sentences if s.syntax] == [(1, -1), (-1,)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (row(1, "Ada", "Entity=(e1-x-1"), r"a\.conllu:1: expected the bracket of 'e1' to be closed in its sentence"),
        (row(1, "Ada", "Entity=e1)"), r"a\.conllu:1: expected the end of an open bracket, got 'e1'"),
        (row(1, "Ada", "Entity=e1"), r"a\.conllu:1: expected brackets such as"),
        (row(1, "Ada", "NER=PER"), r"a\.conllu:1: expected a tag such as B-PER or O, got 'PER'"),
        (row(1, "Ada", "Bridge=e1"), r"a\.conllu:1: expected bridging such as e1<e2:part, got 'e1'"),
        ("# text = Bda\n" + row(1, "Ada"), r"a\.conllu:1: expected the words of '# text = Bda', got 'Ada'"),
        (row(2, "Ada"), r"a\.conllu:1: expected the form of word 1, got '2'"),
        (row(1, "Ada", head="x"), r"a\.conllu:1: expected a number as head, or '_', got 'x'"),
        (row(1, "Ada", head=1), r"a\.conllu:1: syntax, token 0: expected another token"),
        ("1\tAda\n", r"a\.conllu:1: expected 10 columns with tabs between, got 2"),
    ],
)
def test_broken_rows_are_named(tmp_path: Path, content: str, message: str):
    with pytest.raises(DataError, match=message):
        read_content(READER, tmp_path / "a.conllu", content)
