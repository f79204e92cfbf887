"""The plots of docs/results: one form, rows of dots with whiskers, written to benchmarks/results/plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from relsift.experiments.report.summary import Spread
from relsift.experiments.result import Results
from relsift.experiments.system import System
from relsift.report.plot_frame import ROW, drawing, legend, name_rows, require_content, series_style, svg_text, text_inches
from relsift.report.themes import CARD, INK, QUIET, RULE

PLOTS = Path(__file__).parent / "results" / "plots"
OF_A_SERIES = 0.17  # inches that each further series adds to a row
MOST_VALUES = 7  # that the words of a plot list
PER_ROW = 0.72  # of a row's height, shared by its series


@dataclass(frozen=True)
class Dot:
    """A value in percent or points, and the ends of its whisker; None: no whisker."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def around(cls, mean: float, deviation: float | None) -> Dot:
        return cls(mean) if deviation is None else cls(mean, mean - deviation, mean + deviation)


Parts = Mapping[tuple[str, str], Sequence[str]]  # (page, mark) -> the lines that stand there
Series = Mapping[str, Mapping[str, Dot]]  # title -> row -> dot


def dots(panels: Mapping[str, Series], axis: str, *, zero: bool = False, log: bool = False) -> str:
    """Panels side by side, by title ("" for none); a row a name, a mark a series.

    Args: axis: what is measured, and its unit. zero: draw a line at 0. log: a logarithmic axis.
    """
    titles = list(dict.fromkeys(title for series in panels.values() for title in series))
    rows = list(dict.fromkeys(row for series in panels.values() for marks in series.values() for row in marks))
    require_content(rows)
    height = len(rows) * max(ROW, OF_A_SERIES * len(titles) + 0.08)
    right = text_inches(titles) + 0.2 if len(titles) > 1 else 0.25
    top = 0.35 if any(panels) else 0.15
    with drawing(height=height, left=text_inches(rows), right=right, top=top, columns=len(panels)) as (figure, all_axes):
        for axes, (panel, series) in zip(all_axes, panels.items()):
            for title, marks in series.items():
                number = titles.index(title)
                colour, marker, _ = series_style(number)
                offset = PER_ROW * ((number + 0.5) / len(titles) - 0.5)
                for row, dot in marks.items():
                    whisker = None if dot.low is None or dot.high is None else [[dot.value - dot.low], [dot.high - dot.value]]
                    place = rows.index(row) + offset
                    axes.errorbar(dot.value, place, xerr=whisker, fmt=marker, color=colour, mec=CARD, ms=6.5, capsize=3, zorder=3)
            if zero:
                axes.axvline(0, color=QUIET, lw=1)
            if log:
                axes.set_xscale("log")
                axes.xaxis.set_major_formatter("{x:,.0f}")  # the usual one writes powers of ten in mathematical text
            if len(titles) > 1:
                for place in range(1, len(rows)):
                    axes.axhline(place - 0.5, color=RULE, lw=0.6)
            axes.set_title(panel, fontsize=9, color=INK)
        name_rows(all_axes[0], rows)
        for axes in all_axes[1:]:
            axes.tick_params(axis="y", length=0)
            axes.grid(axis="x", lw=0.6)
            axes.spines["left"].set_visible(False)
        all_axes[len(all_axes) // 2].set_xlabel(axis)
        if len(titles) > 1:
            legend(all_axes[-1], titles, lines=False)
        return svg_text(figure)


def written(name: str, svg: str, words: str, *, root: str = "../..") -> str:
    """Write a plot; returns the line by which a page shows it.

    Args: words: what a reader without pictures is told. root: the way from the page to the root of the repository.
    """
    file = PLOTS / f"{name}.svg"
    file.parent.mkdir(exist_ok=True)
    file.write_text(svg, encoding="utf-8", newline="\n")
    return f"![{words}]({root}/{file.relative_to(Path(__file__).parent.parent)})"


def as_words(series: Series, unit: str) -> str:
    """The words of a plot: its values if they are few, else its rows. The table of the page has all of them."""
    rows = list(dict.fromkeys(row for marks in series.values() for row in marks))
    if sum(map(len, series.values())) > MOST_VALUES:
        of_what = f", by {', '.join(series)}" if any(series) else ""
        return f"{unit}{of_what}; {len(rows)} rows from {rows[0]} to {rows[-1]}, whose numbers stand in a table below"
    listed = []
    for row in rows:
        values = [f"{marks[row].value:.1f} {title}".strip() for title, marks in series.items() if row in marks]
        listed.append(f"{row} {', '.join(values)}")
    return f"{unit}: {'; '.join(listed)}"


def plot(name: str, series: Series, axis: str, *, zero: bool = False, log: bool = False) -> Sequence[str]:
    """The lines that show one panel of dots."""
    return [written(name, dots({"": series}, axis, zero=zero, log=log), as_words(series, axis))]


def over_seeds_dot(results: Results, system: System) -> Dot:
    """Test micro F1 in percent, with its standard deviation over seeds."""
    spread = Spread.of(results.of(system), lambda cell: cell.test.micro.f1)
    return Dot.around(100 * spread.mean, None if spread.over_seeds is None else 100 * spread.over_seeds)
