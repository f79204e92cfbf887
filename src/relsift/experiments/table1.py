"""Table 1 of Ye et al. 2019: the baseline, tags, the second task and both, beside SPTree and the walk-based model (English)."""

from __future__ import annotations

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import BASE, SPTREE, VARIANTS, WALK
from relsift.report.blocks import Report

SYSTEMS = (SPTREE, WALK, *VARIANTS)
PUBLISHED = {
    "sptree": (70.1, 61.2, 65.3), "walk": (69.7, 59.5, 64.2), "base": (58.8, 57.3, 57.2), "tag": (61.3, 76.7, 67.4),
    "mtl": (63.8, 56.1, 59.5), "mtl_tag": (66.5, 71.8, 68.9),
}  # fmt: skip
QUESTION = (
    "What are BIO-tag embeddings of all entities and the second task, relation identification, worth, each by itself and together, beside "
    "two systems of others? The rows are those of table 1 of Ye et al. (ACL 2019)."
)
NOTE = (
    "The paper took the rows of SPTree and of the walk-based model from their own papers; here all rows see the same folds, candidates and "
    "selection. SPTree needs dependency trees: where the data has none, name a parser with --set encoding.parser=NAME. The paper's "
    "averages are weighted by gold relations (see the column of that name)."
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Table 1", question=QUESTION, base=BASE, published=PUBLISHED, notes=[NOTE])


EXPERIMENT = Experiment(
    name="table1",
    summary="baseline, +Tag, +MTL, +MTL+Tag beside SPTree and the walk-based model",
    systems=lambda plan: SYSTEMS,
    report=report,
)
