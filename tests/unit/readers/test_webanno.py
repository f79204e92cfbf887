"""WebAnno TSV 3: offsets in UTF-16 units, stacked and multi-token annotations, parts of tokens, escapes, layers to choose from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from offset_documents import Marked, counted, expected, found, marked_documents
from reading import mentions, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.webanno import READER

HEAD = "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Span|value\n"
RELATED = f"{HEAD}#T_RL=webanno.custom.Rel|value|BT_webanno.custom.Span\n\n\n"


def escaped(text: str) -> str:
    for mark in ("\\", "[", "]", "|", "_", "->", ";", "*"):
        text = text.replace(mark, f"\\{mark}")
    return text


def written(marked: Marked) -> str:
    """Every annotation has a number, every word is a token."""
    lines = [RELATED]
    offset = 0
    for number, words in enumerate(marked.lines):
        lines.append(f"#Text={escaped(' '.join(words))}\n")
        for place, word in enumerate(words):
            there = [(n, m) for n, m in enumerate(marked.mentions) if m.line == number and m.first <= place < m.after]
            spans = "|".join(f"{m.type}[{n + 1}]" for n, m in there) or "_"
            begun = {n for n, m in there if m.first == place}
            arcs = [(a, b, kind) for a, b, kind in marked.relations if b in begun]
            kinds = "|".join(kind for _, _, kind in arcs) or "_"
            sources = "|".join(f"{number + 1}-{marked.mentions[a].first + 1}[{a + 1}_{b + 1}]" for a, b, _ in arcs) or "_"
            end = offset + counted(word, "utf16")
            lines.append(f"{number + 1}-{place + 1}\t{offset}-{end}\t{escaped(word)}\t{spans}\t{kinds}\t{sources}\t\n")
            offset = end + 1
        lines.append("\n")
    return "".join(lines)


@settings(max_examples=40)
@given(marked=marked_documents())
def test_what_is_written_is_read(marked: Marked, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / "random.tsv"
    file.write_text(written(marked), encoding="utf-8")
    report = ReadReport()
    documents = list(READER.read(file, report))
    assert found(documents) == expected(marked)
    assert not report.dropped
    assert documents[0].text == marked.text


def test_parts_of_tokens_and_stacked_annotations(tmp_path: Path):
    content = f"{RELATED}#Text=Test it\n1-1\t0-4\tTest\tA[1]|B[2]\t_\t_\t\n1-1.1\t3-4\tt\tC\tnear\t1-1.2\t\n1-1.2\t0-2\tTe\tD\t_\t_\t\n"
    content += "1-2\t5-7\tit\tA[1]\t_\t_\t\n"
    (document,), report = read_content(READER, tmp_path / "a.tsv", content)
    (sentence,) = document.sentences
    assert sorted(mentions(sentence)) == [("Te", "D"), ("Test", "B"), ("Test it", "A"), ("t", "C")]
    assert triples(sentence) == [("Te", "near", "t")]
    assert not report.dropped


def test_stacked_relations_and_annotations_without_a_value(tmp_path: Path):
    rows = "1-1\t0-3\tAda\tP\t_\t_\t\n1-2\t4-7\tmet\t*\t_\t_\t\n1-3\t8-10\tBo\tP\tknows|*|likes\t1-1|1-1|1-2\t\n"
    (document,), report = read_content(READER, tmp_path / "a.tsv", f"{RELATED}#Text=Ada met Bo\n{rows}")
    assert triples(document.sentences[0]) == [("Ada", "knows", "Bo")]
    assert report.dropped == {"entities without a type": 1, "relations without a type": 1, "relations of a dropped entity": 1}
    assert report.lost_relations == {"(no type)": 1, "likes": 1}


def test_escapes_are_undone_in_text_tokens_and_values(tmp_path: Path):
    content = f"{HEAD}\n\n#Text=a\\_b\\tc\\|d\n1-1\t0-3\ta\\_b\tx\\|y\\_z\t\n1-2\t4-7\tc\\|d\t\\*\t\n"
    (document,), _ = read_content(READER, tmp_path / "a.tsv", content)
    assert document.text == "a_b\tc|d"
    assert mentions(document.sentences[0]) == [("a_b", "x|y_z"), ("c|d", "*")]


def test_sentences_on_several_lines_with_ids_and_offsets_of_the_original_text(tmp_path: Path):
    content = f"{HEAD}\n\n#Sentence.id=s1\n#Text=Ada\n#Text=met\n1-1\t0-3\tAda\tP\t\n1-2\t4-7\tmet\t_\t\n\n#Text=Bo\n2-1\t10-12\tBo\tP\t\n"
    (document,), _ = read_content(READER, tmp_path / "a.tsv", content)
    assert document.text == "Ada\nmet\n\n\nBo"
    assert [sentence.id for sentence in document.sentences] == ["s1", "a-1"]
    assert found([document])[0] == [(0, 3, "P"), (10, 12, "P")]
    assert [sentence.relations for sentence in document.sentences] == [None, None]


def test_an_annotation_over_two_sentences_and_one_of_no_width_are_counted(tmp_path: Path):
    content = f"{HEAD}\n\n#Text=Ada\n1-1\t0-3\tAda\tP[1]\t\n1-1.1\t0-0\t\tQ\t\n\n#Text=Bo\n2-1\t4-6\tBo\tP[1]\t\n"
    _, report = read_content(READER, tmp_path / "a.tsv", content)
    assert report.dropped == {"entities without text": 1, "entities that cross a sentence boundary": 1}
    assert report.lost_entities == 2


LAYERS = (
    "#FORMAT=WebAnno TSV 3.2\n#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue\n"
    "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value\n#T_SP=webanno.custom.Role|job|rank\n"
    "#T_RL=webanno.custom.Knows|BT_webanno.custom.Role\n#T_RL=webanno.custom.Near|how|BT_{ner}\n\n\n#Text=Ada Bo\n"
    "1-1\t0-3\tAda\tN\t_\tPER\tpoet\thigh\t_\t_\t_\t\n1-2\t4-6\tBo\tN\tQ5\tPER\tbaker\tlow\t1-1\tclose\t1-1\t\n"
).format(ner="de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "expected one relation layer, got 2: webanno.custom.Knows, webanno.custom.Near; name it with [relation_layer=Knows]"),
        ({"relation_layer": "Knows"}, "expected one feature of webanno.custom.Role as type, got 2; it has job, rank: name it with"),
        ({"relation_layer": "Kows"}, "expected one relation layer with the name 'Kows', got 0; the file has webanno.custom.Knows"),
        ({"relation_layer": "Knows", "entity_feature": "jobs"}, "as type, got 'jobs'; it has job, rank"),
    ],
)
def test_layers_and_features_to_choose_from_are_named(tmp_path: Path, options: dict[str, str], message: str):
    (tmp_path / "a.tsv").write_text(LAYERS, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        list(READER.read(tmp_path / "a.tsv", ReadReport(), **options))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("options", "entities", "relations"),
    [
        ({"relation_layer": "Knows", "entity_feature": "job"}, ["poet", "baker"], [("Ada", "Knows", "Bo")]),
        ({"relation_layer": "Knows", "entity_feature": "none"}, ["Role", "Role"], [("Ada", "Knows", "Bo")]),
        ({"relation_layer": "webanno.custom.Near"}, ["PER", "PER"], [("Ada", "close", "Bo")]),  # value, not identifier
        ({"relation_layer": "Near", "relation_feature": "none"}, ["PER", "PER"], [("Ada", "Near", "Bo")]),
    ],
)
def test_the_relation_layer_decides_where_the_entities_are(
    tmp_path: Path, options: dict[str, str], entities: list[str], relations: list[tuple[str, str, str]]
):
    (tmp_path / "a.tsv").write_text(LAYERS, encoding="utf-8")
    report = ReadReport()
    (document,) = READER.read(tmp_path / "a.tsv", report, **options)
    assert [entity.type for entity in document.entities] == entities
    assert triples(document.sentences[0]) == relations
    assert report.dropped == {"layers that are not read": 2}  # POS is no one's annotation


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1-1\t0-3\tBda\tP\t_\t_\t", r"a\.tsv:7: expected 'Bda' at 0-3 of the text, got 'Ada'"),
        ("1-1\t0-x\tAda\tP\t_\t_\t", r"a\.tsv:7: expected offsets such as 4-8, got '0-x'"),
        ("1-1\t0-3\tAda\tP", r"a\.tsv:7: expected a token such as '1-2<tab>4-8<tab>Haag' with 6 columns"),
        ("1-1\t0-3\tAda\tP\tnear\t9-9\t", r"a\.tsv:7: expected one annotation with the number 0 at 9-9, got the numbers none"),
        ("1-1\t0-3\tAda\tP\tnear\tx\t", r"a\.tsv:7: expected the row where a relation begins, such as 1-1 or 1-1\[1_2\], got 'x'"),
        ("1-1\t0-3\tAda\tP\tnear|far\t1-1\t", r"a\.tsv:7: expected a type for each of 1 relations, got 2"),
    ],
)
def test_broken_rows_are_named(tmp_path: Path, row: str, message: str):
    with pytest.raises(DataError, match=message):
        read_content(READER, tmp_path / "a.tsv", f"{RELATED}#Text=Ada\n{row}\n")


def test_a_broken_row_is_left_out_and_the_relations_of_others_stay(tmp_path: Path):
    rows = "1-1\t0-3\tAda\tP\tnear\tx\t\n1-2\t4-6\tBo\tP\tknows\t1-1\t\n1-3\t7-9\tCy\tP\tnear|far\t1-1\t\n1-4\t10-12\tDi\tP\t_\t_\t\n"
    (tmp_path / "a.tsv").write_text(f"{RELATED}#Text=Ada Bo Cy Di\n{rows}", encoding="utf-8")
    report = ReadReport(on_error="skip")
    (document,) = READER.read(tmp_path / "a.tsv", report)
    assert triples(document.sentences[0]) == [("Ada", "knows", "Bo")]
    assert report.dropped == {"broken relations": 2} and report.lost_relations == {"near": 2, "far": 1}


def faults_of(file: Path, content: str) -> tuple[list[int], ReadReport]:
    """The lines that are named."""
    file.write_text(content, encoding="utf-8")
    report = ReadReport(on_error="skip")
    list(READER.read(file, report))
    return [int(fault.removeprefix(f"{file}:").partition(":")[0]) for fault in report.faults], report


def test_all_broken_rows_of_a_sentence_are_named_and_its_relations_are_lost(tmp_path: Path):
    good = "#Text=Bo\n3-1\t13-15\tBo\tP\tknows\t3-1\t\n"
    unread = "#Text=Ada Bo\n1-1\t0-x\tAda\tP\t_\t_\t\n1-2\t4-6\tBo\tP\tnear\t1-1\t\n1-3\t7-y\tCy\t_\t_\t_\t\n\n"  # lines 7, 9
    other = "#Text=Ada Bo\n2-1\t0-3\tAdo\tP\tfar|near\t2-2|2-2\t\n2-2\t4-6\tBo\tP\t_\t_\t\n\n"  # line 12
    lines, report = faults_of(tmp_path / "a.tsv", f"{RELATED}{unread}{other}{good}")
    assert lines == [7, 9, 12]
    assert report.dropped == {"broken rows": 1, "broken sentences": 2, "relations of an entity with itself": 1}
    assert report.lost_relations == {"near": 2, "far": 1, "knows": 1}


def test_a_sentence_whose_offsets_are_shifted_is_one_fault_and_single_words_are_each_one(tmp_path: Path):
    shifted = "#Text=x Ada Bo Cy\n1-1\t0-3\tAda\t_\t_\t_\t\n1-2\t4-6\tBo\t_\t_\t_\t\n1-3\t7-9\tCy\t_\t_\t_\t\n\n"  # line 7
    single = "#Text=a b c d\n2-1\t0-1\ta\t_\t_\t_\t\n2-2\t2-3\tx\t_\t_\t_\t\n2-3\t4-5\ty\t_\t_\t_\t\n2-4\t6-7\td\t_\t_\t_\t\n\n"  # 13, 14
    good = "#Text=Bo\n3-1\t13-15\tBo\tP\t_\t_\t\n"
    assert faults_of(tmp_path / "a.tsv", f"{RELATED}{shifted}{single}{good}")[0] == [7, 13, 14]


def test_all_broken_layers_are_named_and_rows_without_a_sentence_too(tmp_path: Path):
    good = "#Text=Bo\n3-1\t13-15\tBo\tP\t_\t_\t\n"
    broken = "#T_XX=a\n#T_RL=webanno.custom.Rel|value\n"
    lines, report = faults_of(tmp_path / "a.tsv", f"{HEAD}{broken}\n{good}")
    assert lines == [3, 4] and report.dropped == {"broken layers": 1, "broken documents": 1}
    early = "1-1\t0-3\tAda\tP\t_\t_\t\n1-2\t4-x\tBo\tP\t_\t_\t\n\n"
    lines, report = faults_of(tmp_path / "b.tsv", f"{RELATED}{early}{good}")
    assert lines == [6, 7] and report.dropped == {"broken rows": 1, "broken sentences": 1}


def test_a_sentence_with_a_broken_token_is_left_out_as_a_whole(tmp_path: Path):
    first = "#Text=Ada Berg\n1-1\t0-3\tAda\tP[1]\t_\t_\t\n1-2\t4-x\tBerg\tP[1]\t_\t_\t\n\n"
    (tmp_path / "a.tsv").write_text(f"{RELATED}{first}#Text=Bo\n2-1\t9-11\tBo\tP\t_\t_\t\n", encoding="utf-8")
    report = ReadReport(on_error="skip")
    (document,) = READER.read(tmp_path / "a.tsv", report)
    assert [entity.text for entity in document.entities] == ["Bo"]
    assert report.dropped == {"broken sentences": 1}
