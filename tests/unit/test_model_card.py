"""The card of a model: what it says, and that no text of others becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.decisions.provenance import TunedOn
from relsift.encoding.encoding import Encoding
from relsift.errors import DataError
from relsift.evaluation.scores import TypeScore
from relsift.extractor import RelationExtractor
from relsift.inference import Scorer
from relsift.model_card import card, checked_licence, keep_card, write_card
from relsift.model_extras import is_written_by_relsift
from relsift.models.pcnn import PCNN
from relsift.schema import Entity, Relation, Sentence

ABOUT = {
    "data": "gazette-en", "data_licence": "CC0 1.0", "language": "en", "licence": "Apache-2.0",
    "training_candidates": {"kept": 20, "positive": 5},
    "development": {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "average": "micro", "setting": {"entities": "gold", "match": "strict"}},
}  # fmt: skip


def bundle_of(relation: str = "works_for", **about: object) -> Bundle:
    sentence = Sentence("1", ("Ada", "leads", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, relation),))
    known = Encoding.fit([sentence], reads=PCNN.READS)
    tuned = TunedOn(
        data="gazette-en, development part", checksums={}, sentences=9, pairs=20, related=5, aim="f1", version="0.2.0",
        relations={relation: TypeScore(1, 1, 3)},
    )  # fmt: skip
    model = PCNN(PCNN.Config.tiny(), known)
    return Bundle("pcnn", Scorer(model, known, Candidates(direction="directed")), Decision(threshold=0.5, tuned_on=tuned), ABOUT | about)


def front_of(text: str) -> dict[str, object]:
    _, front, _ = text.split("---\n", 2)
    return yaml.safe_load(front)


def test_the_card_says_data_licence_scores_and_decision():
    text = card(bundle_of(), "mine")
    front = front_of(text)
    assert (front["license"], front["language"], front["library_name"]) == ("apache-2.0", ["en"], "relsift")
    assert [each["value"] for each in front["model-index"][0]["results"][0]["metrics"]] == [0.5, 0.25, 1 / 3]
    for line in (
        "# mine", "| data | gazette-en |", "| licence of the data, as its source states it | CC0 1.0 |",
        "| licence of the model | Apache-2.0 |",
        "| works_for | 0.500 | 4 | 50.0 | 25.0 | 33.3 |", "The common threshold is 0.500.", "Relations get no probability.", "## Limits",
        "Micro precision 50.0, recall 25.0 and F1 33.3 per cent.", "entities=gold, match=strict",
    ):  # fmt: skip
        assert line in text, line


def test_the_hub_s_own_library_reads_the_card():
    hub = pytest.importorskip("huggingface_hub")
    data = hub.ModelCard(card(bundle_of(licence="my own terms\u202e: free"), "mine")).data
    assert (data.license, data.license_name) == ("other", "my own terms\\u202e: free")
    assert (data.eval_results[0].dataset_name, data.eval_results[0].metric_value) == ("gazette-en, development part", 0.5)


HOSTILE = "<script>x</script>\n---\nlicense: mit\n# [a](javascript:b) `c` | d {{e}}"


def test_hostile_text_is_never_markup():
    text = card(bundle_of(relation=HOSTILE, data=HOSTILE, licence=HOSTILE, data_licence=HOSTILE), HOSTILE)
    front = front_of(text)
    assert front["license"] == "other" and front["license_name"].startswith("<script>")
    body = text.split("---\n", 2)[2]
    assert "<script" not in body and re.search(r"(?<!\\)[\[\]`]", body.split("## How to use it")[0]) is None
    assert [line for line in body.splitlines() if line.startswith("# ")] == [body.strip().splitlines()[0]]
    assert not [line for line in body.splitlines() if line.startswith(("---", "license"))]
    rows = [line for line in body.splitlines() if line.startswith("| data |")]
    assert len(rows) == 1 and rows[0].replace("\\|", "").count("|") == 3


def test_a_model_without_records_says_so():
    bare = replace(bundle_of(), about={}, decision=Decision())
    text = card(bare, "bare")
    assert front_of(text) == {"license": "unknown", "library_name": "relsift", "tags": ["relation-extraction", "relsift"]}
    assert "The folder records no scores." in text and "| data | not recorded |" in text


def test_the_card_lies_in_the_model_folder_and_changes_nothing_else(tmp_path):
    bundle_of().save(tmp_path / "run" / "model")
    before = sorted(file.name for file in (tmp_path / "run" / "model").iterdir())
    assert write_card(tmp_path / "run") == tmp_path / "run" / "model" / "README.md"
    assert sorted(file.name for file in (tmp_path / "run" / "model").iterdir()) == sorted([*before, "README.md"])
    assert "# run\n" in (tmp_path / "run" / "model" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "  ", "one\ntwo", "x" * 201, "a\u202eb"])
def test_a_licence_is_one_short_line(text):
    with pytest.raises(DataError, match="--licence: expected a name"):
        checked_licence(text)


def test_blanks_around_a_licence_go():
    assert checked_licence(" CC BY 4.0 ") == "CC BY 4.0"


def test_saving_keeps_a_card_of_the_users_and_all_other_files_and_drops_the_card_of_the_old_model(tmp_path):
    folder = tmp_path / "model"
    extractor = RelationExtractor(bundle_of())
    extractor.save_pretrained(folder)
    card_file = folder / "README.md"
    assert is_written_by_relsift(card_file)
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").write_text("mine", encoding="utf-8")
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs", encoding="utf-8")
    (folder / "link").symlink_to("notes/a.txt")
    (folder / "member-1").mkdir()  # of an ensemble that was here
    RelationExtractor(bundle_of(licence="MIT")).save_pretrained(folder)
    assert "MIT" in card_file.read_text(encoding="utf-8")
    assert (folder / "link").read_text(encoding="utf-8") == "mine" and (folder / "link").is_symlink()
    assert {file.name for file in folder.iterdir()} == {
        "model.json", "model.safetensors", "decision.json", "README.md", "notes", ".gitattributes", "link",
    }  # fmt: skip
    by_hand = card_file.read_text(encoding="utf-8").replace("Made with relsift.", "Made by me.")
    card_file.write_text(by_hand, encoding="utf-8")
    extractor.save_pretrained(folder)
    assert card_file.read_text(encoding="utf-8") == by_hand
    assert not keep_card(bundle_of(), folder)
    write_card(folder)  # asked for by name
    assert is_written_by_relsift(card_file)
    bundle_of().save(folder)  # which writes no card
    assert not card_file.exists() and (folder / "notes" / "a.txt").is_file()
