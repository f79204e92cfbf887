"""Table 4 of Ye et al. 2019: which loss for classification, with and without relation identification; all rows with tags."""

from __future__ import annotations

from dataclasses import replace

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import MTL_TAG, TAG, System
from relsift.report.blocks import Report

RANKING = replace(TAG, title="+Tag, ranking")
CROSS_ENTROPY = System(
    name="tag_ce", title="+Tag, cross-entropy", overrides=("model.identification=false", "model.classification=cross_entropy")
)
BOTH = System(
    name="tag_ce_rank", title="+Tag, cross-entropy + ranking", overrides=("model.identification=false", "model.classification=both")
)
MTL_RANKING = replace(MTL_TAG, title="+MTL+Tag, ranking")
MTL_CROSS_ENTROPY = System(name="mtl_tag_ce", title="+MTL+Tag, cross-entropy", overrides=("model.classification=cross_entropy",))

SYSTEMS = (RANKING, CROSS_ENTROPY, BOTH, MTL_RANKING, MTL_CROSS_ENTROPY)
PUBLISHED = {
    "tag": (61.8, 62.7, 61.4), "tag_ce": (67.7, 57.8, 61.5), "tag_ce_rank": (63.2, 62.1, 61.7), "mtl_tag": (61.3, 65.8, 62.9),
    "mtl_tag_ce": (61.6, 62.0, 62.0),
}  # fmt: skip
QUESTION = "Does the loss matter, and does the second task help with either? The rows are those of table 4 of Ye et al. (ACL 2019)."
NOTE = (
    "Cross-entropy has a class for unrelated pairs; its score is the log-odds against that class. With both losses the ranking "
    "scores decide. "
    "The paper decides by fixed thresholds; here every row's threshold is tuned on its development part."
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Table 4", question=QUESTION, base=RANKING, published=PUBLISHED, notes=[NOTE])


EXPERIMENT = Experiment(
    name="table4", summary="ranking and cross-entropy, with and without the second task", systems=lambda plan: SYSTEMS, report=report
)
