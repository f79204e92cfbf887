"""A small grid on invented sentences, in a folder, for the tests of the experiments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from relsift.corpora.data import resolve
from relsift.experiments.result import Plan
from relsift.experiments.system import System
from relsift.writers.native import record_of
from toy import sentences

SMALL = (
    "model.word_size=6", "model.tag_size=3", "model.distance_size=3", "model.max_distance=5", "model.windows=[2, 3]", "model.filters=4",
    "model.hidden=8", "training.epochs=3", "training.learning_rate=0.01",
)  # fmt: skip
WITH_TAGS = System(name="tags", title="with tags", overrides=SMALL)
WITHOUT_TAGS = System(name="plain", title="without tags", overrides=(*SMALL, "model.tags=false"))


def write_sentences(file: Path, count: int = 48) -> Path:
    """Documents of two sentences each, in the native format."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record_of(replace(s, doc_id=f"d{n // 2}"), doc_id=f"d{n // 2}")) for n, s in enumerate(sentences(count))]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def plan_of(file: Path, folds: int = 2) -> Plan:
    data = resolve(f"native:{file}")
    return Plan(
        data=data.name, checksum=data.sha256(), language=None, direction="directed", type_filter=True, folds=folds, development=0.25
    )
