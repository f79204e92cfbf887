"""brat: offsets, line breaks, equivalences; what is dropped is counted, what is broken names file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.brat import READER, SAMPLES
from relsift.schema import Document, Sentence


def write(folder: Path, text: str, ann: str, name: str = "doc") -> Path:
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(ann.encode())
    return folder / f"{name}.ann"


def read(path: Path, **options: str) -> tuple[list[Document], ReadReport]:
    report = ReadReport()
    return list(READER.read(path, report, **options)), report


def mentions(sentence: Sentence) -> list[tuple[str, str]]:
    return [(entity.type, sentence.text_of(entity)) for entity in sentence.entities]


def test_the_sample_gives_entities_relations_and_an_equivalence(tmp_path: Path):
    for name, content in SAMPLES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (document,), report = read(tmp_path)
    first, second = document.sentences
    assert mentions(first) == [("Person", "Ada Berg"), ("Place", "Old Mill")]
    assert [(r.head, r.tail, r.type) for r in first.relations or ()] == [(0, 1, "runs")]
    assert mentions(second) == [("Place", "Old Mill"), ("Place", "OM"), ("Place", "Lund")]
    assert {(r.head, r.tail, r.type) for r in second.relations or ()} == {(0, 1, "same_as"), (0, 2, "located_in")}
    assert not report.dropped


def test_offsets_count_every_character_and_the_end_is_exclusive(tmp_path: Path):
    path = write(tmp_path, "\U0001f600 Ada — Bo\r\nIda left", "T1\tP 2 5\tAda\nT2\tP 8 10\tBo\nT3\tP 12 15\tIda\n")
    (document,), _ = read(path)
    assert [mentions(s) for s in document.sentences] == [[("P", "Ada"), ("P", "Bo")], [("P", "Ida")]]
    assert document.text is not None
    assert document.text[12:15] == "Ida"


def test_an_equivalence_relates_each_two_members_in_their_order(tmp_path: Path):
    path = write(tmp_path, "aa bb cc", "T1\tX 0 2\taa\nT2\tX 3 5\tbb\nT3\tX 6 8\tcc\n*\tsame T3 T1 T2\n")
    (document,), _ = read(path)
    assert {(r.head, r.tail) for r in document.sentences[0].relations or ()} == {(2, 0), (2, 1), (0, 1)}


def test_equivalences_are_counted_where_they_are_not_wanted(tmp_path: Path):
    path = write(tmp_path, "aa bb", "T1\tX 0 2\taa\nT2\tX 3 5\tbb\n*\tsame T1 T2\n")
    (document,), report = read(path, equivalences="ignore")
    assert document.sentences[0].relations == ()
    assert report.dropped == {"equivalences, as asked": 1}


def test_a_span_cut_at_a_line_break_is_one_mention(tmp_path: Path):
    path = write(tmp_path, "the Old\nMill is", "T1\tX 4 7;8 12\tOld Mill\n")
    (document,), report = read(path)
    assert mentions(document.sentences[0]) == [("X", "Old\nMill")]
    assert not report.dropped


def test_words_that_go_on_in_the_next_line_are_one_mention(tmp_path: Path):
    path = write(tmp_path, "the Old\nMill is", "T1\tX 4 12\tOld\nMill\nT2\tX 4 7\tOld\n")
    (document,), report = read(path)
    assert mentions(document.sentences[0]) == [("X", "Old\nMill"), ("X", "Old")]
    assert not report.dropped


def test_a_stray_line_after_an_entity_is_counted(tmp_path: Path):
    _, report = read(write(tmp_path, "the Old Mill", "T1\tX 4 7\tOld\nMill\n"))
    assert report.dropped == {"stray lines after an entity": 1}
    assert report.examples["stray lines after an entity"] == [f"{tmp_path}/doc.ann:1: 'Mill'"]


def test_discontinuous_entities_and_their_relations_are_counted(tmp_path: Path):
    path = write(tmp_path, "left and right arm", "T1\tX 0 4;15 18\tleft arm\nT2\tX 9 18\tright arm\nR1\tnear Arg1:T1 Arg2:T2\n")
    (document,), report = read(path)
    assert mentions(document.sentences[0]) == [("X", "right arm")]
    assert report.dropped == {"discontinuous entities": 1, "relations of a dropped entity": 1}
    assert report.lost_relations == {"near": 1}


def test_an_entity_whose_words_stand_elsewhere_is_dropped_or_moved_as_asked(tmp_path: Path):
    path = write(tmp_path, "so Ada met Bo or", "T1\tX 4 7\tAda\nT2\tX 7 10\tmet\nT3\tX 11 13\tBo\n")
    (document,), report = read(path)
    assert mentions(document.sentences[0]) == [("X", "met"), ("X", "Bo")]
    assert report.dropped == {"entities whose words are not at their offsets": 1}
    (document,), report = read(path, offsets="nearby")
    assert mentions(document.sentences[0]) == [("X", "Ada"), ("X", "met"), ("X", "Bo")]
    assert report.dropped == {"entities moved by up to 3 characters to their words (kept)": 1}


def test_an_entity_that_is_not_even_nearby_is_dropped(tmp_path: Path):
    _, report = read(write(tmp_path, "so Ada met", "T1\tX 3 6\tZoe\nT2\tX 3 6\tAda\nT3\tX 3 6\tAda\n"), offsets="nearby")
    assert report.dropped == {"entities whose words are not at their offsets": 1}


def test_an_entity_just_outside_the_text_is_moved_to_its_words(tmp_path: Path):
    (document,), _ = read(write(tmp_path, "so Ada", "T1\tX 5 8\tAda\n"), offsets="nearby")
    assert mentions(document.sentences[0]) == [("X", "Ada")]


def test_punctuation_edited_after_annotation_is_kept_and_counted(tmp_path: Path):
    (document,), report = read(write(tmp_path, "红、蓝", "T1\tX 0 3\t红;蓝\n"))
    assert mentions(document.sentences[0]) == [("X", "红、蓝")]
    assert report.dropped == {"entities whose punctuation was edited after annotation (kept)": 1}


def test_events_attributes_notes_and_normalisations_are_counted(tmp_path: Path):
    ann = "T1\tX 0 3\tAda\nT2\tMove 4 8\tleft\nE1\tMove:T2 Who:T1\nA1\tPast E1\nM1\tSure T1\nN1\tReference T1 W:1\tAda\n"
    ann += "#1\tAnnotatorNotes T1\tsure?\nR1\tcauses Arg1:T1 Arg2:E1\n"
    (document,), report = read(write(tmp_path, "Ada left", ann))
    assert mentions(document.sentences[0]) == [("X", "Ada")]
    assert report.dropped == {
        "events, with their triggers": 1,
        "attributes": 2,
        "normalisations": 1,
        "notes": 1,
        "relations with an event": 1,
    }


def test_arguments_may_have_other_names_or_come_in_reverse(tmp_path: Path):
    ann = "T1\tX 0 3\tAda\nT2\tX 4 6\tBo\nR1\tknows Who:T2 Whom:T1\nR2\tsees Arg2:T1 Arg1:T2\n"
    (document,), _ = read(write(tmp_path, "Ada Bo", ann))
    assert {(r.head, r.tail, r.type) for r in document.sentences[0].relations or ()} == {(1, 0, "knows"), (1, 0, "sees")}


def test_subtypes_are_split_off_if_asked(tmp_path: Path):
    path = write(tmp_path, "Ada", "T1\tPerson-Name 0 3\tAda\n")
    (document,), _ = read(path)
    assert [(e.type, e.subtype) for e in document.sentences[0].entities] == [("Person-Name", None)]
    (document,), _ = read(path, subtypes="hyphen")
    assert [(e.type, e.subtype) for e in document.sentences[0].entities] == [("Person", "Person-Name")]


def test_wrapped_lines_and_single_characters_for_chinese(tmp_path: Path):
    path = write(tmp_path, "老师在16\n楼。", "T1\tX 3 5;6 7\t16 楼\n")
    (document,), _ = read(path, lines="wrapped", unit="characters")
    (sentence,) = document.sentences
    assert sentence.tokens == ("老", "师", "在", "1", "6", "楼", "。")
    assert (sentence.entities[0].start, sentence.entities[0].end) == (3, 6)


def test_documents_are_named_after_their_path_and_lonely_texts_are_counted(tmp_path: Path):
    (tmp_path / "b").mkdir()
    write(tmp_path / "b", "Ada", "")
    write(tmp_path, "Bo", "", "a")
    (tmp_path / "lonely.txt").write_text("Ida")
    documents, report = read(tmp_path)
    assert [d.id for d in documents] == ["a", "b/doc"]
    assert [d.sentences[0].relations for d in documents] == [(), ()]
    assert report.dropped == {"texts without an .ann file": 1}


@pytest.mark.parametrize(
    ("ann", "line", "message"),
    [
        ("T1\tX 0 3\tAda\nT1\tX 4 6\tBo\n", 2, "expected each id once, got 'T1' again"),
        ("T1 X 0 3 Ada\n", 1, "expected an annotation such as"),
        ("T1\tX 0 3\tAda\nR1 knows Arg1:T1 Arg2:T1\n", 2, "expected an annotation such as"),
        ("T1\tX 0-3\tAda\n", 1, "expected 'T1<tab>Type start end<tab>text'"),
        ("T1\tX 0\tAda\n", 1, "expected 'T1<tab>Type start end<tab>text'"),
        ("T1\t\tAda\n", 1, "expected 'T1<tab>Type start end<tab>text'"),
        ("T1\t \n", 1, "expected 'T1<tab>Type start end<tab>text'"),
        ("T1\t0 3\tAda\n", 1, "expected 'T1<tab>Type start end<tab>text'"),
        ("T1\tX 3 0\tAda\n", 1, "expected spans with 0 <= start <= end, got 'X 3 0'"),
        ("T1\tX -3 0\tAda\n", 1, "expected spans with 0 <= start <= end, got 'X -3 0'"),
        ("T1\tX 0 3\tAda\nT2\tX 4 6\tBo\nT3\tX 0 9\tAda\n", 3, "expected offsets within the 6 characters of the text, got '0 9'"),
        ("T1\tX 0 9\tAda\n", 1, "expected the words of each mention at its positions, got other words for 1 of 1 mentions"),
        (f"T1\tX {'1' * 5000} 3\tAda\n", 1, "expected a whole number of at most 18 digits, got one of 5000"),
        ("R1\tArg1:T1 Arg2:T2\n", 1, "expected 'R1<tab>Type Arg1:T1 Arg2:T2'"),
        ("\nT1\tX 0 3\tAda\nR1\tknows T1 T1\n", 3, "expected 'R1<tab>Type Arg1:T1 Arg2:T2', got 'knows T1 T1'"),
        ("T1\tX 0 3\tAda\nR1\tknows Arg1:T1 Arg2:T7\n", 2, "expected the id of an entity of this file, got 'T7'"),
        ("T1\tX 0 3\tAda\n*\tsame T1\n", 2, "expected a type and two or more ids"),
        ("*\t\n", 1, "expected a type and two or more ids"),
        ("R1\tknows Arg1:T1 Arg2:T2\nAda\n", 2, "expected an annotation such as"),
    ],
)
def test_broken_lines_are_refused_with_file_and_line(tmp_path: Path, ann: str, line: int, message: str):
    path = write(tmp_path, "Ada Bo", ann)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_a_missing_text_and_a_wrong_encoding_are_refused(tmp_path: Path):
    path = write(tmp_path, "Ada", "")
    (tmp_path / "doc.txt").write_bytes("Ada\n老师".encode("gb18030"))
    with pytest.raises(DataError, match=r"doc\.txt:2: expected UTF-8 text"):
        read(path)
    (tmp_path / "doc.txt").unlink()
    with pytest.raises(DataError, match=r"doc\.ann: expected the text beside the annotation, in doc\.txt"):
        read(path)


def test_recognises_annotation_files_and_folders_only(tmp_path: Path):
    path = write(tmp_path, "Ada", "")
    assert READER.recognises(path)
    assert READER.recognises(tmp_path)
    (tmp_path / "other.ann").write_text("<xml/>")
    assert not READER.recognises(tmp_path / "other.ann")
    assert not READER.recognises(tmp_path / "doc.txt")
    assert not READER.recognises(tmp_path / "absent")
