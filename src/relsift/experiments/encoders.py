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
# What a tagger's tags leave of the gain: types stand in the tags and in a vector of the pair's types, so this one has to go.
UNTYPED = replace(FROZEN, name="bilstm_pcnn-frozen-untyped", title="the same without tags and types").with_overrides(
    "model.type_size=0", "model.tags=false"
)
TAGGED = replace(
    FROZEN, name="bilstm_pcnn-frozen-tagged", title="the same with predicted tags, without types", tagger="both",
    overrides=(*FROZEN.overrides, "model.type_size=0"),
)  # fmt: skip
PACKED = System(name="packed_markers", title="Packed markers", model="packed_markers")
TYPED = System(name="typed_markers", title="Typed markers", model="typed_markers")


def _on_frozen(system: System) -> System:
    """The same model reads the mean of the transformer's layers, which are not trained: the only way all of them can be on two cores."""
    frozen = (f"model.encoder={TRANSFORMER}", "model.encoder_options.last_layers=0", "training.freeze_encoder=true")
    return replace(system, name=f"{system.model}-encoder", title=f"{system.title} on the frozen encoder").with_overrides(*frozen)


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
    *(_on_frozen(system) for system in ON_WORDS if system is not BILSTM_PCNN),
    FROZEN,
    UNTYPED,
    TAGGED,
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
