"""Every system without and with BIO tags: do tags help other models too? Table 3 of Ye et al. 2019, for all models that we have.

`cr_cnn` and `sptree` have the values of Ye et al. (preset `matched`): their own were made for word vectors that are not to be had, and with
random ones `matched` did better on the development part of CoNLL04.
"""

from __future__ import annotations

from dataclasses import replace

from relsift.experiments.comparison import SystemComparison, compare_systems
from relsift.experiments.experiment import Experiment, difference_table, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import EATT, EATT_TAG, MTL, MTL_TAG, PCNN, PCNN_TAG, SPTREE, WALK, System
from relsift.report.blocks import Report, Section


def _pair(plain: System) -> tuple[System, System]:
    """A system with `model.tags=false`, and the same with tags."""
    overrides = tuple(text for text in plain.overrides if text != "model.tags=false")
    return plain, replace(plain, name=f"{plain.name}_tag", title=f"{plain.title}+Tag", overrides=overrides)


def _without_tags(model: str, title: str, preset: str = "paper") -> System:
    return System(name=model, title=title, model=model, preset=preset, overrides=("model.tags=false",))


PAIRS = (
    (MTL, MTL_TAG),
    _pair(_without_tags("cr_cnn", "CR-CNN", "matched")),
    _pair(_without_tags("multiwindow_cnn", "Multi-window CNN")),
    (PCNN, PCNN_TAG),
    (EATT, EATT_TAG),
    _pair(SPTREE),
    _pair(WALK),
)
SYSTEMS = tuple(system for pair in PAIRS for system in pair)
QUESTION = (
    "Do BIO-tag embeddings help other models too, as Ye et al. (ACL 2019, table 3) claim? Each system with tags is compared with itself "
    "without them. The walk-based model is given the types of all entities in any case, as published."
)


def gain(results: Results, plain: System, tagged: System) -> SystemComparison | None:
    """With tags against without, over test sentences; None without cells of the same fold and seed.

    Raises: DataError if cells lack what a comparison needs.
    """
    if not any(results.shared(tagged, plain)):
        return None
    return compare_systems(results.of(tagged), results.of(plain), units="sentence")


def report(results: Results, command: str) -> Report:
    sections = [
        Section(f"{tagged.title} against {plain.title}", (difference_table(results.with_systems((plain, tagged)), plain),))
        for plain, tagged in PAIRS
        if results.of(plain) and results.of(tagged)
    ]
    return full_report(results, command, title="Tag gain", question=QUESTION, base=None, more=sections)


EXPERIMENT = Experiment(
    name="tag_gain", summary="every system with tags against itself without", systems=lambda plan: SYSTEMS, report=report
)
