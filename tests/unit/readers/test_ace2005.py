"""ACE 2005: documents written here in that format, since the corpus is licensed.

`Pair` writes an .sgm and the .apf.xml that belongs to it, with offsets found by searching the text without tags, so that the
tests state words, not numbers; one test states the numbers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pytest

from relsift.errors import DataError
from relsift.readers.ace2005 import READER, SAMPLES
from relsift.readers.base import ReadReport
from relsift.schema import Document


@dataclass
class Pair:
    """One document; mentions are given as (id, entity type, subtype, extent, head), words as they stand in the .sgm."""

    body: str
    mentions: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    relations: str = ""
    before: str = "<HEADLINE>\nNews\n</HEADLINE>\n"
    name: str = "DOC"

    @property
    def sgm(self) -> str:
        return f"<DOC>\n<DOCID> {self.name} </DOCID>\n<BODY>\n{self.before}<TEXT>\n{self.body}\n</TEXT>\n</BODY>\n</DOC>\n"

    def charseq(self, words: str) -> str:
        start = re.sub("<[^>]*>", "", self.sgm).index(words)
        return f'<charseq START="{start}" END="{start + len(words) - 1}">{words}</charseq>'

    @property
    def apf(self) -> str:
        entities = ""
        for key, kind, subtype, extent, head in self.mentions:
            entities += f'<entity ID="{self.name}-{key}" TYPE="{kind}" SUBTYPE="{subtype}" CLASS="SPC">\n'
            entities += f'<entity_mention ID="{key}" TYPE="NAM" LDCTYPE="NAM">\n<extent>{self.charseq(extent)}</extent>\n'
            entities += f"<head>{self.charseq(head)}</head>\n</entity_mention>\n</entity>\n"
        opening = '<?xml version="1.0"?>\n<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">\n'
        opening += f'<source_file URI="{self.name}.sgm" SOURCE="newswire" TYPE="text" AUTHOR="LDC" ENCODING="UTF-8">\n'
        return f'{opening}<document DOCID="{self.name}">\n{entities}{self.relations}</document>\n</source_file>\n'

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.sgm").write_bytes(self.sgm.encode())
        path = folder / f"{self.name}.apf.xml"
        path.write_bytes(self.apf.encode())
        return path


def relation(head: str, tail: str, *, kind: str = "PHYS", subtype: str = "Located", extent: str = "", more: str = "") -> str:
    return (
        f'<relation ID="R" TYPE="{kind}" SUBTYPE="{subtype}" TENSE="Past" MODALITY="Asserted">\n'
        f'<relation_argument REFID="X" ROLE="Arg-1"/>\n<relation_mention ID="R-1" LEXICALCONDITION="Verbal">\n{extent}'
        f'<relation_mention_argument REFID="{head}" ROLE="Arg-1"/>\n<relation_mention_argument REFID="{tail}" ROLE="Arg-2"/>\n'
        f"{more}</relation_mention>\n</relation>\n"
    )


def read(path: Path, **options: str) -> tuple[list[Document], ReadReport]:
    report = ReadReport()
    return list(READER.read(path, report, **options)), report


def words(document: Document) -> list[str]:
    assert document.text is not None
    return [document.text[slice(*e.chars)] for s in document.sentences for e in s.entities if e.chars]


ADA = ("E1-1", "PER", "Individual", "Ada", "Ada")
LUND = ("E2-1", "GPE", "Population-Center", "Lund", "Lund")


def test_the_sample_counts_offsets_by_hand(tmp_path: Path):
    # Without tags, lines: "", " TOWN_1 " (8), "", "", "News" (4), "", "", then "Ida Holm, the mayor of". Each has its line end:
    # 1 + 9 + 1 + 1 + 5 + 1 + 1 = 19 characters before "Ida", and "the mayor" 10 later.
    for name, content in SAMPLES.items():
        (tmp_path / name).write_bytes(content.encode())
    (document,), report = read(tmp_path)
    assert document.text is not None
    assert document.text.index("Ida") == 19
    assert words(document) == ["mayor", "Lund &amp; Co"]
    assert [e.chars for e in document.sentences[0].entities] == [(33, 38), (42, 55)]
    assert [(r.head, r.tail, r.type) for r in document.sentences[0].relations or ()] == [(0, 1, "ORG-AFF")]
    assert not report.dropped


def test_entities_of_the_sgm_are_not_unescaped_before_counting(tmp_path: Path):
    path = Pair("A &lt;b&gt; &amp; c met Ada.", [ADA]).write(tmp_path)
    (document,), _ = read(path)
    assert words(document) == ["Ada"]
    assert document.text is not None
    assert "&lt;b&gt; &amp; c" in document.text


def test_tags_over_several_lines_are_removed_and_line_ends_kept(tmp_path: Path):
    body = '<POST>\n<POSTER> Ada </POSTER>\n<QUOTE PREVIOUSPOST="\nold\nwords\n"/>\nShe is in Lund.\n</POST>'
    (document,), _ = read(Pair(body, [ADA, LUND]).write(tmp_path))
    assert words(document) == ["Ada", "Lund"]
    assert [s.tokens for s in document.sentences] == [("Ada",), ("She", "is", "in", "Lund", ".")]


def test_head_or_full_extent(tmp_path: Path):
    mayor = ("E1-1", "PER", "Individual", "The old mayor of Lund", "mayor")
    path = Pair("The old mayor of Lund left.", [mayor, LUND]).write(tmp_path)
    assert words(read(path)[0][0]) == ["mayor", "Lund"]
    (document,), _ = read(path, extent="full")
    assert words(document) == ["The old mayor of Lund", "Lund"]
    assert [(e.start, e.end) for e in document.sentences[0].entities] == [(0, 5), (4, 5)]


def test_types_are_coarse_or_subtypes_as_asked(tmp_path: Path):
    path = Pair("Ada is in Lund.", [ADA, LUND], relation("E1-1", "E2-1")).write(tmp_path)
    (sentence,) = read(path)[0][0].sentences
    assert [(e.type, e.subtype) for e in sentence.entities] == [("PER", "PER:Individual"), ("GPE", "GPE:Population-Center")]
    assert [r.type for r in sentence.relations or ()] == ["PHYS"]
    (sentence,) = read(path, entity_types="subtype", relation_types="subtype")[0][0].sentences
    assert [e.type for e in sentence.entities] == ["PER:Individual", "GPE:Population-Center"]
    assert [r.type for r in sentence.relations or ()] == ["PHYS:Located"]


def test_time_arguments_are_skipped_and_times_values_and_events_counted(tmp_path: Path):
    time = '<relation_mention_argument REFID="T1-1" ROLE="Time-Within"/>\n'
    others = '<timex2 ID="T1"><timex2_mention ID="T1-1"/></timex2>\n'
    others += '<value ID="V1" TYPE="Job-Title"><value_mention ID="V1-1"/></value>\n'
    others += '<event ID="EV1" TYPE="Life"/>\n'
    pair = Pair("Ada was in Lund.", [ADA, LUND], others + relation("E1-1", "E2-1", more=time) + relation("E1-1", "V1-1"))
    (document,), report = read(pair.write(tmp_path))
    assert [(r.head, r.tail) for r in document.sentences[0].relations or ()] == [(0, 1)]
    assert report.dropped == {
        "times": 1,
        "values": 1,
        "events": 1,
        "time and value arguments of relations": 1,
        "relations of a dropped entity, a time or a value": 1,
    }


def test_relations_without_a_mention_are_counted(tmp_path: Path):
    metonymy = '<relation ID="R9" TYPE="METONYMY"><relation_argument REFID="E1" ROLE="Arg-1"/></relation>\n'
    (_,), report = read(Pair("Ada left.", [ADA], metonymy).write(tmp_path))
    assert report.dropped == {"relations without a mention": 1}


def test_wrapped_lines_and_full_stops_inside_a_relation_do_not_part_its_ends(tmp_path: Path):
    pair = Pair("He saw Ada of Big! Co. In\nLund it rained. It\nstopped.\n\nNew", [ADA, LUND])
    (document,), report = read(pair.write(tmp_path))
    assert len(document.sentences) == 5
    extent = f"<extent>{pair.charseq(pair.body[7:30])}</extent>\n"
    pair.relations = relation("E1-1", "E2-1", extent=extent)
    (document,), report = read(pair.write(tmp_path))
    assert [len(s.relations or ()) for s in document.sentences] == [1, 0, 0]
    assert not report.dropped


def test_relations_across_sentences_are_counted(tmp_path: Path):
    (document,), report = read(Pair("Ada left. Lund slept.", [ADA, LUND], relation("E1-1", "E2-1")).write(tmp_path))
    assert [s.relations for s in document.sentences] == [(), ()]
    assert report.dropped == {"relations across sentences": 1}


def test_only_the_text_body_is_read(tmp_path: Path):
    pair = Pair("Lund slept.", [ADA, LUND], relation("E1-1", "E2-1"), before="<HEADLINE>\nAda left\n</HEADLINE>\n")
    (document,), report = read(pair.write(tmp_path))
    assert [s.tokens for s in document.sentences] == [("Lund", "slept", ".")]
    assert report.dropped == {"entities outside the TEXT body": 1, "relations of a dropped entity, a time or a value": 1}


def test_chinese_is_read_by_characters_and_wrapped_without_blanks(tmp_path: Path):
    mentions = [("E1-1", "PER", "Individual", "王先\n生", "王先\n生"), ("E2-1", "GPE", "Nation", "法国", "法国")]
    path = Pair("　　王先\n生2005年到了法国。他很好。", mentions, relation("E1-1", "E2-1")).write(tmp_path)
    (document,), _ = read(path)
    assert [len(s.tokens) for s in document.sentences] == [13, 4]
    assert document.sentences[0].tokens[:5] == ("王", "先", "生", "2", "0")
    assert [(r.head, r.tail) for r in document.sentences[0].relations or ()] == [(0, 1)]
    (document,), _ = read(path, language="en")
    assert document.sentences[0].tokens[:5] == ("王", "先", "生", "2005", "年")


def test_the_final_annotation_pass_is_read_once(tmp_path: Path):
    for folder in ("fp1", "adj", "timex2norm"):
        Pair("Ada left.", [ADA] if folder == "timex2norm" else []).write(tmp_path / "nw" / folder)
    (document,), report = read(tmp_path)
    assert words(document) == ["Ada"]
    assert report.dropped == {"files of an earlier annotation pass": 2}


def test_a_document_that_is_there_twice_is_refused(tmp_path: Path):
    for folder in ("a", "b"):
        Pair("Ada left.", [ADA]).write(tmp_path / folder)
    with pytest.raises(DataError, match="expected a document once"):
        read(tmp_path)


def test_the_sgm_may_be_named_instead(tmp_path: Path):
    path = Pair("Ada left.", [ADA]).write(tmp_path)
    assert words(read(tmp_path / "DOC.sgm")[0][0]) == ["Ada"]
    assert READER.recognises(path)
    assert READER.recognises(tmp_path / "DOC.sgm")
    assert READER.recognises(tmp_path)
    (tmp_path / "other.xml").write_text("<document id='d'><sentence/></document>")
    assert not READER.recognises(tmp_path / "other.xml")


def test_a_few_wrong_offsets_are_counted_and_many_are_refused(tmp_path: Path):
    path = Pair("Ada and Bo are in Lund.", [ADA, LUND, ("E3-1", "PER", "Individual", "Bo", "Bo")]).write(tmp_path)
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace(">Bo<", ">Jo<"), encoding="utf-8")
    (document,), report = read(path)
    assert words(document) == ["Ada", "Lund"]
    assert report.dropped == {"entities whose words are not at their offsets": 1}
    exclusive = re.sub('END="([0-9]+)"', lambda m: f'END="{int(m.group(1)) + 1}"', right)
    path.write_text(exclusive, encoding="utf-8")
    with pytest.raises(DataError, match=r"DOC\.apf\.xml:8: expected 'Ada' for E1-1, got 'Ada ', and so for 3 of 3 mentions"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('END="', 'END="9', 8, "expected START <= END within"),
        ('START="', 'START="x', 8, "START: expected a whole number, got 'x"),
        (' ID="E2-1"', "", 12, "expected <entity_mention> with the attribute 'ID'"),
        (' ID="E2-1"', ' ID="E1-1"', 12, "expected each id once, got 'E1-1' again"),
        ("head>", "hat>", 6, "expected <head> inside <entity_mention>, got <extent>, <hat>"),
        ('REFID="E2-1"', 'REFID="E9-9"', 21, "expected the id of a mention of this file, got 'E9-9'"),
        ('ROLE="Arg-2"', 'ROLE="Time-Within"', 19, "expected the arguments Arg-1 and Arg-2, got Arg-1"),
        ("</relation>", "", 24, "expected well-formed XML, got mismatched tag"),
    ],
)
def test_broken_annotation_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, line: int, message: str):
    path = Pair("Ada is in Lund.", [ADA, LUND], relation("E1-1", "E2-1")).write(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_a_missing_or_shapeless_source_is_refused(tmp_path: Path):
    path = Pair(escape("Ada left."), [ADA]).write(tmp_path)
    (tmp_path / "DOC.sgm").write_text("<DOC>Ada left.</DOC>")
    with pytest.raises(DataError, match=r"DOC\.sgm: expected <TEXT> … </TEXT>, got neither"):
        read(path)
    (tmp_path / "DOC.sgm").write_text("<DOC><TEXT>Ada left.</DOC>")
    with pytest.raises(DataError, match=r"DOC\.sgm: expected <TEXT> … </TEXT>, got no </TEXT>"):
        read(path)
    (tmp_path / "DOC.sgm").unlink()
    with pytest.raises(DataError, match=r"DOC\.sgm: expected the source text beside the annotation"):
        read(path)


# ---- broken pairs, and counts that add up ---------------------------------------------------------------------------------------

BODY = "Ada runs Zed in Lund."
MENTIONS = [("M1", "PER", "I", "Ada", "Ada"), ("M2", "ORG", "C", "Zed", "Zed"), ("M3", "GPE", "P", "Lund", "Lund")]


def _changed(folder: Path, *changes: tuple[str, str], relations: str = "") -> Path:
    """A pair with three mentions, whose annotation is changed in its text."""
    path = Pair(BODY, MENTIONS, relations).write(folder)
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


def _mention(*arguments: tuple[str, str]) -> str:
    inner = "".join(f'<relation_mention_argument REFID="{key}" ROLE="{role}"/>' for key, role in arguments)
    return f'<relation_mention ID="R">{inner}</relation_mention>'


def _relation(*mentions: str, kind: str = "PHYS") -> str:
    return f'<relation ID="R" TYPE="{kind}">{"".join(mentions)}</relation>\n'


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([("M1", "Arg-1"), ("M2", "Arg-1"), ("M3", "Arg-2")], "expected Arg-1 once in a relation mention, got it again"),
        ([("M1", "Arg-1")], "expected the arguments Arg-1 and Arg-2, got Arg-1"),
        ([("M1", "Arg-1"), ("M9", "Arg-2")], "expected the id of a mention of this file, got 'M9'"),
    ],
)
def test_a_broken_relation_mention_costs_no_other(tmp_path: Path, arguments: list[tuple[str, str]], expected: str):
    good = _mention(("M2", "Arg-1"), ("M3", "Arg-2"))
    path = _changed(tmp_path, relations=_relation(_mention(*arguments), good))
    with pytest.raises(DataError, match=expected):
        list(READER.read(path, ReadReport()))
    report = ReadReport(on_error="skip")
    (document,) = READER.read(path, report)
    assert [len(sentence.relations or ()) for sentence in document.sentences] == [1]
    assert report.dropped == {"broken relations": 1}
    assert report.lost_relations == {"PHYS": 1}


def test_a_second_document_in_a_file_is_refused(tmp_path: Path):
    path = _changed(tmp_path, ("</source_file>", '<document DOCID="OTHER"/></source_file>'))
    with pytest.raises(DataError, match=r"DOC\.apf\.xml:\d+: expected one <document> a file, as one \.sgm belongs to it, got a second"):
        list(READER.read(path, ReadReport()))


def test_every_mention_is_kept_or_counted_once(tmp_path: Path):
    """Counted by hand: of 5 entity mentions and 5 relation mentions two of each kind stay."""
    good, twice = _mention(("M1", "Arg-1"), ("M2", "Arg-2")), _mention(("M2", "Arg-1"), ("M2", "Arg-2"))
    timed, outside, broken = (_mention(("M1", "Arg-1"), (other, "Arg-2")) for other in ("T1", "M4", "M9"))
    headline = '<entity ID="E4" TYPE="PER"><entity_mention ID="M4"><head><charseq START="13" END="16">News</charseq></head>'
    blank = '<entity_mention ID="M5"><head><charseq START="x" END="2">?</charseq></head></entity_mention>'
    path = _changed(
        tmp_path,
        ("</document>", f"{headline}</entity_mention>{blank}</entity><entity ID='E6' TYPE='PER'/></document>"),
        ("</document>", '<timex2 ID="T"><timex2_mention ID="T1"/></timex2></document>'),
        (">Zed<", ">Zod<"),  # of the extent, which is not read
        relations=_relation(good, twice, timed, outside, broken) + _relation(kind="ART"),
    )
    start = re.sub("<[^>]*>", "", path.with_name("DOC.sgm").read_text(encoding="utf-8")).index("News")
    path.write_text(
        path.read_text(encoding="utf-8").replace('START="13" END="16"', f'START="{start}" END="{start + 3}"'), encoding="utf-8"
    )
    report = ReadReport(on_error="skip")
    (document,) = READER.read(path, report)
    entities = [entity for sentence in document.sentences for entity in sentence.entities]
    relations = [relation for sentence in document.sentences for relation in sentence.relations or ()]
    assert (len(entities), len(relations)) == (3, 1)
    assert report.dropped == {
        "entities outside the TEXT body": 1, "broken entities": 1, "entities without a mention": 1, "times": 1,
        "relations of an entity with itself": 1, "relations of a dropped entity, a time or a value": 2, "broken relations": 1,
        "relations without a mention": 1,
    }  # fmt: skip


def test_line_ends_that_were_rewritten_are_named_as_the_reason(tmp_path: Path):
    path = Pair("One.\nTwo.\n" * 5 + BODY, MENTIONS).write(tmp_path)
    sgm = path.with_name("DOC.sgm")
    sgm.write_bytes(sgm.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(DataError, match=r"and so for 3 of 3 mentions; .* read it with ace2005\[line_ends=lf\]"):
        list(READER.read(path, ReadReport()))
    (document,) = READER.read(path, ReadReport(), line_ends="lf")
    assert [sentence.text_of(entity) for sentence in document.sentences for entity in sentence.entities] == ["Ada", "Zed", "Lund"]


def test_a_source_of_a_million_angle_brackets_is_read_in_linear_time(tmp_path: Path):
    (tmp_path / "a.sgm").write_text("<TEXT>" + "<" * 1_000_000 + "</TEXT>", encoding="utf-8")
    (tmp_path / "a.apf.xml").write_text('<source_file><document DOCID="a"/></source_file>', encoding="utf-8")
    code = (
        "from pathlib import Path; from relsift.readers.ace2005 import _source; "
        f"print(len(_source(Path({str(tmp_path / 'a.sgm')!r}), 'utf-8').text))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "1000000"


@pytest.mark.parametrize(("sgm", "apf"), [("TOWN.SGM", "TOWN.APF.XML"), ("town.SGM", "town.apf.XML"), ("Town.Sgm", "Town.Apf.Xml")])
def test_suffixes_may_be_written_in_capitals(tmp_path: Path, sgm: str, apf: str):
    for name, text in SAMPLES.items():
        (tmp_path / (apf if name.endswith(".xml") else sgm)).write_text(text, encoding="utf-8")
    assert READER.recognises(tmp_path)
    for path in (tmp_path, tmp_path / sgm, tmp_path / apf):
        (document,) = read(path)[0]
        assert document.id == "TOWN_1"
