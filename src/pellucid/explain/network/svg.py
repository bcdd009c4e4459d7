"""Heat maps as an SVG file: cells of one strength share a path, so that a photograph stays small.

The file around them, and its colours, are those of pictures/svg.py. Not here: the numbers
(heat.py). Next room: contributions.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.explain.pictures.svg import both_themes, document

_SIDE, _GAP, _MARGIN = 132, 18, 16  # of a panel, between two, around all
_LEVELS = 12  # of strength


class Panel(NamedTuple):
    """Cells as rows and columns, from 0 (or -limit, if `signed`) to `limit`."""

    caption: str
    cells: Array
    limit: float
    signed: bool
    pooled: int = 1  # pixels along the side of a cell
    mark: tuple[int, int] | None = None  # a cell with a frame


class Column(NamedTuple):
    """Two panels under a label, and a number below them."""

    label: str
    value: str
    above: Panel
    below: Panel


class Sheet(NamedTuple):
    """All that a heat map shows and says."""

    title: str
    desc: str
    lang: str
    columns: Sequence[Column]
    legend: tuple[str, str]
    notes: Sequence[str]


def to_svg(sheet: Sheet) -> str:
    """Return the text of an SVG file."""
    wide = _MARGIN * 2 + max(4, len(sheet.columns)) * (_SIDE + _GAP) - _GAP
    high = _bottom(sheet) + 26 + 18 * len(sheet.notes)
    body = "\n".join(_body(sheet))
    return document(sheet.title, sheet.desc, sheet.lang, (wide, high), body, _css)


def _css(name: str) -> str:
    rules = [
        *both_themes(name),
        f"#{name}{{max-width:100%;height:auto;background:var(--paper)}}",
        f"#{name} text{{font-family:system-ui,'Noto Sans','Noto Sans KR',sans-serif;"
        "font-size:13px;fill:var(--ink)}",
        f"#{name} .c{{fill:var(--soft);font-size:12px}}",
        f"#{name} .b{{font-weight:600;font-size:15px}}",
        f"#{name} .f{{fill:none;stroke:var(--line)}}",
        f"#{name} .m{{fill:none;stroke:var(--tone1);stroke-width:2}}",
        f"#{name} path{{shape-rendering:crispEdges}}",
    ]
    return "\n".join([*rules, *(f"#{name} .{k}{{fill:var(--{t})}}" for k, t in _TONES.items())])


_TONES = {"p": "tone0", "n": "tone1", "x": "ink"}
_TOP = 56  # of the first row of panels' captions


def _bottom(sheet: Sheet) -> int:
    """Where the panels and the sums below them end."""
    above = max(_high(column.above) for column in sheet.columns)
    below = max(_high(column.below) for column in sheet.columns)
    return round(_TOP + 44 + above + 16 + below + 22)


def _body(sheet: Sheet) -> Iterator[str]:
    yield _text(_MARGIN, 28, sheet.title, "b")
    second = _TOP + 24 + max(_high(column.above) for column in sheet.columns) + 16
    for k, column in enumerate(sheet.columns):
        left = _MARGIN + k * (_SIDE + _GAP)
        yield _text(left, _TOP, column.label)
        for panel, top in ((column.above, _TOP + 8), (column.below, second)):
            yield _text(left, top + 12, panel.caption, "c")
            yield from _panel(panel, left, top + 18)
        yield _text(left, round(second + 20 + _high(column.below) + 16), column.value)
    y = _bottom(sheet) + 16
    for k, (kind, said) in enumerate(zip("pn", sheet.legend, strict=True)):
        left = _MARGIN + k * 200
        yield f'<path class="{kind}" d="M{left} {y - 10}h10v10h-10z"/>'
        yield _text(left + 16, y, said, "c")
    for k, note in enumerate(sheet.notes):
        yield _text(_MARGIN, y + 18 * (k + 1), note, "c")


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{style}>{escape(text, quote=False)}</text>'


def _cell(panel: Panel) -> float:
    """The side of a cell."""
    return _SIDE / max(*panel.cells.shape, 1)


def _high(panel: Panel) -> float:
    return panel.cells.shape[0] * _cell(panel)


def _panel(panel: Panel, left: float, top: float) -> Iterator[str]:
    """Draw one panel: a path for the cells of each strength, and a frame."""
    rows, columns = panel.cells.shape
    yield f'<g transform="translate({left} {top}) scale({_cell(panel):.4f})">'
    # Of a training that failed there may be NaN, which no colour shows.
    levels = np.rint(_LEVELS * np.nan_to_num(panel.cells / (panel.limit or 1.0))).astype(int)
    for level in np.unique(levels[levels != 0]):
        kind = ("p" if level > 0 else "n") if panel.signed else "x"
        strength = f"{abs(int(level)) / _LEVELS:.2f}"
        path = "".join(_runs(levels == level))
        yield f'<path class="{kind}" fill-opacity="{strength}" d="{path}"/>'
    yield "</g>"
    side = _cell(panel)
    wide, high = f"{columns * side:.2f}", f"{rows * side:.2f}"
    yield f'<rect class="f" x="{left}" y="{top}" width="{wide}" height="{high}"/>'
    if panel.mark is not None:
        h, w = panel.mark
        yield (
            f'<rect class="m" x="{left + w * side:.2f}" y="{top + h * side:.2f}" '
            f'width="{side:.2f}" height="{side:.2f}"/>'
        )


def _runs(cells: Array) -> Iterator[str]:
    """Cells that are True as rectangles, those beside each other as one."""
    for h, row in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        for begin, end in edges.reshape(-1, 2).tolist():
            yield f"M{begin} {h}h{end - begin}v1h{begin - end}z"
