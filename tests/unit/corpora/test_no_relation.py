"""Labels that mean "not related"."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relsift.corpora.data import resolve
from relsift.corpora.no_relation import looks_like_no_relation, never_seen, no_relation_warnings, without_types
from relsift.errors import ConfigError
from relsift.readers.base import ReadReport
from relsift.schema import Document, Entity, RelationAcross, Sentence, sentences_of


@pytest.mark.parametrize(
    "name", ["no_relation", "NO-RELATION", "norelation", "NA", "N/A", "Other", "Other(e1,e2)", "None", "none", "Unknown", "无关系", "未知"]
)
def test_usual_names_for_no_relation_are_known(name: str):
    assert looks_like_no_relation(name)


@pytest.mark.parametrize(
    "name", ["Work_For", "part_of", "other_effect", "no_longer_at", "NATO", "nonprofit_of", "Located_In", "关系", "无效", ""]
)
def test_names_of_relations_are_not_taken_for_it(name: str):
    assert not looks_like_no_relation(name)


def test_a_warning_names_the_type_and_the_option():
    assert no_relation_warnings(["NA", "kills", "NA", "no relation"]) == [
        "the relation type 'NA' looks like a label for unrelated pairs, but is trained and scored like any other; "
        "if it means no relation, add --no-relation NA",
        "the relation type 'no relation' looks like a label for unrelated pairs, but is trained and scored like any other; "
        "if it means no relation, add --no-relation 'no relation'",
    ]


def write(folder: Path) -> str:
    """Three pairs: NA, kills, and both."""
    entities = [{"start": 0, "end": 1, "type": "P"}, {"start": 1, "end": 2, "type": "P"}]
    kinds = (["NA"], ["kills"], ["NA", "kills"])
    lines = [
        {"id": f"s{n}", "tokens": ["a", "b"], "entities": entities, "relations": [{"head": 0, "tail": 1, "type": kind} for kind in some]}
        for n, some in enumerate(kinds)
    ]
    (folder / "d.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(folder / "d.jsonl")


def test_named_labels_across_sentences_are_taken_out_too():
    one = Sentence("s", ("a",), (Entity(0, 1, "P"),), ())
    document = Document("d", (one, one), across=(RelationAcross((0, 0), (1, 0), "NA"), RelationAcross((0, 0), (1, 0), "kills")))
    (kept,) = without_types([document], ["NA"], ReadReport())
    assert [relation.type for relation in kept.across] == ["kills"]


def test_named_labels_are_taken_out_and_counted_and_their_pairs_stay_annotated(tmp_path: Path):
    report = ReadReport()
    data = resolve(write(tmp_path), ["NA"])
    sentences = list(sentences_of(data.documents(None, report)))
    assert [[relation.type for relation in sentence.relations or ()] for sentence in sentences] == [[], ["kills"], ["kills"]]
    assert all(sentence.relations is not None for sentence in sentences)
    assert report.dropped == {"relations of the type 'NA' (--no-relation: such pairs are unrelated)": 2}
    assert not report.lost_relations
    assert data.sha256() == resolve(write(tmp_path)).sha256()  # of the file


def test_a_label_that_was_lost_in_reading_is_no_missed_relation(tmp_path: Path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("Bo left. Al came.", encoding="utf-8")
    (folder / "a.ann").write_text("T1\tP 0 2\tBo\nT2\tP 9 11\tAl\nR1\tNA Arg1:T1 Arg2:T2\n", encoding="utf-8")
    report = ReadReport()
    list(resolve(f"brat:{folder}", ["NA"]).documents(None, report))
    assert not report.lost_relations


def test_a_name_that_no_relation_has_is_told(tmp_path: Path):
    report = ReadReport()
    list(resolve(write(tmp_path), ["na", "NA"]).documents(None, report))
    assert never_seen(["na", "NA"], report) == [
        "--no-relation na: the data has no relation of this type; check the spelling, upper and lower case count"
    ]
    with pytest.raises(ConfigError, match="--no-relation: expected a relation type, got an empty name"):
        resolve(write(tmp_path), [""])
