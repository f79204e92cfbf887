"""How right probabilities are, as a table and as a plot."""

from __future__ import annotations

from relsift.evaluation.calibration import Bin, CalibrationScores
from relsift.report.blocks import Table
from relsift.report.plot_frame import MOST_LETTERS, drawing, svg_text
from relsift.report.themes import QUIET, SERIES
from relsift.report.wording import percent, shortened

_BAR = 20  # characters of a share of 100 %
_SIDE = 3.6  # inches


def calibration_line(scores: CalibrationScores) -> str:
    """The measures in one line."""
    return (
        f"probabilities of {scores.relations} relations found, {percent(scores.right / scores.relations)} % of them right: "
        f"expected calibration error {percent(scores.expected_error)} % ({len(scores.bins)} bins of equally many), "
        f"Brier score {scores.brier:.3f}, log loss {scores.log_loss:.3f}"
    )


def reliability_table(scores: CalibrationScores) -> Table:
    """One row a bin; the bar shows the share that is right, the mark the mean probability."""
    rows = [
        (f"{percent(part.low)} to {percent(part.high)}", str(part.count), percent(part.probability), percent(part.right), _bar(part))
        for part in scores.bins
    ]
    return Table.of(("probability", "relations", "mean", "right", "right ▒, mean │"), rows, title="reliability, in percent")


def _bar(part: Bin) -> str:
    cells = ["▒" if place < round(part.right * _BAR) else " " for place in range(_BAR + 1)]
    cells[round(part.probability * _BAR)] = "│"
    return "".join(cells)


def reliability_svg(scores: CalibrationScores, title: str) -> str:
    """Share of right relations against mean probability; on the diagonal, probabilities are right. One mark a bin.

    Raises: ConfigError if matplotlib is not installed.
    """
    with drawing(height=_SIDE, left=0.6, bottom=0.55, top=0.35, right=2.4) as (figure, (axes,)):
        axes.plot([0, 100], [0, 100], color=QUIET, lw=0.9, ls=(0, (4, 3)))
        places = [100 * part.probability for part in scores.bins]
        axes.plot(places, [100 * part.right for part in scores.bins], "o-", color=SERIES[0], ms=5.5)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.grid(lw=0.6)
        axes.set_xlabel("probability of a relation, mean of a bin, %")
        axes.set_ylabel("right relations, %")
        axes.set_title(shortened(title, MOST_LETTERS), fontsize=9)
        return svg_text(figure)
