"""Error split of Ye et al. 2019 (introduction): what kind of wrong decisions the baseline makes, and which of them the full model mends."""

from __future__ import annotations

from relsift.experiments.experiment import Experiment, confusions, difference_table, drawn, with_cells
from relsift.experiments.report import figures, tables
from relsift.experiments.report.setting import opening, setting
from relsift.experiments.result import Results
from relsift.experiments.system import BASE, MTL_TAG
from relsift.report.blocks import Paragraph, Report, Section

SYSTEMS = (BASE, MTL_TAG)
PUBLISHED = {"base": (30.2, 62.8, 7.0)}  # missed, spurious, wrong relation; Chinese
QUESTION = (
    "Of the baseline's errors, how many are relations missed, unrelated pairs called related, and wrong relations? The paper's "
    "argument for "
    "a second task is that only few are of the last kind."
)


def report(results: Results, command: str) -> Report:
    computed = with_cells(results)
    sections = [Section("Errors", (tables.error_table(results, published=PUBLISHED), *confusions(results, computed, command)))]
    if len(computed) > 1:
        sections.append(Section("Scores", (tables.score_table(results), difference_table(results, BASE))))
    sections += [
        Section("Relations", (tables.relation_table(results, measures=("precision", "recall", "f1")),)),
        Section("Precision against recall", (drawn(lambda: figures.precision_recall_figure(results, command=command)),)),
        Section("Setting", tuple(setting(results, commands=(command,)))),
    ]
    return Report("Error split", tuple(sections), (Paragraph(QUESTION), *opening(results)))


EXPERIMENT = Experiment(
    name="errors",
    summary="missed, spurious and wrong relations of the baseline and of +MTL+Tag",
    systems=lambda plan: SYSTEMS,
    report=report,
)
