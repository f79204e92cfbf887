"""brat files as they come: what the format allows is read, what cannot be kept is counted, one odd line never costs a corpus.

The inputs are invented; where a fault was first reported stands beside the case.
"""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.readers.base import OnError, ReadReport
from relsift.readers.brat import READER
from relsift.readers.brat_lines import MOST_MEMBERS
from relsift.schema import Document

RUNS = "T1\tPER 0 3\tAda\nT2\tORG 9 12\tZed\nR1\truns Arg1:T1 Arg2:T2\n"
EMOJI = "\U0001f600"


def write(folder: Path, text: str, ann: str, name: str = "a") -> Path:
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(ann.encode())
    return folder


def read(path: Path, on_error: OnError = "stop", **options: str) -> tuple[list[Document], ReadReport]:
    report = ReadReport(on_error=on_error)
    return list(READER.read(path, report, **options)), report


def content(documents: list[Document]) -> list[tuple[list[tuple[str, str]], list[tuple[str, str, str]]]]:
    """Of each sentence: type and exact text of its entities, and its relations as head, type, tail."""
    found = []
    for document in documents:
        assert document.text is not None
        for sentence in document.sentences:
            spans = [e.chars for e in sentence.entities]
            texts = [document.text[slice(*span)] for span in spans if span is not None]
            assert len(texts) == len(sentence.entities)
            relations = [(texts[r.head], r.type, texts[r.tail]) for r in sentence.relations or ()]
            found.append(([(e.type, t) for e, t in zip(sentence.entities, texts, strict=True)], relations))
    return found


# ---- what the format allows --------------------------------------------------------------------------------------------------


def test_fragments_come_in_any_order(tmp_path: Path):  # NEREL, NEREL-BIO, eHealth-KD
    ann = "T1\tOrgan 19 25;4 8\tkidney left\nT2\tOrgan 13 25\tright kidney\nT3\tX 31 37\tnormal\n"
    ann += "R1\tis Arg1:T3 Arg2:T2\nR2\tis Arg1:T3 Arg2:T1\n"
    documents, report = read(write(tmp_path, "The left and right kidney were normal.", ann))
    assert content(documents) == [([("Organ", "right kidney"), ("X", "normal")], [("normal", "is", "right kidney")])]
    assert report.dropped == {"discontinuous entities": 1, "relations of a dropped entity": 1}
    assert report.lost_relations == {"is": 1}


@pytest.mark.parametrize("words", ["Mill Old", "Old Mill", "Old\tMill"])  # in the order of the file or of the text
def test_fragments_side_by_side_are_one_mention_in_any_order(tmp_path: Path, words: str):
    documents, report = read(write(tmp_path, "the Old\nMill is", f"T1\tX 8 12;4 7\t{words}\n"))
    assert content(documents) == [([("X", "Old\nMill")], [])]
    assert not report.dropped


def test_overlapping_fragments_are_kept_as_one_span_and_counted(tmp_path: Path):  # nlplab/brat#956
    documents, report = read(write(tmp_path, "Both the erbA one agree.", "T1\tX 9 17;13 17\terbA one one\n"))
    assert content(documents) == [([("X", "erbA one")], [])]
    assert report.dropped == {"entities of overlapping fragments (kept)": 1}


def test_types_may_hold_blanks_and_semicolons(tmp_path: Path):  # label-studio-converter#53
    ann = "T1\tPARTY NAME; LEGAL 0 1;2 3\tAda\nT2\tORG 9 12\tZed\nR1\truns by Arg1:T1 Arg2:T2\n"
    documents, _ = read(write(tmp_path, "A a runs Zed.".replace("runs ", "runs  "), ann.replace("Ada", "A a").replace("9 12", "10 13")))
    assert content(documents) == [([("PARTY NAME; LEGAL", "A a"), ("ORG", "Zed")], [("A a", "runs by", "Zed")])]


@pytest.mark.parametrize("end", ["", "\t", "\t "])
def test_the_words_column_may_be_missing(tmp_path: Path, end: str):
    documents, report = read(write(tmp_path, "Ada runs Zed.", f"T1\tPER 0 3{end}\nT2\tORG 9 12{end}\nR1\truns Arg1:T1 Arg2:T2\n"))
    assert content(documents) == [([("PER", "Ada"), ("ORG", "Zed")], [("Ada", "runs", "Zed")])]
    assert not report.dropped


def test_empty_and_blank_spans_are_counted_with_their_relations(tmp_path: Path):
    ann = RUNS + "T3\tNULL 4 4\t\nT4\tNULL 3 4\t \nT5\tNULL 5 5\tx\nR2\tof Arg1:T3 Arg2:T1\nR3\tof Arg1:T4 Arg2:T1\n"
    documents, report = read(write(tmp_path, "Ada runs Zed.", ann))
    assert content(documents) == [([("PER", "Ada"), ("ORG", "Zed")], [("Ada", "runs", "Zed")])]
    assert report.dropped == {"entities without text": 3, "relations of a dropped entity": 2}
    assert report.lost_relations == {"of": 2}


def test_an_empty_fragment_beside_others_changes_nothing(tmp_path: Path):
    documents, report = read(write(tmp_path, "Ada runs Zed.", "T1\tPER 0 3;9 9\tAda\n"))
    assert content(documents) == [([("PER", "Ada")], [])]
    assert not report.dropped


def test_odd_relations_are_kept_or_counted(tmp_path: Path):  # NEREL: twice, in both directions, two types, with itself
    ann = RUNS + "R2\truns Arg1:T1 Arg2:T2\nR3\towns Arg1:T1 Arg2:T2\nR4\truns Arg1:T2 Arg2:T1\nR5\tknows Arg1:T1 Arg2:T1\n"
    ann += "R6\tgives Arg1:T1 Arg2:T2 Arg3:T1\nR7\tis Arg1:T1\nR8\tof Arg1:R1 Arg2:T1\nR1\tleads Arg1:T1 Arg2:T2\tnote\n"
    documents, report = read(write(tmp_path, "Ada runs Zed.", ann))
    relations = [("Ada", "runs", "Zed"), ("Ada", "owns", "Zed"), ("Zed", "runs", "Ada"), ("Ada", "leads", "Zed")]
    assert content(documents) == [([("PER", "Ada"), ("ORG", "Zed")], relations)]
    assert report.dropped == {
        "duplicate relations": 1,
        "relations of an entity with itself": 1,
        "relations with other than two arguments": 2,
        "relations with a relation": 1,
        "further columns of relations": 1,
    }
    assert report.lost_relations == {"knows": 1, "gives": 1, "is": 1, "of": 1}  # the duplicate is there


def test_a_member_given_twice_in_an_equivalence_is_counted(tmp_path: Path):
    documents, report = read(write(tmp_path, "Ada runs Zed.", RUNS.replace("R1\truns Arg1:T1 Arg2:T2", "*\tsame T1 T2 T1 T1")))
    assert content(documents)[0][1] == [("Ada", "same", "Zed")]
    assert report.dropped == {"members given twice in an equivalence": 2}


def test_an_equivalence_of_too_many_members_is_refused_with_the_way_out(tmp_path: Path):
    size = MOST_MEMBERS + 1
    ann = "".join(f"T{i}\tX {2 * i} {2 * i + 1}\tx\n" for i in range(size)) + "*\tsame " + " ".join(f"T{i}" for i in range(size)) + "\n"
    write(tmp_path, "x " * size, ann)
    with pytest.raises(DataError, match=rf"a\.ann:{size + 1}: expected at most 200 members .*got 201; brat\[equivalences=ignore\]"):
        read(tmp_path)
    assert read(tmp_path, "skip")[1].dropped == {"broken equivalences": 1}
    assert read(tmp_path, equivalences="ignore")[1].dropped == {"equivalences, as asked": 1}


def test_ids_used_twice_are_no_matter_but_for_entities(tmp_path: Path):  # nlplab/brat#629
    ann = RUNS + "R1\towns Arg1:T1 Arg2:T2\n#1\tAnnotatorNotes T1\tx\n#1\tAnnotatorNotes T1\ty\n"
    documents, _ = read(write(tmp_path, "Ada runs Zed.", ann))
    assert content(documents)[0][1] == [("Ada", "runs", "Zed"), ("Ada", "owns", "Zed")]
    write(tmp_path, "Ada runs Zed.", RUNS + "T1\tORG 9 12\tZed\n")
    with pytest.raises(DataError, match=r"a\.ann:4: expected each id once, got 'T1' again"):
        read(tmp_path)
    documents, report = read(tmp_path, "skip")
    assert content(documents) == [([("PER", "Ada"), ("ORG", "Zed")], [])]  # which T1 the relation means is not guessed
    assert report.dropped == {"broken entities": 1, "relations of a broken entity": 1}


def test_words_in_another_normal_form_are_the_same_words(tmp_path: Path):
    composed, decomposed = "René", "Rene\u0301"
    for text, words in ((composed, decomposed), (decomposed, composed)):
        documents, report = read(write(tmp_path, f"{text} ran", f"T1\tX 0 {len(text)}\t{words}\n"))
        assert content(documents) == [([("X", text)], [])]
        assert not report.dropped
        documents, _ = read(write(tmp_path, f"so {text} ran", f"T1\tX 1 {len(text) + 1}\t{words}\n"), offsets="nearby")
        assert content(documents) == [([("X", text)], [])]


def test_marks_and_invisible_characters_stay_in_their_word(tmp_path: Path):
    ann = RUNS.replace("9 12\tZed", "10 14\tZ\u00aded")
    documents, _ = read(write(tmp_path, "Ada\u200b runs Z\u00aded.", ann))
    (sentence,) = documents[0].sentences
    assert sentence.tokens == ("Ada\u200b", "runs", "Z\u00aded", ".")
    assert content(documents)[0][1] == [("Ada", "runs", "Z\u00aded")]


def test_other_encodings_are_read_if_named(tmp_path: Path):
    for name, text in (("a.txt", "René runs Zed."), ("a.ann", "T1\tPER 0 4\tRené\n")):
        (tmp_path / name).write_bytes(text.encode("cp1252"))
    with pytest.raises(DataError, match=r"a\.txt:1: expected UTF-8 text"):
        read(tmp_path)
    assert content(read(tmp_path, encoding="cp1252")[0]) == [([("PER", "René")], [])]


# ---- files -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "ann"), [("A.TXT", "A.ann"), ("A.txt", "A.ANN"), ("A.Txt", "A.Ann")])
def test_suffixes_may_be_written_in_capitals(tmp_path: Path, text: str, ann: str):
    (tmp_path / text).write_text("Ada runs Zed.")
    (tmp_path / ann).write_text(RUNS)
    assert READER.recognises(tmp_path)
    assert READER.recognises(tmp_path / ann)
    for path in (tmp_path, tmp_path / ann, tmp_path / text):
        documents, report = read(path)
        assert [d.id for d in documents] == ["A"]
        assert not report.dropped


def test_hidden_files_are_no_data(tmp_path: Path):
    write(tmp_path, "Ada runs Zed.", RUNS)
    for folder in (".ipynb_checkpoints", "__MACOSX"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "Ada", "nonsense")
        (tmp_path / folder / "lonely.txt").touch()
    for name in ("._a.ann", "._a.txt", "._b.txt"):
        (tmp_path / name).write_bytes(b"\0\5\26\7")
    assert READER.recognises(tmp_path)
    documents, report = read(tmp_path)
    assert len(documents) == 1
    assert not report.dropped


def test_what_lies_beside_and_is_not_read_is_named(tmp_path: Path):
    write(tmp_path, "Ada runs Zed.", RUNS)
    (tmp_path / "b.ann.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "b.TXT").write_text("Ada")
    _, report = read(tmp_path)
    assert report.examples == {
        "texts without an .ann file": [str(tmp_path / "b.TXT")],
        "packed annotations, which are not read (unpack them first)": [str(tmp_path / "b.ann.gz")],
    }
    with pytest.raises(DataError, match=r"b\.TXT: expected its annotation beside the text, in b\.ann, got only b\.ann\.gz, which has"):
        read(tmp_path / "b.TXT")


def test_a_document_without_text_or_annotation_is_read_or_named(tmp_path: Path):
    write(tmp_path, "", "", "a")
    write(tmp_path, "No annotation here.", "", "b")
    documents, report = read(tmp_path)
    assert [len(d.sentences) for d in documents] == [0, 1]
    assert not report.dropped
    (tmp_path / "c.ann").write_text(RUNS)
    with pytest.raises(DataError, match=r"c\.ann: expected the text beside the annotation, in c\.txt, got no such file"):
        read(tmp_path)
    documents, report = read(tmp_path, "skip")
    assert [d.id for d in documents] == ["a", "b"]
    assert report.dropped == {"broken documents": 1}


# ---- what is broken ----------------------------------------------------------------------------------------------------------


def test_every_broken_line_of_a_file_is_listed_and_the_rest_is_read(tmp_path: Path):
    ann = "nonsense\n" + RUNS + "T3\tX 0-3\tAda\nT4\tX 0 99\tAda\nT5\tX 0 3\tAda\n"
    ann += "R2\truns T1 T2\nR3\truns Arg1:T1 Arg2:T9\nR4\truns Arg1:T3 Arg2:T2\nR5\tsees Arg1:T4 Arg2:T2\n*\tsame T1\nX1\ty z\n"
    write(tmp_path, "Ada runs Zed.", ann)
    with pytest.raises(DataError, match=r"a\.ann:1: expected an annotation such as"):
        read(tmp_path)
    documents, report = read(tmp_path, "skip")
    assert content(documents) == [([("PER", "Ada"), ("ORG", "Zed"), ("X", "Ada")], [("Ada", "runs", "Zed")])]
    assert report.dropped == {
        "broken lines": 2,
        "broken entities": 2,
        "broken relations": 2,
        "broken equivalences": 1,
        "relations of a broken entity": 1,
        "relations of a dropped entity": 1,
    }
    places = sorted(int(fault.removeprefix(f"{tmp_path}/a.ann:").split(":")[0]) for fault in report.faults)
    assert places == [1, 5, 6, 8, 9, 12, 13]
    assert report.lost_relations == {"runs": 2, "sees": 1}


LINES = [*RUNS.splitlines(), "T3\tX 9 1\tx", "T4\tX 4 8", "R9\tr Arg1:T4 Arg2:T1", "* ", "?", "\t", "R1\t", "T\t"]


@given(st.lists(st.sampled_from(LINES)))
def test_under_skip_no_line_costs_a_document(tmp_path_factory: pytest.TempPathFactory, lines: list[str]):
    folder = write(tmp_path_factory.getbasetemp(), "Ada runs Zed.", "\n".join(lines))
    documents, report = read(folder / "a.ann", "skip")
    assert len(documents) == 1
    assert len(report.faults) == sum(count for reason, count in report.dropped.items() if reason.startswith("broken"))


# ---- positions that another program counted ----------------------------------------------------------------------------------


def annotated(text: str, positions_of: dict[str, int]) -> str:
    """An entity for each word, at the given position of its beginning."""
    return "".join(f"T{n}\tX {at} {at + len(word)}\t{word}\n" for n, (word, at) in enumerate(positions_of.items(), start=1))


CRLF = "Ada left.\r\nBo runs Zed.\r\nYat fell."
COUNTED = {
    "crlf-as-one": (CRLF, {"Ada": 0, "Bo": 10, "Zed": 18, "Yat": 23}),
    "lf-as-two": (CRLF.replace("\r", ""), {"Ada": 0, "Bo": 11, "Zed": 19, "Yat": 25}),
    "utf16": (f"{EMOJI} Ada and {EMOJI}{EMOJI} Bo", {"Ada": 3, "Bo": 16}),
    "bytes": ("é Ada — Bo", {"Ada": 3, "Bo": 11}),
    "bom": ("\ufeffAda runs Zed.", {"Ada": 1, "Zed": 10}),
    "utf16+crlf-as-one": (f"{EMOJI} Ada\r\nBo", {"Ada": 3, "Bo": 7}),
}


@pytest.mark.parametrize("convention", COUNTED)
def test_positions_counted_in_another_way_are_refused_with_the_way_out_and_read_with_it(tmp_path: Path, convention: str):
    text, positions_of = COUNTED[convention]
    write(tmp_path, text, annotated(text, positions_of))
    with pytest.raises(DataError, match=r"a\.ann:\d: T\d '\w+': expected the words of each mention at its positions") as caught:
        read(tmp_path)
    assert f": try brat[positions={convention}]:{tmp_path}, which finds {len(positions_of)}" in str(caught.value)
    for positions in (convention, "auto"):
        documents, report = read(tmp_path, positions=positions)
        assert [text for entities, _ in content(documents) for _, text in entities] == list(positions_of)
        kept = {f"documents whose offsets count {convention} (kept)": 1} if positions == "auto" else {}
        assert report.dropped == kept


def test_files_that_count_differently_need_the_choice_for_each(tmp_path: Path):  # nlplab/brat#1301
    marked = codecs.BOM_UTF8.decode() + "Ada runs Zed."
    write(tmp_path, marked, codecs.BOM_UTF8.decode() + RUNS, "a")
    write(tmp_path, marked, RUNS.replace("0 3", "1 4").replace("9 12", "10 13"), "b")
    wrong, way = r"b\.ann:1: .*2 of 4 mentions", r"each file has its own way to count them: try brat\[positions=auto\]:.*, which finds 4"
    with pytest.raises(DataError, match=f"{wrong}; {way}"):
        read(tmp_path)
    documents, report = read(tmp_path, positions="auto")
    assert content(documents) == [([("PER", "Ada"), ("ORG", "Zed")], [("Ada", "runs", "Zed")])] * 2
    assert report.dropped == {"documents whose offsets count bom (kept)": 1}
    documents, report = read(tmp_path, "skip")
    assert [d.id for d in documents] == ["a"]
    assert report.dropped == {"broken documents": 1}
    assert report.lost_relations == {"runs": 1}


def corpus_with_one_odd_file(folder: Path, num_right: int) -> Path:
    for number in range(num_right):
        write(folder, "Ada runs Zed.", RUNS, f"right{number}")
    return write(folder, "So Ada runs Zed, he said.", RUNS, "odd")


def test_one_odd_file_does_not_cost_a_large_corpus_nor_teach_that_it_holds_nothing(tmp_path: Path):
    documents, report = read(corpus_with_one_odd_file(tmp_path, 20))
    assert "odd" not in [d.id for d in documents]
    assert len(documents) == 20
    assert report.dropped == {
        "documents left out, as the words of most entities are not at their offsets": 1,
        "relations of a document left out": 1,
    }
    assert report.lost_relations == {"runs": 1}


def test_the_same_file_is_refused_where_it_is_much_of_the_corpus(tmp_path: Path):
    with pytest.raises(DataError, match=r"odd\.ann:1: T1 'Ada': .* 2 of 10 mentions; no known way to count positions finds half"):
        read(corpus_with_one_odd_file(tmp_path, 4))


def test_a_few_lost_entities_of_a_document_are_counted(tmp_path: Path):
    ann = "".join(f"T{i}\tX 0 3\tAda\n" for i in range(10)) + "T10\tX 0 3\tBob\nR1\tr Arg1:T0 Arg2:T10\n"
    documents, report = read(write(tmp_path, "Ada ran", ann))
    assert len(documents[0].sentences[0].entities) == 10
    assert report.dropped == {"entities whose words are not at their offsets": 1, "relations of a dropped entity": 1}
    assert report.lost_relations == {"r": 1}


# ---- sentences ---------------------------------------------------------------------------------------------------------------


def test_abbreviations_do_not_cut_relations(tmp_path: Path):  # SoMeSci
    text = "It was done in SPSS ver. 22 by IBM. Plots used R (v. 3.5) there."
    ann = "T1\tA 15 19\tSPSS\nT2\tV 25 27\t22\nT3\tA 47 48\tR\nT4\tV 53 56\t3.5\nR1\tof Arg1:T2 Arg2:T1\nR2\tof Arg1:T4 Arg2:T3\n"
    documents, report = read(write(tmp_path, text, ann))
    assert [relations for _, relations in content(documents)] == [[("22", "of", "SPSS")], [("3.5", "of", "R")]]
    assert not report.dropped


def test_a_relation_across_sentences_is_counted_as_lost_and_its_place_names_what_helps(tmp_path: Path):
    text, ann = "Ada left zit. Bo. She ran.\nZed", "T1\tX 0 3\tAda\nT2\tX 14 16\tBo\nR1\tsees Arg1:T1 Arg2:T2\n"
    write(tmp_path, text, ann)
    documents, report = read(tmp_path)
    assert len(documents[0].sentences) == 4
    assert report.dropped == {"relations across sentences": 1}
    assert report.lost_relations == {"sees": 1}
    for option in ("relations=whole", "lines=sentences", "abbreviations="):
        assert option in report.lines()[0]
    for options, number in (({"relations": "whole"}, 3), ({"abbreviations": "zit"}, 3), ({"lines": "sentences"}, 2)):
        documents, report = read(tmp_path, **options)
        assert len(documents[0].sentences) == number
        assert not report.dropped


def test_an_entity_with_an_unusual_id_is_an_error_and_no_stray_line(tmp_path: Path):
    write(tmp_path, "Ada runs Zed\n", "T1\tPER 0 3\tAda\nT-2\tORG 9 12\tZed\n")
    report = ReadReport(on_error="skip")
    assert len(list(READER.read(tmp_path, report))) == 1
    assert report.dropped == {"broken lines": 1}
    assert "a.ann:2: expected an annotation" in report.faults[0]
