"""Where things stand: blocks side by side under a heading, and text below them.

Not here: what is lit in a block (figure.py). Next room: figure.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pellucid.explain.pictures.block import GAP, Block, Part
from pellucid.explain.pictures.scene import Box, Frames, Label, Line, Shape, Style, tone
from pellucid.explain.pictures.text import width, wrapped

MARGIN = 20.0
HEADING, TITLE, EQUATION, NOTE = 16.0, 17.0, 18.0, 13.5  # sizes of text
_LEAST_WIDE = 520.0  # of a picture, so that its sentences have room
_WIDE, _HIGH = 770.0, 760.0  # for the blocks
_CELL_LEAST, _CELL_MOST = 18.0, 52.0
_BOLD = 1.2  # how much wider bold words may be
_SPACE = 0.3 * EQUATION  # between the pieces of an equation
_BETWEEN, _ARROW = 34.0, 70.0  # between two columns, and before the last
_HEAD = 26.0  # for the title of a block


class Piece(NamedTuple):
    """A piece of an equation, kept together: a sign, a term, and the number it shows, if any."""

    text: str
    sign: str = ""
    term: int | None = None

    @property
    def indent(self) -> float:
        """How far its text stands behind its beginning."""
        return width(f"${self.sign}$", EQUATION) + _SPACE if self.sign else 0.0

    @property
    def wide(self) -> float:
        """How wide it is drawn, whatever font there is."""
        return self.indent + width(self.text, EQUATION)


class Sheet:
    """A picture that grows downwards: a heading, then blocks, then lines of text."""

    def __init__(self, columns: Sequence[Sequence[Part]], heading: str, named: bool = True) -> None:
        cell = _cell(columns)
        self.columns = [[Block(part, cell, named) for part in column] for column in columns]
        self.wide = max(_LEAST_WIDE, _across(self.columns) + 2 * MARGIN)
        self.shapes: list[Shape] = []
        self.y = MARGIN + HEADING / 2
        self._write(heading, HEADING, bold=True)
        self.y += 2
        self._place()

    @property
    def blocks(self) -> Iterator[Block]:
        """All blocks."""
        return (block for column in self.columns for block in column)

    def _place(self) -> None:
        """Give every block its place: rows aligned, a column of fewer blocks in the middle."""
        rows = max(map(len, self.columns))
        full = [column for column in self.columns if len(column) == rows]
        heights = [max(column[row].height for column in full) for row in range(rows)]
        needed = sum(heights) + rows * (_HEAD + GAP) - GAP
        high = max(needed, *(_HEAD + block.height for block in self.blocks))
        left = (self.wide - _across(self.columns)) / 2
        for k, column in enumerate(self.columns):
            wide, top = _width(column), self.y + (high - needed) / 2 * (len(column) == rows)
            for row, block in enumerate(column):
                room = heights[row] if len(column) == rows else high - _HEAD
                block.left = left + (wide - block.width) / 2
                block.top = top + _HEAD + (room - block.height) / 2
                top += room + _HEAD + GAP
            left += wide + (_ARROW if k == len(self.columns) - 2 else _BETWEEN)
        self.middle = self.y + (_HEAD + high) / 2
        self.y += high + 30

    # --- shapes ---

    def title(self, block: Block) -> Label:
        """Return the name of a block, above it."""
        return Label(block.middle_of_cells, block.top - 14, block.part.title, TITLE)

    def arrow(self) -> None:
        """Draw an arrow from the other columns to the last."""
        if len(self.columns) > 1:
            (left, right), y = self._gap, self.middle
            self.shapes += [
                Line(((left, y), (right - 7, y)), Style(stroke="soft", width=1.8)),
                Line(((right - 9, y - 5), (right, y), (right - 9, y + 5)), Style("soft")),
            ]

    def over_arrow(self, text: str, frames: Frames) -> None:
        """Write a few letters over the arrow."""
        left, right = self._gap
        y = self.middle - 16
        self.shapes.append(Label((left + right) / 2, y, text, NOTE, "soft", frames=frames))

    @property
    def _gap(self) -> tuple[float, float]:
        left = max(block.left + block.width for block in self.columns[-2])
        return left + 16, min(block.left for block in self.columns[-1]) - 16

    def equation(self, pieces: Sequence[Piece], frames: Frames = None) -> None:
        """Write an equation in as many lines as it needs, with numbers under its terms."""
        room = self.wide - 2 * MARGIN
        lines: list[list[Piece]] = [[]]
        for piece in pieces:
            if _long([*lines[-1], piece]) > room:
                lines.append([])
            lines[-1].append(piece)
        for line in lines:
            x = (self.wide - _long(line)) / 2
            for piece in line:
                self.shapes += during(_piece(piece, x, self.y), frames)
                x += piece.wide + _SPACE
            self.y += 46 if any(piece.term is not None for piece in pieces) else 28

    def note(self, text: str) -> None:
        """Write a sentence in small letters."""
        self._write(text, NOTE, "soft")

    def sentence(self, text: str) -> None:
        """Write a sentence."""
        self._write(text, HEADING)

    def _write(self, text: str, size: float, colour: str = "ink", bold: bool = False) -> None:
        for line in wrapped(text, size * (_BOLD if bold else 1), self.wide - 2 * MARGIN):
            self.shapes.append(Label(self.wide / 2, self.y, line, size, colour, bold=bold))
            self.y += 1.4 * size


def during(shapes: Iterable[Shape], frames: Frames) -> Iterator[Shape]:
    """Show shapes in some frames only."""
    return (shape._replace(frames=frames) for shape in shapes)


def disc(x: float, y: float, number: int) -> list[Shape]:
    """Draw the number of a term on a disc of its colour."""
    return [
        Box(x - 8, y - 8, 16, 16, Style(tone(number)), 8),
        Label(x, y, str(number + 1), 11.5, "over", bold=True),
    ]


def _long(line: Sequence[Piece]) -> float:
    return sum(piece.wide + _SPACE for piece in line) - _SPACE


def _piece(piece: Piece, x: float, y: float) -> Iterator[Shape]:
    if piece.sign:
        yield Label(x, y, f"${piece.sign}$", EQUATION, anchor="start")
    x, wide = x + piece.indent, piece.wide - piece.indent
    yield Label(x, y, piece.text, EQUATION, anchor="start", width=wide)
    if piece.term is not None:
        yield Box(x, y + 15, wide, 3, Style(tone(piece.term)), 1.5)
        yield from disc(x + wide / 2, y + 18, piece.term)


def _cell(columns: Sequence[Sequence[Part]]) -> float:
    """The side of a cell, so that all columns fit side by side, and each on its height."""
    sizes = [[((1, 1, 1) + tuple(map(len, p.places)))[-3:] for p in column] for column in columns]
    across = sum(max(wide for _, _, wide in column) for column in sizes)
    down = max(sum(deep * high for deep, high, _ in column) for column in sizes)
    free = _WIDE - (_ARROW + _BETWEEN * (len(columns) - 2) if len(columns) > 1 else 0)
    return max(_CELL_LEAST, min(_CELL_MOST, free // across, _HIGH // down))


def _width(column: Sequence[Block]) -> float:
    return max(max(b.width, width(b.part.title, TITLE)) for b in column)


def _across(columns: Sequence[Sequence[Block]]) -> float:
    between = [_BETWEEN] * (len(columns) - 2) + [_ARROW] * (len(columns) > 1)
    return sum(map(_width, columns)) + sum(between)
