"""Cross-validation: all systems of a folder side by side."""

from __future__ import annotations

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.report.blocks import Report


def report(results: Results, command: str) -> Report:
    many = len(results.systems) > 1
    question = f"{results.plan.data}, cross-validated." + (" Differences are from the first system." if many else "")
    return full_report(results, command, title="Cross-validation", question=question, base=results.systems[0] if many else None)


EXPERIMENT = Experiment(name="cv", summary="all systems of a folder side by side; trains nothing", systems=lambda plan: (), report=report)
