"""Exported models are used in a process that has neither torch nor what only training needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.encoding import Encoding
from relsift.exporting.export import export
from relsift.inference import Scorer
from relsift.models.bilstm_pcnn import BiLSTMPCNN
from toy import randomise, sentences

# A process in which these packages are not installed, as far as it can tell.
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "numba", "sklearn", "scipy", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from relsift.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """`run`, a model in torch; `model`, what is exported of it; `data.jsonl`, annotated sentences."""
    place = tmp_path_factory.mktemp("exported")
    reads = BiLSTMPCNN.reads(BiLSTMPCNN.Config.tiny())
    known = Encoding.fit(sentences(40), reads=reads)
    model = BiLSTMPCNN(BiLSTMPCNN.Config.tiny(), known)
    randomise(model, 1, 0.3)
    bundle = Bundle("bilstm_pcnn", Scorer(model.eval(), known, Candidates(direction="directed")), Decision(threshold=-5.0))
    bundle.save(place / "run")
    export(bundle, "numpy", place / "model")
    with (place / "data.jsonl").open("w", encoding="utf-8") as stream:
        for sentence in sentences(6):
            entities = [{"start": e.start, "end": e.end, "type": e.type} for e in sentence.entities]
            relations = [{"head": r.head, "tail": r.tail, "type": r.type} for r in sentence.relations or ()]
            stream.write(json.dumps({"id": sentence.id, "tokens": sentence.tokens, "entities": entities, "relations": relations}) + "\n")
    return place


def relsift(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCKED, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_prediction_without_torch_gives_the_relations_that_torch_gives(place):
    from relsift import RelationExtractor

    done = relsift("predict", place / "model", place / "data.jsonl")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    expected = RelationExtractor.from_pretrained(place / "run").predict([{**line, "relations": []} for line in lines])
    assert any(line["relations"] for line in lines)
    for line, sentence in zip(lines, expected, strict=True):
        found = sentence.relations or ()
        assert [(r["head"], r["tail"], r["type"]) for r in line["relations"]] == [(r.head, r.tail, r.type) for r in found]
        assert [r["score"] for r in line["relations"]] == pytest.approx([r.score for r in found], abs=1e-5)


def test_evaluation_and_a_new_threshold_need_no_torch(place):
    done = relsift("evaluate", place / "model", place / "data.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["micro"]["recall"] > 0
    assert relsift("decide", place / "model", "--set", "threshold=2.5").returncode == 0
    assert Bundle.load(place / "model").decision.threshold == 2.5


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("predict", "run", "data.jsonl"), "expected the package torch, which this model needs, got none"),
        (("export", "run", "numpy", "--out", "new"), "expected the package torch, which this command needs, got none"),
        (("decide", "model", "--data", "data.jsonl", "--set", "calibration=platt"), "expected the package scikit-learn"),
    ],
)
def test_what_needs_a_missing_package_says_so_in_one_line(place, command, message):
    done = relsift(*(place / part if part in ("run", "model", "new", "data.jsonl") else part for part in command))
    assert done.returncode == 2
    [error] = [line for line in done.stderr.splitlines() if line.startswith("relsift: error:")]
    assert message in error and "Traceback" not in done.stderr
