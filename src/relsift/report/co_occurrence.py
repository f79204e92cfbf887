"""False positives among pairs that merely stand in one sentence, as a table."""

from __future__ import annotations

from relsift.evaluation.co_occurrence import CoOccurrences
from relsift.report.blocks import Table
from relsift.report.wording import percent


def co_occurrence_table(found: CoOccurrences) -> Table:
    """One row a recall; a dash where no threshold finds so many relations."""
    rows = [
        (
            percent(row.recall),
            "–" if row.threshold is None else f"{row.threshold:.3f}",
            "–" if row.false_positives is None else f"{row.false_positives:.1f}",
            percent(row.precision),
        )
        for row in found.rows
    ]
    title = f"{found.unrelated} unrelated pairs of fitting types, {found.relations} relations; in percent"
    return Table.of(("recall", "threshold", "unrelated pairs called related", "precision"), rows, title=title)
