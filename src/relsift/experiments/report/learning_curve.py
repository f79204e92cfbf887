"""The report of a learning curve: the answer in one sentence, a table by size, the plot with the fitted law, and the setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np

from relsift.experiments.experiment import drawn
from relsift.experiments.learning_curve import CurveCell
from relsift.experiments.power_law import FEWEST_SEEDS, FEWEST_SIZES, Extrapolation, extrapolate
from relsift.report.blocks import Block, Commands, Figure, Paragraph, Report, Section, Table
from relsift.report.plot_frame import drawing, legend, series_style, svg_text, text_inches
from relsift.report.themes import CARD, QUIET
from relsift.report.wording import counted, interval, percent, with_deviation

DEVELOPMENT_NOTE = (
    "Epoch and threshold are chosen on the development data too, so its F1 is a little too high at every size; the shape of the curve "
    "suffers less."
)


@dataclass(frozen=True)
class SizeSummary:
    """The cells of one share. Means over seeds; spreads are standard deviations over seeds (n - 1), None for one seed."""

    share: float
    sentences: int  # mean over seeds, rounded, as the two that follow
    documents: int
    relations: int
    development: float
    development_spread: float | None
    test: float | None
    test_spread: float | None


def by_size(cells: Sequence[CurveCell]) -> list[SizeSummary]:
    """One summary a share, the smallest first."""
    rows = []
    for share in sorted({cell.share for cell in cells}):
        group = [cell for cell in cells if cell.share == share]
        found, spread = _mean_and_spread([cell.development for cell in group])
        tests = [cell.test for cell in group if cell.test is not None]
        test, test_spread = _mean_and_spread(tests) if tests else (None, None)
        sentences, documents, relations = (
            round(fmean(values))
            for values in zip(*((cell.sentences, cell.documents, cell.relations) for cell in group))
        )
        rows.append(SizeSummary(share, sentences, documents, relations, found, spread, test, test_spread))
    return rows


def _mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    return fmean(values), stdev(values) if len(values) > 1 else None


def twice(cells: Sequence[CurveCell]) -> Extrapolation | None:
    """What twice the largest size would bring on the development data; None: the curve has no fit."""
    curves: dict[int, list[tuple[int, float]]] = {}
    for cell in cells:
        curves.setdefault(cell.seed, []).append((cell.sentences, cell.development))
    return extrapolate(curves)


def answer(cells: Sequence[CurveCell]) -> str:
    """In one sentence: what would twice the annotations bring?"""
    expected = twice(cells)
    if expected is None:
        few = len({cell.share for cell in cells}) < FEWEST_SIZES
        why = f"it takes at least {FEWEST_SIZES} sizes" if few else "F1 does not rise with the number of sentences"
        return f"What twice the annotations would bring cannot be said: no curve can be fitted, since {why}."
    gain = f"On the fitted curve, twice the annotations ({counted(expected.sentences, 'sentence')}) raise development F1 by"
    if expected.gain_interval is None or expected.f1_interval is None:
        sure = f"no interval: it takes at least {FEWEST_SEEDS} seeds"
        return f"{gain} {percent(expected.gain)} points, to {percent(expected.f1)} % ({sure})."
    low, high = expected.f1_interval
    return (
        f"{gain} {percent(expected.gain)} points (95 % interval {interval(expected.gain_interval)}), to {percent(expected.f1)} % "
        f"({percent(low)} to {percent(high)})."
    )


def size_table(cells: Sequence[CurveCell]) -> Table:
    """One row a share."""
    rows = by_size(cells)
    has_test = any(row.test is not None for row in rows)
    titles = ["share", "documents", "sentences", "relations", "development F1", *(["test F1"] if has_test else [])]
    lines = []
    for row in rows:
        line = [f"{row.share:g}", row.documents, row.sentences, row.relations, with_deviation(row.development, row.development_spread)]
        lines.append([*line, *([] if row.test is None else [with_deviation(row.test, row.test_spread)])])
    seeds = len({cell.seed for cell in cells})
    what = "mean ± standard deviation over" if seeds > 1 else "of"
    return Table.of(titles, lines, notes=(f"Micro F1 in percent, {what} {counted(seeds, 'seed')}.",))


def law_line(expected: Extrapolation) -> str:
    law = expected.law
    return (
        f"Fitted: F1 = {percent(law.limit)} − {percent(law.missing)} (n / {law.size})^−{law.rate:.2f} in percent, n training sentences."
    )


def curve_report(cells: Sequence[CurveCell], *, data: str, model: str, command: str) -> Report:
    """Args: command: what computes the curve again."""
    expected = twice(cells)
    found: list[Block] = [size_table(cells), drawn(lambda: figure(cells, command))]
    found += [Paragraph(law_line(expected))] if expected is not None else []
    rows = [
        ("model", model), ("data", data), ("counted as", cells[0].setting),
        ("seeds", ", ".join(map(str, sorted({cell.seed for cell in cells})))),
        ("training time", f"{sum(cell.seconds for cell in cells):,.0f} seconds in all"),
        ("versions", ", ".join(f"{name} {number}" for name, number in cells[0].versions.items())),
    ]  # fmt: skip
    setting: list[Block] = [Table.list_of(rows), Paragraph("How to compute it again:"), Commands((command,))]
    top = (Paragraph(answer(cells)), Paragraph(DEVELOPMENT_NOTE, "note"))
    return Report("Learning curve", (Section("F1 by size", tuple(found)), Section("Setting", tuple(setting))), top)


def figure(cells: Sequence[CurveCell], command: str) -> Figure:
    """Raises ConfigError without matplotlib."""
    seeds = counted(len({cell.seed for cell in cells}), "seed")
    shows = (
        "Micro F1 on the development data by number of training sentences. Ring: one training; mark: mean of the seeds, with the standard "
        "deviation; line: the fitted power law, dashed beyond the largest size."
    )
    values = ", ".join(f"{percent(row.development)} at {row.sentences}" for row in by_size(cells))
    caption = f"{shows} Setting: {cells[0].setting} · {seeds}."
    return Figure(name="f1", svg=plot(cells), caption=caption, alt=f"Micro F1 in percent by training sentences: {values}", command=command)


def plot(cells: Sequence[CurveCell]) -> str:
    """F1 against training sentences, on a logarithmic axis. Raises ConfigError without matplotlib."""
    rows, expected = by_size(cells), twice(cells)
    titles = ["development", *(["test"] if rows[0].test is not None else [])]
    with drawing(height=2.9, left=0.6, right=text_inches(titles) + 0.45) as (drawn_figure, (axes,)):
        for number, title in enumerate(titles):
            colour, marker, dashes = series_style(number)
            xs = [row.sentences for row in rows]
            means = [100 * (getattr(row, title) or 0.0) for row in rows]
            spreads = [100 * (getattr(row, f"{title}_spread") or 0.0) for row in rows]
            axes.plot([c.sentences for c in cells], [100 * getattr(c, title) for c in cells], "o", ms=4, mfc="none", mec=QUIET, mew=0.8)
            fitted = title == "development" and expected is not None
            axes.errorbar(xs, means, yerr=spreads, fmt=marker, color=colour, mec=CARD, ms=6, capsize=3, ls="" if fitted else dashes)
        if expected is not None:
            for start, end, style in ((rows[0].sentences, expected.law.size, "-"), (expected.law.size, expected.sentences, (0, (4, 3)))):
                ns = np.geomspace(start, end, 50)
                axes.plot(ns, [100 * expected.law.at(n) for n in ns], color=series_style(0)[0], ls=style, lw=1.2)
        axes.set_xscale("log")
        ticks = [*dict.fromkeys(row.sentences for row in rows), *([] if expected is None else [expected.sentences])]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set(xlabel="training sentences", ylabel="micro F1, %")
        axes.grid(lw=0.6)
        legend(axes, titles, lines=True)
        return svg_text(drawn_figure)


def curve_json(cells: Sequence[CurveCell], *, data: str, model: str) -> dict[str, Any]:
    expected = twice(cells)
    sizes = [
        {name: getattr(row, name) for name in row.__dataclass_fields__}
        | {"by_seed": {str(cell.seed): cell.development for cell in cells if cell.share == row.share}}
        for row in by_size(cells)
    ]
    fit, twice_it = (None, None) if expected is None else (expected.law.to_json(), expected.to_json())
    return {
        "data": data, "model": model, "setting": cells[0].setting, "sizes": sizes, "fit": fit, "twice": twice_it, "answer": answer(cells)
    }  # fmt: skip
