"""The parts of docs/results/task_layers.md, from benchmarks/results/joint_layers: what layers of each task's own add to a joint model."""

from __future__ import annotations

from dataclasses import replace

from official_page import RESULTS, table
from results_plots import Dot, Parts, plot
from transformers_page import joint_table, setting

from relsift.experiments.comparison import compare_systems
from relsift.experiments.grid import load_results
from relsift.experiments.joint_layers import DEEP, JOINT, SHARED, WIDE_SHARED
from relsift.experiments.result import Results
from relsift.experiments.system import System
from relsift.report.wording import interval, points

GRID = RESULTS / "joint_layers" / "conll04"
WIDE = replace(WIDE_SHARED, title="1 shared layer of 304 units")  # as many weights as the four layers of 128 units have
SYSTEMS = (JOINT, SHARED, DEEP, WIDE)


def parts() -> Parts:
    """(page, mark) -> lines."""
    results = load_results(GRID, SYSTEMS)
    return {
        ("task_layers", "plot"): layers_plot(results),
        ("task_layers", "against"): [against(results)],
        ("task_layers", "scores"): [setting(results), "", joint_table(results, [JOINT, *others(results)])],
    }


def others(results: Results) -> list[System]:
    return [system for system in SYSTEMS[1:] if results.of(system)]


def layers_plot(results: Results) -> list[str]:
    marks = {}
    for system in others(results):
        tested = compare_systems(results.of(system), results.of(JOINT))
        low, high = tested.interval
        marks[system.title] = Dot(100 * tested.difference, 100 * low, 100 * high)
    return list(plot("task-layers", {"": marks}, "points of strict micro F1 against layers of each task's own, CoNLL04", zero=True))


def against(results: Results) -> str:
    rows = []
    for system in others(results):
        tested = compare_systems(results.of(system), results.of(JOINT))
        rows.append([system.title, f"**{points(tested.difference)}**", interval(tested.interval), f"{tested.p_value:.4f}"])
    return table(["layers", f"relations, strict micro F1, against {JOINT.title}", "95 % interval", "p"], rows)
