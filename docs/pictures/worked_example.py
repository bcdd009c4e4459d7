"""Draw the picture of the README: 5x5 input, 3x3 kernel, stride 2, forward and back.

    python docs/pictures/worked_example.py     writes the four SVG files beside this one

Colours tell the four outputs apart, and so do places: the dot of o12 lies at the upper right of
every pixel that o12 reaches. Light and dark, English and Korean share one drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import product
from pathlib import Path
from typing import NamedTuple

H, KH, OH, STRIDE = 5, 3, 2, 2
WINDOWS = list(product(range(OH), repeat=2))  # (i, j) in the order o11 o12 o21 o22
WIDTH, HEIGHT = 860, 590

# Okabe and Ito's colours, which any eye tells apart, made lighter or darker for each kind of page.
THEMES = {
    "light": {
        "ink": "#1f2328",
        "faint": "#6e7781",
        "line": "#afb8c1",
        "paper": "#ffffff",
        "o": ["#0072b2", "#d55e00", "#00805e", "#a8447f"],
    },
    "dark": {
        "ink": "#e6edf3",
        "faint": "#9198a1",
        "line": "#545d68",
        "paper": "#0d1117",
        "o": ["#56b4e9", "#f0a03c", "#2fc79b", "#e48fc2"],
    },
}

WORDS = {
    "en": {
        "title": "A convolution and its backpropagation: input 5x5, kernel 3x3, stride 2",
        "desc": "Left, forward: the four windows of X, which begin at x11, x13, x31 and x33, make "
        "the outputs o11, o12, o21 and o22. Right, backward: dL/do11 and dL/do12 each scale a copy "
        "of W, which is added to dL/dX where their window lies. Both copies meet at x13, with w13 "
        "and w11, so dL/dx13 = dL/do11 w13 + dL/do12 w11. The dots in each pixel of dL/dX say "
        "which outputs reach it: one at the corners, all four at x33.",
        "forward": "forward: each window times W",
        "backward": "backward: ∂L/∂o times W, added to its window",
    },
    "ko": {
        "title": "합성곱과 역전파: 입력 5x5, 커널 3x3, 보폭 2",
        "desc": "왼쪽은 순전파이다. x11, x13, x31, x33에서 시작하는 X의 네 윈도우에서 "
        "출력 o11, o12, o21, o22가 나온다. 오른쪽은 역전파이다. dL/do11과 dL/do12를 각각 W에 "
        "곱하여 dL/dX에서 자기 윈도우의 자리에 더한다. 두 윈도우는 x13에서 만나고, 그 자리의 "
        "가중치는 w13과 w11이므로 dL/dx13 = dL/do11 w13 + dL/do12 w11이다. dL/dX의 각 칸에 "
        "찍힌 점은 그 칸에 닿는 출력을 나타낸다. 모서리에는 하나, x33에는 넷이 있다.",
        "forward": "순전파: 각 윈도우에 W를 곱한다",
        "backward": "역전파: ∂L/∂o에 W를 곱해 자기 윈도우에 더한다",
    },
}


class Grid(NamedTuple):
    """A square of cells: its corner on the page, and the size of a cell."""

    left: float
    top: float
    cell: float
    rows: int

    @property
    def width(self) -> float:
        """The length of a side."""
        return self.cell * self.rows

    def at(self, row: float, column: float) -> tuple[float, float]:
        """Return the middle of a cell."""
        return self.left + (column + 0.5) * self.cell, self.top + (row + 0.5) * self.cell


def box(x: float, y: float, width: float, height: float, style: str, radius: float = 2) -> str:
    """Return a rectangle."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"'
    return f"<rect {place} {style}/>"


def maths(text: str) -> str:
    """Return the inside of a text element, where `x_13` has 13 as its subscript."""
    lowered = '<tspan dy="4" font-size="70%">\\1</tspan><tspan dy="-4">\u200b</tspan>'
    return re.sub(r"_(\d+)", lowered, escape(text))


def label(x: float, y: float, text: str, size: float) -> str:
    """Return mathematics, centred at a point."""
    place = f'x="{x:g}" y="{y + size / 3:g}" font-size="{size:g}"'
    return f'<text {place} class="maths">{maths(text)}</text>'


def heading(x: float, text: str) -> str:
    """Return the words above one half of the picture."""
    return f'<text x="{x:g}" y="30" font-size="16" class="words">{escape(text)}</text>'


def arrow(path: str, colour: str) -> str:
    """Return a curve that ends in an arrow."""
    name = colour.strip("#")
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" '
        f'marker-end="url(#{name})"/>'
    )


def head(colour: str) -> str:
    """Return the arrow's head of one colour."""
    return (
        f'<marker id="{colour.strip("#")}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
    )


class Picture:
    """The drawing in one theme and one language."""

    def __init__(self, theme: str, language: str) -> None:
        self.theme, self.words = THEMES[theme], WORDS[language]
        self.ink, self.colours = self.theme["ink"], dict(zip(WINDOWS, self.theme["o"], strict=True))

    def cells(self, grid: Grid, name: str, size: float) -> Iterator[str]:
        """Draw the cells of a grid with their names, x_11 and so on."""
        for row, column in product(range(grid.rows), repeat=2):
            left, top = grid.left + column * grid.cell, grid.top + row * grid.cell
            style = f'fill="none" stroke="{self.theme["line"]}"'
            yield box(left, top, grid.cell, grid.cell, style, radius=0)
            yield label(*grid.at(row, column), f"{name}_{row + 1}{column + 1}", size)

    def outputs(self, grid: Grid, name: str, size: float) -> Iterator[str]:
        """Draw the four outputs, each in its colour."""
        for (i, j), colour in self.colours.items():
            left, top = grid.left + j * grid.cell, grid.top + i * grid.cell
            style = f'fill="{colour}" fill-opacity="0.2" stroke="{colour}" stroke-width="2"'
            yield box(left + 2, top + 2, grid.cell - 4, grid.cell - 4, style, radius=4)
            yield label(*grid.at(i, j), f"{name}_{i + 1}{j + 1}", size)

    def windows(self, grid: Grid) -> Iterator[str]:
        """Outline the four windows of X; neighbours are set in differently, so both edges show."""
        for (i, j), colour in self.colours.items():
            inset = 3 if i == j else 6
            side = KH * grid.cell - 2 * inset
            left = grid.left + j * STRIDE * grid.cell + inset
            top = grid.top + i * STRIDE * grid.cell + inset
            style = f'fill="{colour}" fill-opacity="0.07" stroke="{colour}" stroke-width="2.5"'
            yield box(left, top, side, side, style, radius=5)

    def dots(self, grid: Grid) -> Iterator[str]:
        """Mark in each pixel which outputs reach it, each output in its own corner; and a key."""
        for (i, j), colour in self.colours.items():
            for u, v in product(range(KH), repeat=2):
                x, y = grid.at(i * STRIDE + u, j * STRIDE + v)
                yield self.dot(x + (2 * j - 1) * 14, y + (2 * i - 1) * 14, colour)
            y = grid.top + grid.width / 2 + (2 * i + j - 1.5) * 24
            yield self.dot(grid.left + grid.width + 24, y, colour)
            yield label(grid.left + grid.width + 44, y - 1, f"o_{i + 1}{j + 1}", 15)

    def dot(self, x: float, y: float, colour: str) -> str:
        """Return a dot."""
        return f'<circle cx="{x:g}" cy="{y:g}" r="3.6" fill="{colour}"/>'

    def forward(self, left: float) -> Iterator[str]:
        """Draw the left half: X below, W in the middle, O above."""
        middle = left + 200
        O, W = Grid(middle - 46, 56, 46, OH), Grid(middle - 51, 188, 34, KH)
        X = Grid(middle - 105, 328, 42, H)
        yield heading(middle, self.words["forward"])
        yield from self.outputs(O, "o", 17)
        yield from self.cells(W, "w", 14)
        yield from self.cells(X, "x", 15)
        yield from self.windows(X)
        yield label(O.left - 26, O.top + O.width / 2, "O", 20)
        yield label(W.left - 26, W.top + W.width / 2, "W", 20)
        yield label(X.left - 26, X.top + X.width / 2, "X", 20)
        yield arrow(f"M{middle} {X.top - 6}V{W.top + W.width + 8}", self.theme["faint"])
        yield arrow(f"M{middle} {W.top - 6}V{O.top + O.width + 8}", self.theme["faint"])
        equation = "o_12 = x_13 w_11 + x_14 w_12 + x_15 w_13 + … + x_35 w_33 + b"
        yield label(middle, 566, equation, 16)

    def scaled(self, grid: Grid, window: tuple[int, int], meets: tuple[int, int]) -> Iterator[str]:
        """Draw the copy of W that one output scales, with the weight that meets x13."""
        i, j = window
        colour = self.colours[window]
        u, v = meets
        x, y = grid.left + v * grid.cell, grid.top + u * grid.cell
        style = f'fill="{colour}" fill-opacity="0.35" stroke="none"'
        yield box(x, y, grid.cell, grid.cell, style, radius=0)
        yield from self.cells(grid, "w", 14)
        style = f'fill="{colour}" fill-opacity="0.07" stroke="{colour}" stroke-width="2.5"'
        yield box(grid.left, grid.top, grid.width, grid.width, style, radius=5)
        side = -1 if j == 0 else 1
        name = f"∂L/∂o_{i + 1}{j + 1} · W"
        yield label(grid.left + grid.width / 2 + side * 8, grid.top + grid.width + 16, name, 15)

    def backward(self, left: float) -> Iterator[str]:
        """Draw the right half: dL/dO above, two scaled copies of W, dL/dX below."""
        middle = left + 200
        gO, gX = Grid(middle - 62, 50, 62, OH), Grid(middle - 105, 328, 42, H)
        first, second = Grid(middle - 152, 192, 34, KH), Grid(middle + 50, 192, 34, KH)
        yield heading(middle, self.words["backward"])
        yield from self.outputs(gO, "∂L/∂o", 15)
        yield from self.scaled(first, (0, 0), (0, KH - 1))
        yield from self.scaled(second, (0, 1), (0, 0))
        yield label(gO.left - 74, gO.top + gO.width / 2, "∂L/∂O", 18)
        yield label(gX.left - 40, gX.top + gX.width / 2, "∂L/∂X", 18)
        yield from self.cells(gX, "x", 14)
        style = f'fill="{self.ink}" fill-opacity="0.08" stroke="{self.ink}" stroke-width="2.5"'
        yield box(gX.left + 2 * gX.cell, gX.top, gX.cell, gX.cell, style, radius=4)
        yield from self.dots(gX)
        for grid, window in [(first, (0, 0)), (second, (0, 1))]:
            yield from self.way_to_x13(gO, grid, gX, window)
        yield label(middle, 566, "∂L/∂x_13 = ∂L/∂o_11 w_13 + ∂L/∂o_12 w_11", 16)

    def way_to_x13(self, gO: Grid, W: Grid, gX: Grid, window: tuple[int, int]) -> Iterator[str]:
        """Draw the arrows from one dL/do to its copy of W, and from the weight there to x13."""
        side, colour = (-1 if window[1] == 0 else 1), self.colours[window]
        x, y = gO.at(*window)
        corner, middle = W.left + W.width / 2, gX.left + gX.width / 2
        yield arrow(
            f"M{x + side * 31:g} {y:g}H{corner - side * 14:g}"
            f"Q{corner:g} {y:g} {corner:g} {y + 14:g}V{W.top - 7:g}",
            colour,
        )
        edge, row = W.left + (W.width if side < 0 else 0), W.top + W.cell / 2
        x = middle + side * 9
        yield arrow(
            f"M{edge:g} {row:g}C{x:g} {row:g} {x:g} {row + 30:g} {x:g} {gX.top - 5:g}", colour
        )

    def svg(self) -> str:
        """Return the whole file."""
        style = (
            f"text{{text-anchor:middle;fill:{self.ink}}}"
            ".maths{font-family:'STIX Two Text','Times New Roman',Times,serif;font-style:italic}"
            ".words{font-family:system-ui,'Noto Sans KR',sans-serif;font-weight:600}"
        )
        colours = [self.theme["faint"], *self.theme["o"]]
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(self.words["title"])}</title>',
            f'<desc id="desc">{escape(self.words["desc"])}</desc>',
            f"<style>{style}</style>",
            f"<defs>{''.join(head(colour) for colour in colours)}</defs>",
            *self.forward(10),
            *self.backward(430),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"


def pictures() -> dict[str, str]:
    """Return the files by name."""
    return {
        f"worked-example-{theme}{'' if language == 'en' else '.' + language}.svg": Picture(
            theme, language
        ).svg()
        for theme, language in product(THEMES, WORDS)
    }


if __name__ == "__main__":
    for name, svg in pictures().items():
        (Path(__file__).parent / name).write_text(svg, encoding="utf-8", newline="\n")
