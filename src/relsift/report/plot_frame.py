"""The frame of every plot: margins, rows, legend, and SVG text that has the same bytes for the same numbers.

Text stays text, and `themes.in_page` can adapt the colours to a page. matplotlib comes with the extra `report` and is imported when
something is drawn. It measures text with its own font, which has no Chinese characters. So margins are computed from the number of
characters, and the program that displays the plot chooses the fonts (`themes.any_font`).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from relsift.errors import ConfigError, DataError
from relsift.report.themes import CARD, INK, QUIET, RULE, SERIES, any_font
from relsift.report.wording import display_width, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.8  # inches, of every plot
ROW = 0.34  # inches, of a row such as a system or a relation
LETTER = 0.083  # inches, of a Latin letter of the usual size; a Chinese character is twice as wide
MOST_LETTERS = 33  # of a name in a plot: two columns of names leave the axes room; tables have the whole name
MARKERS = "osD^vPXh"
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.0, "text.parse_math": False, "text.usetex": False, "svg.fonttype": "none",
    "svg.hashsalt": "relsift", "path.simplify": False, "axes.unicode_minus": True,
    "text.color": INK, "axes.labelcolor": QUIET, "axes.edgecolor": QUIET, "xtick.color": QUIET, "ytick.color": QUIET,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "figure.facecolor": CARD, "axes.facecolor": "none", "grid.color": RULE,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "lines.linewidth": 1.6,
}  # fmt: skip


@contextmanager
def drawing(
    *, height: float, left: float, bottom: float = 0.5, top: float = 0.15, right: float = 0.25, columns: int = 1
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure of one or more axes side by side; matplotlib's settings and warnings are as before when it is closed.

    Args:
        height: of the axes, in inches.
        left, bottom, top, right: margins around the axes, in inches.
        columns: axes side by side, with one y axis.
    Raises: ConfigError if matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context, rcdefaults, rcParams
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("report: expected matplotlib for the plots, which is not installed: pip install 'relsift[report]'") from error
    full_height = height + bottom + top
    with rc_context(), warnings.catch_warnings():
        rcdefaults()  # a matplotlibrc of the user's must not show in a report
        rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)  # of the measuring font only
        figure = Figure(figsize=(WIDTH, full_height))
        axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
        figure.subplots_adjust(left / WIDTH, bottom / full_height, 1 - right / WIDTH, 1 - top / full_height, wspace=0.08)
        yield figure, list(axes)


def svg_text(figure: Figure) -> str:
    """The figure as a whole SVG document without a date."""
    stream = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # else the time and the version of matplotlib
    figure.savefig(stream, format="svg", metadata=no_metadata)
    return re.sub(r"[ \t]+$", "", any_font(stream.getvalue()), flags=re.MULTILINE)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """A y axis with one row a name, from the top down; long names are shortened."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [shortened(name, MOST_LETTERS) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def legend(axes: Axes, titles: Sequence[str], *, lines: bool) -> None:
    """A legend to the right of the axes; the n-th title has the style of the n-th series. Args: lines: show dashes too."""
    from matplotlib.lines import Line2D

    handles = []
    for number, title in enumerate(titles):
        colour, marker, dashes = series_style(number)
        label = shortened(title, MOST_LETTERS)
        handles.append(Line2D([], [], color=colour, marker=marker, mec=CARD, ms=6.5, ls=dashes if lines else "", label=label))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, handlelength=2.6 if lines else 1.0)


def series_style(number: int) -> tuple[str, str, Any]:
    """Colour, marker and dashes of a series, counted from 0. All three differ between series, for readers who see no colours."""
    return SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)], DASHES[number % len(DASHES)]


def text_inches(names: Sequence[str]) -> float:
    """Inches that the longest of the names takes, shortened as plots show it, with a small margin."""
    return 0.25 + LETTER * min(MOST_LETTERS, max(map(display_width, names), default=0))


def require_content(content: object) -> None:
    """Raises DataError if there is nothing to draw."""
    if not content:
        raise DataError("report: expected something to draw, got no cells; compute them first")
