"""What is the loss worth? One model with every loss, with identification at prediction, and with few negatives an epoch.

`--encoder FOLDER` names the transformer of the systems that read one; without it, only those on words are trained. The options of each
loss have their defaults. Nothing is tuned but the threshold and the epoch, on development data with all their pairs.
"""

from __future__ import annotations

from relsift.experiments.encoders import PACKED
from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import MTL_TAG, PCNN_TAG, System
from relsift.report.blocks import Report

TITLES = {
    "adaptive_focal": "adaptive focal",
    "asymmetric": "asymmetric",
    "atloss": "ATLOSS",
    "binary_cross_entropy": "binary cross-entropy",
    "both": "ranking and cross-entropy",
    "class_balanced": "class-balanced",
    "cross_entropy": "cross-entropy",
    "focal": "focal",
    "logit_adjustment": "logit adjustment",
    "multilabel_cross_entropy": "multi-label cross-entropy",
    "ncrl": "none class ranking",
    "ranking": "ranking",
    "ssr_pu": "SSR-PU",
}
OF_PACKED = ("cross_entropy", "logit_adjustment", "multilabel_cross_entropy", "ncrl")  # its own is ATLOSS; few, for it is slow
OF_PCNN = ("adaptive_focal", "atloss", "focal", "logit_adjustment", "ncrl", "ranking")  # its own loss is the cross-entropy


def _changed(base: System, name: str, title: str, *overrides: str) -> System:
    return System(
        name=f"{base.name}-{name}", title=f"{base.title}, {title}", model=base.model, preset=base.preset,
        overrides=(*base.overrides, *overrides),
    )  # fmt: skip


def _with_loss(base: System, loss: str) -> System:
    return _changed(base, loss, TITLES[loss], f"model.classification={loss}")


SMOOTHED = _changed(MTL_TAG, "smoothed", "cross-entropy, “none” smoothed", "model.classification=cross_entropy", "model.none_smoothing=0.1")
AT_PREDICTION = tuple(
    _changed(MTL_TAG, f"{name}-{way}", f"{title}identification as {way}", *overrides, f"model.identification_at_prediction={way}")
    for name, title, overrides in (
        ("identification", "", ()),
        ("cross_entropy-identification", "cross-entropy, ", ("model.classification=cross_entropy",)),
    )
    for way in ("product", "filter")
)


def _with_few_negatives(base: System) -> tuple[System, ...]:
    return tuple(
        _changed(base, f"negatives{ratio}", f"{ratio} negatives a positive", f"training.negatives={ratio}") for ratio in (2, 5)
    )


SYSTEMS = (
    MTL_TAG,
    *(_with_loss(MTL_TAG, loss) for loss in TITLES if loss != "ranking"),  # the model's own
    SMOOTHED,
    *AT_PREDICTION,
    *_with_few_negatives(MTL_TAG),
    PCNN_TAG,
    *(_with_loss(PCNN_TAG, loss) for loss in OF_PCNN),
    *_with_few_negatives(PCNN_TAG),
    PACKED,
    *(_with_loss(PACKED, loss) for loss in OF_PACKED),
)
QUESTION = (
    "Do a loss that is made for few related pairs, the second task at prediction, or fewer unrelated pairs an epoch find relations better? "
    f"Every system is compared with {MTL_TAG.title} of Ye et al. (ACL 2019), which is trained with the ranking loss on all pairs."
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Losses", question=QUESTION, base=MTL_TAG, drawn_systems=drawn_systems(results))


def drawn_systems(results: Results) -> tuple[System, ...]:
    """The paper's loss, the two losses of its Table 4 together, and of each model what has the best F1 on development data."""
    drawn = [MTL_TAG, _with_loss(MTL_TAG, "both")]
    for base in (MTL_TAG, PCNN_TAG, PACKED):
        computed = [system for system in SYSTEMS if system.model == base.model and results.of(system)]
        drawn += sorted(computed, key=lambda system: _on_development(results, system))[-1:]
    return tuple({system.name: system for system in drawn}.values())


def _on_development(results: Results, system: System) -> float:
    cells = results.of(system)
    return sum(cell.development.micro.f1 for cell in cells) / len(cells)


EXPERIMENT = Experiment(
    name="losses", summary="one model with every loss, identification at prediction, and few negatives an epoch",
    systems=lambda plan: SYSTEMS, report=report,
)  # fmt: skip
