"""Table 3 of Ye et al. 2019: do tags help other models too?"""

from __future__ import annotations

from relsift.experiments.experiment import Experiment, differences, full_report
from relsift.experiments.report import tables
from relsift.experiments.result import Results
from relsift.experiments.system import EATT, EATT_TAG, PCNN, PCNN_TAG
from relsift.report.blocks import Report, Section

PAIRS = ((PCNN, PCNN_TAG), (EATT, EATT_TAG))
SYSTEMS = tuple(system for pair in PAIRS for system in pair)
PUBLISHED = {
    "pcnn": (54.4, 42.1, 46.1), "pcnn_tag": (74.3, 50.4, 58.2), "eatt_bigru": (57.8, 49.7, 52.0), "eatt_bigru_tag": (67.8, 56.4, 61.1),
}  # fmt: skip
QUESTION = "Do BIO-tag embeddings help other models too? Table 3 of Ye et al. (ACL 2019), with the rows without tags from their table 2."


def report(results: Results, command: str) -> Report:
    sections = []
    for plain, tagged in PAIRS:
        pair = results.with_systems((plain, tagged))
        gain = differences(pair, plain)
        if gain:
            sections.append(Section(f"{tagged.title} against {plain.title}", (tables.difference_table(pair, plain, gain),)))
    return full_report(results, command, title="Table 3", question=QUESTION, base=None, published=PUBLISHED, more=sections)


EXPERIMENT = Experiment(name="table3", summary="PCNN and EAtt-BiGRU with and without tags", systems=lambda plan: SYSTEMS, report=report)
