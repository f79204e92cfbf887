"""What a pre-trained transformer is worth: every pair model on words and on the transformer, and the two kinds of markers.

`--encoder FOLDER` (or `--set encoding.encoder=FOLDER`) names the transformer; without one, only the systems on words can be trained.
"""

from __future__ import annotations

from dataclasses import replace

from relsift.config import TRANSFORMER
from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import EATT_TAG, MTL_TAG, PCNN_TAG, System
from relsift.report.blocks import Report

BILSTM_PCNN = System(name="bilstm_pcnn", title="BiLSTM+PCNN", model="bilstm_pcnn")
FROZEN = System(
    name="bilstm_pcnn-frozen", title="BiLSTM+PCNN on the frozen encoder", model="bilstm_pcnn", preset="frozen",
    overrides=(f"model.encoder={TRANSFORMER}",),
)  # fmt: skip
TUNED = replace(FROZEN, name="bilstm_pcnn-tuned", title="BiLSTM+PCNN on the trained encoder", preset="tuned")
PACKED = System(name="packed_markers", title="Packed markers", model="packed_markers")
TYPED = System(name="typed_markers", title="Typed markers", model="typed_markers")


def _on_encoder(model: str, title: str, preset: str = "paper") -> System:
    return System(
        name=f"{model}-encoder", title=f"{title} on the encoder", model=model, preset=preset, overrides=(f"model.encoder={TRANSFORMER}",)
    )


ON_WORDS = (
    MTL_TAG,
    System(name="cr_cnn_tag", title="CR-CNN+Tag", model="cr_cnn", preset="matched"),
    System(name="multiwindow_cnn_tag", title="Multi-window CNN+Tag", model="multiwindow_cnn"),
    PCNN_TAG,
    EATT_TAG,
    System(name="sptree_tag", title="SPTree+Tag", model="sptree", preset="matched", overrides=("training.epochs=20",)),
    System(name="walk_tag", title="Walk-based+Tag", model="walk"),
    BILSTM_PCNN,
)
ON_ENCODER = (
    *(_on_encoder(system.model, system.title, system.preset or "paper") for system in ON_WORDS),
    FROZEN,
    TUNED,
    TYPED,
    PACKED,
)
SYSTEMS = (*ON_WORDS, *ON_ENCODER)
QUESTION = (
    "What does a pre-trained transformer add to each pair model, and are markers of all pairs in one pass as good as one pass a pair? "
    f"Every system is compared with {MTL_TAG.title} of Ye et al. (ACL 2019)."
)


def report(results: Results, command: str) -> Report:
    few = (MTL_TAG, BILSTM_PCNN, FROZEN, TUNED, TYPED, PACKED)
    return full_report(results, command, title="Encoders", question=QUESTION, base=MTL_TAG, drawn_systems=few)


EXPERIMENT = Experiment(
    name="encoders", summary="every pair model on words and on a transformer, and both kinds of markers", systems=lambda plan: SYSTEMS,
    report=report,
)  # fmt: skip
