"""What is each part of SpERT.MT worth? SpERT, SpERT.MT, and SpERT.MT without one part at a time.

`--encoder FOLDER` names the transformer. It is not trained here, only the layers above it: so all systems can be trained with several
seeds on a laptop. The same two models with a transformer that is trained are systems of `joint`.
"""

from __future__ import annotations

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import System
from relsift.report.blocks import Report

SPERT = System(name="spert-frozen", title="SpERT", model="spert", preset="frozen")
SPERT_MT = System(name="spert_mt-frozen", title="SpERT.MT", model="spert_mt", preset="frozen")


def _changed(name: str, title: str, *overrides: str) -> System:
    return System(name=f"{SPERT_MT.name}-{name}", title=title, model="spert_mt", preset="frozen", overrides=overrides)


WITHOUT = (
    _changed("no_boundary", "without entity or not", "model.boundary=false"),
    _changed("no_iou", "without overlap (IoU)", "model.iou=false"),
    _changed("no_near", "without negatives near entities", "model.overlapping_negatives=0"),
    _changed("no_logits", "without entity logits", "model.entity_logits=none"),
    _changed("no_identification", "without related or not", "model.identification=false"),
)
MORE = (
    _changed("trained_logits", "entity logits that pairs train", "model.entity_logits=trained"),
    _changed("tag_loss", "with BIO tags", "model.tag_loss=true"),
)
SYSTEMS = (SPERT, SPERT_MT, *WITHOUT, *MORE)
QUESTION = (
    "What does each part of SpERT.MT add to SpERT (Eberts & Ulges 2020)? The parts are partly a reconstruction, since its code is not "
    f"published. Every system is compared with {SPERT_MT.title} with all its parts. The transformer is not trained."
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Parts of SpERT.MT", question=QUESTION, base=SPERT_MT, drawn_systems=(SPERT, SPERT_MT))


EXPERIMENT = Experiment(
    name="joint_parts", summary="SpERT, and SpERT.MT with all parts and without each", systems=lambda plan: SYSTEMS, report=report
)
