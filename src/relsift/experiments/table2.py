"""Table 2 of Ye et al. 2019: the baseline, tags, the second task and both, beside PCNN and EAtt-BiGRU (Chinese)."""

from __future__ import annotations

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import BASE, EATT, PCNN, VARIANTS
from relsift.report.blocks import Report

SYSTEMS = (PCNN, EATT, *VARIANTS)
PUBLISHED = {
    "pcnn": (54.4, 42.1, 46.1), "eatt_bigru": (57.8, 49.7, 52.0), "base": (48.5, 57.1, 51.7), "tag": (61.8, 62.7, 61.4),
    "mtl": (56.7, 52.9, 53.8), "mtl_tag": (61.3, 65.8, 62.9),
}  # fmt: skip
QUESTION = (
    "What are BIO-tag embeddings and the second task worth, beside PCNN and EAtt-BiGRU, which see no tags? The rows are those of "
    "table 2 of "
    "Ye et al. (ACL 2019)."
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Table 2", question=QUESTION, base=BASE, published=PUBLISHED)


EXPERIMENT = Experiment(
    name="table2", summary="baseline, +Tag, +MTL, +MTL+Tag beside PCNN and EAtt-BiGRU", systems=lambda plan: SYSTEMS, report=report
)
