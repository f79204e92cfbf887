"""Plots of systems, curves, relations and confusions, as SVG text; the frame of each is `relsift.report.plot_frame`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relsift.evaluation.scores import Scores
from relsift.experiments.report.summary import Spread, Summary, confusion_counts
from relsift.report.plot_frame import (
    MOST_LETTERS,
    ROW,
    WIDTH,
    drawing,
    legend,
    name_rows,
    require_content,
    series_style,
    svg_text,
    text_inches,
)
from relsift.report.themes import CARD, INK, QUIET, SERIES
from relsift.report.wording import shortened

NO_RELATION = "no relation"


@dataclass(frozen=True)
class Line:
    """A line of `f1_by_negatives`: one spread a number of negatives per positive."""

    title: str
    points: Mapping[float, Spread]


def f1_by_system(rows: Sequence[Summary]) -> str:
    """Micro F1: the mean of all cells with the standard deviation over folds, and a small ring a fold. A row a system."""
    require_content(rows)
    titles = [row.system.title for row in rows]
    with drawing(height=ROW * len(rows), left=text_inches(titles)) as (figure, (axes,)):
        for place, row in enumerate(rows):
            folds = [100 * value for value in row.f1.by_fold.values()]
            spread = None if row.f1.over_folds is None else 100 * row.f1.over_folds
            axes.plot(folds, [place] * len(folds), "o", ms=4.5, mfc="none", mec=QUIET, mew=0.9, zorder=2)
            axes.errorbar(100 * row.f1.mean, place, xerr=spread, fmt="o", color=SERIES[0], ms=6.5, capsize=3.5, zorder=3)
        name_rows(axes, titles)
        axes.set_xlabel("micro F1, %")
        return svg_text(figure)


def precision_recall(rows: Sequence[Summary]) -> str:
    """Mean interpolated precision at every recall, the standard deviation over folds as a band, a mark at the tuned thresholds."""
    require_content(rows)
    titles = [row.system.title for row in rows]
    with drawing(height=3.6, left=0.6, right=text_inches(titles) + 0.45) as (figure, (axes,)):
        for number, row in enumerate(rows):
            colour, marker, dashes = series_style(number)
            curve = row.curve
            reached = curve.precision > 0  # (G,)
            recall, precision, deviation = (100 * values[reached] for values in (curve.recall, curve.precision, curve.deviation))
            axes.plot(recall, precision, color=colour, ls=dashes, zorder=3)
            low, high = (precision - deviation).clip(0), (precision + deviation).clip(max=100)
            axes.fill_between(recall, low, high, color=colour, alpha=0.16, lw=0)
            point = row.scores["micro"]
            axes.plot(100 * point["recall"].mean, 100 * point["precision"].mean, marker, color=colour, mec=CARD, ms=7.5, zorder=4)
        legend(axes, titles, lines=True)
        axes.set(xlim=(0, 100), ylim=(0, 102), xlabel="recall, %", ylabel="precision, %")
        axes.grid(lw=0.6)
        return svg_text(figure)


def f1_by_negatives(panels: Mapping[str, Sequence[Line]]) -> str:
    """Micro F1 against negatives per positive, with the standard deviation over folds as a band; panels side by side, by title."""
    titles = list(dict.fromkeys(line.title for lines in panels.values() for line in lines))
    require_content(titles)
    with drawing(height=2.9, left=0.6, top=0.35, right=text_inches(titles) + 0.45, columns=len(panels)) as (figure, all_axes):
        for axes, (panel, lines) in zip(all_axes, panels.items()):
            for line in lines:
                colour, marker, dashes = series_style(titles.index(line.title))
                points = sorted(line.points.items())
                ratios = [ratio for ratio, _ in points]
                means, spreads = [100 * spread.mean for _, spread in points], [100 * (spread.over_folds or 0.0) for _, spread in points]
                low, high = [m - s for m, s in zip(means, spreads)], [m + s for m, s in zip(means, spreads)]
                axes.plot(ratios, means, color=colour, ls=dashes, marker=marker, ms=5, mec=CARD)
                axes.fill_between(ratios, low, high, color=colour, alpha=0.16, lw=0)
            axes.set_title(panel, fontsize=9, color=INK)
            axes.set_xlabel("negatives per positive")
            axes.grid(lw=0.6)
        all_axes[0].set_ylabel("micro F1, %")
        legend(all_axes[-1], titles, lines=True)
        return svg_text(figure)


def confusion(scores: Scores) -> str:
    """Entity pairs by gold relation (row) and predicted relation (column). The colour is the share of the row, the number the count."""
    require_content(scores.per_type)
    kinds: list[str | None] = [*sorted(scores.per_type, key=lambda kind: (-scores.per_type[kind].support, kind)), None]
    names = [NO_RELATION if kind is None else kind for kind in kinds]
    counts, size = confusion_counts(scores), len(kinds)
    left, bottom = text_inches(names), text_inches(names) * 0.55 + 0.4
    width = min(0.62, (WIDTH - left - 0.25) / size)
    with drawing(height=0.36 * size, left=left, bottom=bottom, right=WIDTH - left - width * size) as (figure, (axes,)):
        for row, gold in enumerate(kinds):
            total = sum(counts.get((gold, predicted), 0) for predicted in kinds) or 1
            for column, predicted in enumerate(kinds):
                count = counts.get((gold, predicted), 0)
                axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color=SERIES[0], alpha=0.55 * count / total, lw=0)
                if count or gold is predicted is None:
                    label = "–" if gold is predicted is None else str(count)
                    axes.text(column, row, label, ha="center", va="center", fontsize=8 if width > 0.4 else 6, color=INK)
        axes.set(xlim=(-0.5, size - 0.5), xlabel="found", ylabel="gold")
        axes.set_xticks(range(size), [shortened(name, MOST_LETTERS) for name in names], rotation=35, ha="right", rotation_mode="anchor")
        name_rows(axes, names)
        axes.grid(visible=False)
        return svg_text(figure)


def f1_by_relation(rows: Sequence[Summary]) -> str:
    """F1 of every relation over the pooled counts: a row a relation, the most frequent first, a mark a system."""
    require_content(rows)
    support = {kind: count.support for row in rows for kind, count in row.pooled.per_type.items()}
    kinds = sorted(support, key=lambda kind: (-support[kind], kind))
    titles = [row.system.title for row in rows]
    offsets = [0.5 * (number + 0.5) / len(rows) - 0.25 for number in range(len(rows))]
    with drawing(height=ROW * len(kinds), left=text_inches(kinds), right=text_inches(titles) + 0.3) as (figure, (axes,)):
        for number, (row, offset) in enumerate(zip(rows, offsets)):
            marks = [(100 * row.pooled.per_type[kind].prf.f1, place) for place, kind in enumerate(kinds) if kind in row.pooled.per_type]
            values, places = zip(*marks)
            colour, marker, _ = series_style(number)
            axes.plot(values, [place + offset for place in places], marker, color=colour, mec=CARD, ms=6.5, zorder=3)
        name_rows(axes, kinds)
        axes.set(xlim=(-2, 102), xlabel="F1, %")
        legend(axes, titles, lines=False)
        return svg_text(figure)
