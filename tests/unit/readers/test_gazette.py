"""The inline markup of the shipped corpus: what is kept, and how each slip is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.gazette import ALLOWED, ENTITY_TYPES, READER
from relsift.schema import sentences_of

HEAD = "# g-1\n# Headline\n\n"


def test_mentions_and_relations_of_a_sentence(tmp_path: Path):
    content = HEAD + "[Ada Kern|PER:1], [pilot|PER:2] of [the ferry|VEH:3], is in [Orlby|GPE:4].\n= ART(2,3) PHYS(1,4)\n"
    sentence = only_sentence(READER, tmp_path / "g.txt", content)
    assert mentions(sentence) == [("Ada Kern", "PER"), ("pilot", "PER"), ("the ferry", "VEH"), ("Orlby", "GPE")]
    assert triples(sentence) == [("pilot", "ART", "the ferry"), ("Ada Kern", "PHYS", "Orlby")]
    assert sentence.id == "g-1-0"
    assert sentence.doc_id == "g-1"


def test_the_text_is_the_sentences_without_marks_one_a_line(tmp_path: Path):
    content = HEAD + "[Ada|PER:1]'s [boat|VEH:2] sank.\n= ART(1,2)\n\nIt rained.\n= none\n"
    (document,), report = read_content(READER, tmp_path / "g.txt", content)
    assert document.text == "Ada's boat sank.\nIt rained."
    assert not report.dropped
    for sentence in document.sentences:
        assert sentence.offsets is not None
        assert sentence.tokens == tuple(document.text[a:b] for a, b in sentence.offsets)
    assert [document.text[slice(*e.chars)] for e in document.sentences[0].entities if e.chars] == ["Ada", "boat"]


def test_none_means_annotated_without_relation(tmp_path: Path):
    assert only_sentence(READER, tmp_path / "g.txt", HEAD + "It rained.\n= none\n").relations == ()


def test_tokens_are_cut_where_a_mention_ends_inside_a_word(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "g.txt", HEAD + "[Orl|GPE:1]bound [men|PER:2] left.\n= none\n")
    assert sentence.tokens == ("Orl", "bound", "men", "left", ".")


def test_chinese_characters_are_tokens(tmp_path: Path):
    content = HEAD + "[梧城|GPE:1]的[船长|PER:2]上了[船|VEH:3]。\n= ORG-AFF(2,1) PHYS(2,3)\n"
    sentence = only_sentence(READER, tmp_path / "g.txt", content)
    assert sentence.tokens == tuple("梧城的船长上了船。")
    assert triples(sentence) == [("船长", "ORG-AFF", "梧城"), ("船长", "PHYS", "船")]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", 1, "expected the line '# id', got ''"),
        ("# g\nIt rained.\n= none\n", 2, "expected the line '# headline'"),
        ("# g\n# h\n", 3, "expected at least one sentence"),
        (HEAD + "[Ada|PRE:1] left.\n= none\n", 4, "expected an entity type of PER, ORG, GPE, LOC, FAC, VEH, got '[Ada|PRE:1]'"),
        (HEAD + "[Ada|PER:2] left.\n= none\n", 4, "expected mention number 1 "),
        (HEAD + "[Ada|PER:2] met [Bo|PER:1].\n= none\n", 4, "expected mention number 1 "),
        (HEAD + "[Ada|PER:1] met [Bo|PER:1].\n= none\n", 4, "expected mention number 2 "),
        (HEAD + "[Ada|PER:x] left.\n= none\n", 4, "expected mention number 1 "),
        (HEAD + "[ Ada|PER:1] left.\n= none\n", 4, "without blanks at their edges"),
        (HEAD + "[|PER:1] left.\n= none\n", 4, "without blanks at their edges"),
        (HEAD + "[Ada|PER:1 left.\n= none\n", 4, "got a stray '['"),
        (HEAD + "[[Ada|PER:1] Kern|PER:2] left.\n= none\n", 4, "got a stray '['"),
        (HEAD + "It rained.\nIt snowed.\n= none\n", 5, "expected the relations of the sentence before"),
        (HEAD + "It rained.\n", 4, "expected a line '= …'"),
        (HEAD + "= none\n", 4, "expected a sentence before its relations"),
        (HEAD + "[Ada|PER:1] left.\n=\n", 5, "expected 'none' or relations such as PHYS(1,2), got ''"),
        (HEAD + "[Ada|PER:1] left.\n= none PHYS(1,2)\n", 5, "got 'none'"),
        (HEAD + "[Ada|PER:1] left.\n= PHYS(1, 2)\n", 5, "got 'PHYS(1,'"),
        (HEAD + "[Ada|PER:1] left [Orlby|GPE:2].\n= NEAR(1,2)\n", 5, "expected a relation type of PHYS, "),
        (HEAD + "[Ada|PER:1] left [Orlby|GPE:2].\n= PHYS(1,3)\n", 5, "expected mentions 1 to 2 of the sentence, got 'PHYS(1,3)'"),
        (HEAD + "[Ada|PER:1] left [Orlby|GPE:2].\n= PHYS(0,2)\n", 5, "expected mentions 1 to 2"),
        (HEAD + "[Ada|PER:1] left.\n= PER-SOC(1,1)\n", 5, "expected two different mentions"),
        (HEAD + "[Ada|PER:1] left [Orlby|GPE:2].\n= PHYS(1,2) GEN-AFF(1,2)\n", 5, "expected at most one relation for a pair"),
        (HEAD + "[Ada|PER:1] met [Bo|PER:2].\n= PER-SOC(1,2) PER-SOC(2,1)\n", 5, "expected at most one relation for a pair"),
        (HEAD + "[Ada|PER:1] met [Bo|PER:2].\n= PER-SOC(2,1)\n", 5, "expected the mention that comes first as head"),
        (HEAD + "[Ada|PER:1] left [Orlby|GPE:2].\n= PHYS(2,1)\n", 5, "GPE/LOC/FAC/VEH -> GPE/LOC/FAC, got GPE -> PER"),
    ],
)  # fmt: skip
def test_a_slip_is_named_with_file_and_line(tmp_path: Path, content: str, line: int, message: str):
    file = tmp_path / "g.txt"
    with pytest.raises(DataError) as raised:
        read_content(READER, file, content)
    assert str(raised.value).startswith(f"{file}:{line}: ")
    assert message in str(raised.value)


def test_two_documents_with_one_id_are_refused(tmp_path: Path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(HEAD + "It rained.\n= none\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.txt:1: expected an id of its own, got 'g-1', which .*a\.txt has"):
        list(READER.read(tmp_path, ReadReport()))


def test_every_allowed_pair_of_types_reads_and_no_other(tmp_path: Path):
    for kind, rules in ALLOWED.items():
        for head in ENTITY_TYPES:
            for tail in ENTITY_TYPES:
                content = f"{HEAD}[a|{head}:1] and [b|{tail}:2]\n= {kind}(1,2)\n"
                if any(head in heads and tail in tails for heads, tails in rules):
                    assert triples(only_sentence(READER, tmp_path / "g.txt", content)) == [("a", kind, "b")]
                else:
                    with pytest.raises(DataError, match=r"expected .* -> "):
                        read_content(READER, tmp_path / "g.txt", content)


def test_the_samples_read(tmp_path: Path):
    for name, content in READER.samples.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    sentences = list(sentences_of(READER.read(tmp_path, ReadReport())))
    assert [len(sentence.relations or ()) for sentence in sentences] == [3, 0, 2]
