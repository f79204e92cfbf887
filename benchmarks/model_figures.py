"""Draw a figure of every model: docs/images/models/NAME.svg, boxes in rows with arrows between them.

    python benchmarks/model_figures.py

A figure has a light card behind it, so that it reads on a dark page too, and nothing from elsewhere. What each shows is in `model_shapes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from model_shapes import FIRST_TOKEN, SHAPES, Box, Shape

from relsift.report.themes import CARD, INK, QUIET, RULE, SERIES

FOLDER = Path(__file__).parent.parent / "docs" / "images" / "models"
WIDTH = 760  # of a figure, in px; so are all of these
LETTER, LINE = 7.0, 17.0  # room of a letter, and of a line of text
GAP, FOR_AN_ARROW, BETWEEN_ROWS, MARGIN, PAD = 14.0, 44.0, 30.0, 18.0, 9.0
FONT = "font-family='system-ui, -apple-system, Segoe UI, DejaVu Sans, Noto Sans CJK SC, sans-serif' font-size='13'"
COLOURS = {"input": SERIES[0], "layer": QUIET, "answer": SERIES[1], "training": SERIES[3], "head": SERIES[0], "tail": SERIES[1],
           "entity": SERIES[2], "text": RULE}  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """A box and where it stands."""

    box: Box
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for shape in SHAPES:
        (FOLDER / f"{shape.model}.svg").write_text(drawn(shape), encoding="utf-8", newline="\n")


def drawn(shape: Shape) -> str:
    """The figure as a whole SVG document. Raises ValueError for a row that is too wide."""
    placed: dict[str, Placed] = {}
    y = MARGIN
    for row in shape.rows:
        names = {box.name for box in row}
        beside = any(names.issuperset(arrow) for arrow in shape.arrows)
        boxes = list(_in_a_row(row, y, FOR_AN_ARROW if beside else 4.0 if row[0].name == FIRST_TOKEN else GAP))
        if boxes[0].x < 0:
            raise ValueError(f"{shape.model}: expected a row of at most {WIDTH} px, got {WIDTH - 2 * boxes[0].x:.0f}: {row}")
        placed |= {one.box.name: one for one in boxes}
        y = max(one.y + one.height for one in boxes) + BETWEEN_ROWS
    height = y - BETWEEN_ROWS + MARGIN
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height:.0f}' viewBox='0 0 {WIDTH} {height:.0f}' {FONT}>",
        f"<title>{escape(shape.shows)}</title>",
        f"<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
        f"<path d='M0 0L8 4L0 8z' fill='{QUIET}'/></marker></defs>",
        f"<rect width='{WIDTH}' height='{height:.0f}' rx='8' fill='{CARD}'/>",
        *(_arrow(placed[one], placed[other]) for one, other in shape.arrows),
        *(_box(one) for one in placed.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _in_a_row(row: tuple[Box, ...], y: float, gap: float) -> Iterable[Placed]:
    sizes = [max(len(line) for line in box.lines) * LETTER + 2 * PAD for box in row]
    height = max(len(box.lines) for box in row) * LINE + 2 * PAD - 4
    x = (WIDTH - sum(sizes) - gap * (len(row) - 1)) / 2
    for box, size in zip(row, sizes):
        yield Placed(box, x, y, size, height)
        x += size + gap


def _box(one: Placed) -> str:
    colour = COLOURS[one.box.kind]
    dashes = " stroke-dasharray='5 3'" if one.box.kind == "training" else ""
    edge = f"fill='{colour}' fill-opacity='{0.0 if one.box.kind in ('layer', 'training') else 0.16}' stroke='{colour}'{dashes}"
    shape = f"<rect x='{one.x:.1f}' y='{one.y:.1f}' width='{one.width:.1f}' height='{one.height:.1f}' rx='5' {edge}/>"
    cover = f"<rect x='{one.x:.1f}' y='{one.y:.1f}' width='{one.width:.1f}' height='{one.height:.1f}' rx='5' fill='{CARD}'/>"
    first = one.y + one.height / 2 - (len(one.box.lines) - 1) * LINE / 2 + 4.5
    lines = "".join(
        f"<text x='{one.middle:.1f}' y='{first + number * LINE:.1f}' text-anchor='middle' fill='{INK}'>{escape(line)}</text>"
        for number, line in enumerate(one.box.lines)
    )
    return cover + shape + lines


def _arrow(one: Placed, other: Placed) -> str:
    if one.y == other.y:  # beside each other
        start, end = (one.x + one.width, other.x) if one.x < other.x else (one.x, other.x + other.width)
        y = one.y + one.height / 2
        return f"<path d='M{start:.1f} {y:.1f}L{end:.1f} {y:.1f}' stroke='{QUIET}' fill='none' marker-end='url(#tip)'/>"
    start_x = min(max(other.middle, one.x + 12), one.x + one.width - 12)  # straight down where the boxes stand above each other
    end_x = min(max(start_x, other.x + 12), other.x + other.width - 12)
    path = f"M{start_x:.1f} {one.y + one.height:.1f}L{end_x:.1f} {other.y - 1:.1f}"
    return f"<path d='{path}' stroke='{QUIET}' fill='none' marker-end='url(#tip)'/>"


if __name__ == "__main__":
    main()
