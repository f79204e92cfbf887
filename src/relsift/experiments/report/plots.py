"""Plots as SVG text: the same bytes for the same numbers, text left as text, colours that `themes.in_page` can turn with the page.

matplotlib is the extra `report`, imported when something is drawn. It measures text with the font that it brings along, which has no
Chinese; margins are therefore reckoned from the number of characters, and the reader's program chooses the fonts (`themes.any_font`).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import Scores
from relsift.experiments.report.summary import Spread, Summary, confusion_counts
from relsift.experiments.report.themes import CARD, INK, QUIET, RULE, SERIES, any_font
from relsift.schema import is_cjk

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.8  # inches, of every plot
ROW = 0.34  # inches, of a system or a relation
LETTER = 0.083  # inches, of a Latin letter of the usual size; a Chinese one takes two
MARKERS = "osD^vPXh"
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
NOTHING = "no relation"

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.0, "text.parse_math": False, "text.usetex": False, "svg.fonttype": "none",
    "svg.hashsalt": "relsift", "path.simplify": False, "axes.unicode_minus": True,
    "text.color": INK, "axes.labelcolor": QUIET, "axes.edgecolor": QUIET, "xtick.color": QUIET, "ytick.color": QUIET,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "figure.facecolor": CARD, "axes.facecolor": "none", "grid.color": RULE,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "lines.linewidth": 1.6,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of `f1_by_negatives`: one spread a number of negatives per positive."""

    title: str
    points: Mapping[float, Spread]


def f1_by_system(rows: Sequence[Summary]) -> str:
    """Micro F1: the mean of all cells with the standard deviation over folds, and a small ring a fold. A row a system."""
    _check(rows)
    titles = [row.system.title for row in rows]
    with _drawing(left=_room(titles), inches=[ROW * len(rows)], bottom=0.5) as (figure, (axes,)):
        for place, row in enumerate(rows):
            folds = [100 * value for value in row.f1.by_fold.values()]
            spread = None if row.f1.over_folds is None else 100 * row.f1.over_folds
            axes.plot(folds, [place] * len(folds), "o", ms=4.5, mfc="none", mec=QUIET, mew=0.9, zorder=2)
            axes.errorbar(100 * row.f1.mean, place, xerr=spread, fmt="o", color=SERIES[0], ms=6.5, capsize=3.5, zorder=3)
        _rows(axes, titles)
        axes.set_xlabel("micro F1, %")
        return _svg(figure)


def precision_recall(rows: Sequence[Summary]) -> str:
    """Mean interpolated precision at every recall, the standard deviation over folds as a band, a mark at the tuned thresholds."""
    _check(rows)
    with _drawing(left=0.6, inches=[3.6], bottom=0.5, right=_room([row.system.title for row in rows]) + 0.45) as (figure, (axes,)):
        for number, row in enumerate(rows):
            colour, curve = SERIES[number % len(SERIES)], row.curve
            seen = curve.precision > 0
            recall, precision, deviation = (100 * values[seen] for values in (curve.recall, curve.precision, curve.deviation))
            axes.plot(recall, precision, color=colour, ls=DASHES[number % len(DASHES)], zorder=3)
            low, high = (precision - deviation).clip(0), (precision + deviation).clip(max=100)
            axes.fill_between(recall, low, high, color=colour, alpha=0.16, lw=0)
            point = row.scores["micro"]
            marker = MARKERS[number % len(MARKERS)]
            axes.plot(100 * point["recall"].mean, 100 * point["precision"].mean, marker, color=colour, mec=CARD, ms=7.5, zorder=4)
        _legend(axes, [row.system.title for row in rows], lines=True)
        axes.set(xlim=(0, 100), ylim=(0, 102), xlabel="recall, %", ylabel="precision, %")
        axes.grid(lw=0.6)
        return _svg(figure)


def f1_by_negatives(panels: Mapping[str, Sequence[Line]]) -> str:
    """Micro F1 against negatives per positive, with the standard deviation over folds as a band; panels side by side, by title."""
    titles = list(dict.fromkeys(line.title for lines in panels.values() for line in lines))
    _check(titles)
    with _drawing(left=0.6, inches=[2.9], bottom=0.5, top=0.35, right=_room(titles) + 0.45, columns=len(panels)) as (figure, all_axes):
        for axes, (panel, lines) in zip(all_axes, panels.items()):
            for line in lines:
                number, points = titles.index(line.title), sorted(line.points.items())
                colour, x = SERIES[number % len(SERIES)], [ratio for ratio, _ in points]
                means, spreads = [100 * spread.mean for _, spread in points], [100 * (spread.over_folds or 0.0) for _, spread in points]
                low, high = [m - s for m, s in zip(means, spreads)], [m + s for m, s in zip(means, spreads)]
                style = {"ls": DASHES[number % len(DASHES)], "marker": MARKERS[number % len(MARKERS)]}
                axes.plot(x, means, color=colour, ms=5, mec=CARD, **style)
                axes.fill_between(x, low, high, color=colour, alpha=0.16, lw=0)
            axes.set_title(panel, fontsize=9, color=INK)
            axes.set_xlabel("negatives per positive")
            axes.grid(lw=0.6)
        all_axes[0].set_ylabel("micro F1, %")
        _legend(all_axes[-1], titles, lines=True)
        return _svg(figure)


def confusion(scores: Scores) -> str:
    """Entity pairs by gold relation (row) and found relation (column). The colour is the share of the row, the number the count."""
    _check(scores.per_type)
    kinds: list[str | None] = [*sorted(scores.per_type, key=lambda kind: (-scores.per_type[kind].support, kind)), None]
    names = [NOTHING if kind is None else kind for kind in kinds]
    counts, size = confusion_counts(scores), len(kinds)
    left, bottom = _room(names), _room(names) * 0.55 + 0.4
    width = min(0.62, (WIDTH - left - 0.25) / size)
    with _drawing(left=left, inches=[0.36 * size], bottom=bottom, right=WIDTH - left - width * size) as (figure, (axes,)):
        for row, gold in enumerate(kinds):
            total = sum(counts.get((gold, found), 0) for found in kinds) or 1
            for column, found in enumerate(kinds):
                count = counts.get((gold, found), 0)
                axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color=SERIES[0], alpha=0.55 * count / total, lw=0)
                if count or gold is found is None:
                    said = "–" if gold is found is None else str(count)
                    axes.text(column, row, said, ha="center", va="center", fontsize=8 if width > 0.4 else 6, color=INK)
        axes.set(xlim=(-0.5, size - 0.5), xlabel="found", ylabel="gold")
        axes.set_xticks(range(size), names, rotation=35, ha="right", rotation_mode="anchor")
        _rows(axes, names)
        axes.grid(visible=False)
        return _svg(figure)


def f1_by_relation(rows: Sequence[Summary]) -> str:
    """F1 of every relation over the pooled counts: a row a relation, the most frequent first, a mark a system."""
    _check(rows)
    support = {kind: count.support for row in rows for kind, count in row.pooled.per_type.items()}
    kinds = sorted(support, key=lambda kind: (-support[kind], kind))
    titles = [row.system.title for row in rows]
    offsets = [0.5 * (number + 0.5) / len(rows) - 0.25 for number in range(len(rows))]
    with _drawing(left=_room(kinds), inches=[ROW * len(kinds)], bottom=0.5, right=_room(titles) + 0.3) as (figure, (axes,)):
        for number, (row, offset) in enumerate(zip(rows, offsets)):
            found = [(100 * row.pooled.per_type[kind].prf.f1, place) for place, kind in enumerate(kinds) if kind in row.pooled.per_type]
            values, places = zip(*found)
            marker, colour = MARKERS[number % len(MARKERS)], SERIES[number % len(SERIES)]
            axes.plot(values, [place + offset for place in places], marker, color=colour, mec=CARD, ms=6.5, zorder=3)
        _rows(axes, kinds)
        axes.set(xlim=(-2, 102), xlabel="F1, %")
        _legend(axes, titles, lines=False)
        return _svg(figure)


# ---- what they share ------------------------------------------------------------------------------


@contextmanager
def _drawing(
    *, left: float, inches: Sequence[float], bottom: float, top: float = 0.15, right: float = 0.25, columns: int = 1
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure whose axes leave these margins, in inches; matplotlib's settings and warnings are as before when it is closed."""
    try:
        from matplotlib import rc_context, rcdefaults, rcParams
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("report: expected matplotlib for the plots, which is not installed: pip install 'relsift[report]'") from error
    height = sum(inches) + bottom + top
    with rc_context(), warnings.catch_warnings():
        rcdefaults()  # a matplotlibrc of the user's must not show in a report
        rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)  # of the measuring font only
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
        figure.subplots_adjust(left / WIDTH, bottom / height, 1 - right / WIDTH, 1 - top / height, wspace=0.08)
        yield figure, list(axes)


def _svg(figure: Figure) -> str:
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # else the time and the version of matplotlib
    figure.savefig(stream, format="svg", metadata=nothing)
    return re.sub(r"[ \t]+$", "", any_font(stream.getvalue()), flags=re.MULTILINE)


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """One a name, from the top down."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _legend(axes: Axes, titles: Sequence[str], *, lines: bool) -> None:
    """To the right of the axes."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=SERIES[n % len(SERIES)], marker=MARKERS[n % len(MARKERS)], mec=CARD, ms=6.5,
            ls=DASHES[n % len(DASHES)] if lines else "", label=title,
        )
        for n, title in enumerate(titles)
    ]  # fmt: skip
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, handlelength=2.6 if lines else 1.0)


def _room(names: Sequence[str]) -> float:
    """Inches that the longest of them takes, with a little air."""
    return 0.25 + LETTER * max((sum(2 if is_cjk(letter) else 1 for letter in name) for name in names), default=0)


def _check(rows: object) -> None:
    if not rows:
        raise DataError("report: expected something to draw, got no cells; compute them first")
