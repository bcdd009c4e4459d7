"""Draw the picture of the README: 5x5 input, 3x3 kernel, stride 2, forward and back.

    python docs/pictures/worked_example.py     writes the four SVG files beside this one

Colours tell the four outputs apart, and so do places: the dot of o12 lies at the upper right of
every pixel that o12 reaches. Names, windows and equations are those that `derive` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from operator import mul
from pathlib import Path

from pellucid.explain import Element, Expression, Picture, derive
from pellucid.explain.pictures.block import Block, Part
from pellucid.explain.pictures.scene import THEMES, Box, Label, Line, Scene, Shape, Style, tone

D = derive("c1 i5x5 o1 k3x3 s2")
WINDOWS = list(product(range(2), repeat=2))  # (i, j) in the order o11 o12 o21 o22
WIDTH, HEIGHT, LEFT, RIGHT = 860.0, 596.0, 205.0, 640.0  # the middle of each half

WORDS = {
    "en": {
        "title": "A convolution and its backpropagation: input 5x5, kernel 3x3, stride 2",
        "desc": "Left, forward: the four windows of X, which begin at x11, x13, x31 and x33, make "
        "the outputs o11, o12, o21 and o22. Right, backward: dL/do11 and dL/do12 each scale a copy "
        "of W, which is added to dL/dX where their window lies. Both copies meet at x13, with w13 "
        "and w11, so dL/dx13 = dL/do11 w13 + dL/do12 w11. The dots in each pixel of dL/dX say "
        "which outputs reach it: one at the corners, all four at x33.",
        "forward": "forward: each window times $W$",
        "backward": "backward: $∂L/∂o$ times $W$, added to its window",
    },
    "ko": {
        "title": "합성곱과 역전파: 입력 5x5, 커널 3x3, 보폭 2",
        "desc": "왼쪽은 순전파이다. x11, x13, x31, x33에서 시작하는 X의 네 윈도우에서 "
        "출력 o11, o12, o21, o22가 나온다. 오른쪽은 역전파이다. dL/do11과 dL/do12를 각각 W에 "
        "곱하여 dL/dX에서 자기 윈도우의 자리에 더한다. 두 윈도우는 x13에서 만나고, 그 자리의 "
        "가중치는 w13과 w11이므로 dL/dx13 = dL/do11 w13 + dL/do12 w11이다. dL/dX의 각 칸에 "
        "찍힌 점은 그 칸에 닿는 출력을 나타낸다. 모서리에는 하나, x33에는 넷이 있다.",
        "forward": "순전파: 각 윈도우에 $W$를 곱한다",
        "backward": "역전파: $∂L/∂o$에 $W$를 곱해 자기 윈도우에 더한다",
    },
}


def grid(key: str, middle: float, top: float, cell: float) -> Block:
    """Return an array as cells, centred at `middle`: x, or gx for the gradient."""
    sizes = D.names.arrays[key[-1]].shape[2:]
    block = Block(Part(D.names, key, (0, 0), tuple(map(range, sizes))), cell, named=True)
    block.left, block.top = middle - block.width / 2, top
    return block


def named(element: Element) -> str:
    """Return the name of an element as mathematics."""
    return Part(D.names, element.key, element.index[:2], ()).name(element.index[2:])


def equation(expression: Expression, middle: float, most: int) -> Label:
    """Write an equation at the bottom of one half."""
    terms = (
        "…" if term is None else " ".join(map(named, term.elements))
        for term in expression.shown(most)
    )
    return Label(middle, HEIGHT - 24, f"${named(expression.left)} = {' + '.join(terms)}$", 17)


def arrow(*points: tuple[float, float], colour: str) -> Iterator[Shape]:
    """Draw a line that ends in an arrow up or down."""
    (x, y), back = points[-1], 8 if points[-1][1] < points[-2][1] else -8
    yield Line((*points[:-1], (x, y + back / 2)), Style(stroke=colour, width=2))
    yield Line(((x - 5, y + back), (x + 5, y + back), (x, y)), Style(colour))


def bend(
    start: tuple[float, float], corner: tuple[float, float], end: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return points on the parabola from the start to the end by way of a corner."""
    points = []
    for k in range(13):
        t = k / 12
        weights = ((1 - t) ** 2, 2 * t * (1 - t), t**2)
        x, y = (sum(map(mul, weights, along)) for along in zip(start, corner, end, strict=True))
        points.append((x, y))
    return points


def outputs(block: Block) -> Iterator[Shape]:
    """Draw the four outputs, each in its colour."""
    yield from block.cells(block.part.text)
    for k, place in enumerate(WINDOWS):
        yield block.fill(place, Style(tone(k), 0.2, tone(k), 2), 2)
    yield from block.labels()


def beside(block: Block, text: str, gap: float = 28) -> Label:
    """Write the name of an array at its left."""
    return Label(block.left - gap, block.top + block.height / 2, f"${text}$", 20)


def forward(words: Mapping[str, str]) -> Iterator[Shape]:
    """Draw the left half: X below, W in the middle, O above."""
    O, W, X = grid("y", LEFT, 54, 48), grid("w", LEFT, 192, 36), grid("x", LEFT, 332, 42)
    yield Label(LEFT, 26, words["forward"], 16, bold=True)
    yield from outputs(O)
    yield from [*W.cells(W.part.text), *W.labels(), *X.cells(X.part.text)]
    for k, (i, j) in enumerate(WINDOWS):
        window = [range(2 * i, 2 * i + 3), range(2 * j, 2 * j + 3)]
        yield from X.outline(window, Style(tone(k), 0.07, tone(k), 2.4), 3 if i == j else 6)
    yield from X.labels()
    yield from [beside(O, "O"), beside(W, "W"), beside(X, "X")]
    for below, above in ((X, W), (W, O)):
        ends = (LEFT, below.top - 7), (LEFT, above.top + above.height + 7)
        yield from arrow(*ends, colour="soft")
    yield equation(D.forward[0, 0, 0, 1], LEFT, 5)


def backward(words: Mapping[str, str]) -> Iterator[Shape]:
    """Draw the right half: dL/dO above, two scaled copies of W, dL/dX below."""
    gO, gX = grid("gy", RIGHT, 50, 60), grid("gx", RIGHT, 332, 44)
    yield Label(RIGHT, 26, words["backward"], 16, bold=True)
    yield from outputs(gO)
    yield from gX.cells(lambda place: D.grad_input[(0, 0, *place)].text())
    yield gX.fill((0, 2), Style("ink", 0.1, "ink", 2.4), 1)
    yield from gX.labels()
    yield from dots(gX)
    yield from [beside(gO, "∂L/∂O", 80), beside(gX, "∂L/∂X", 40)]
    for k, side in ((0, -1), (1, 1)):
        yield from way_to_x13(gO, grid("w", RIGHT + 104 * side, 196, 36), gX, k)
    yield equation(D.grad_input[0, 0, 0, 2], RIGHT, 9)


def way_to_x13(gO: Block, W: Block, gX: Block, k: int) -> Iterator[Shape]:
    """Draw one dL/do, its copy of W, and the way of the weight there to x13."""
    side, colour = (-1, 1)[k], tone(k)
    gy, w = D.grad_input[0, 0, 0, 2].terms[k].elements
    meets = w.index[2:]
    yield from W.cells(W.part.text)
    yield W.fill(meets, Style(colour, 0.4))
    yield from W.outline([range(3), range(3)], Style(colour, 0.07, colour, 2.4), 0)
    yield from W.labels()
    middle = W.left + W.width / 2
    name = f"${named(gy)} · W$"
    yield Label(middle + side * 8, W.top + W.height + 16, name, 15)
    x, y = gO.middle(gy.index[2:])
    turn = bend((middle - side * 14, y), (middle, y), (middle, y + 14))
    yield from arrow((x + side * 29, y), *turn, (middle, W.top - 6), colour=colour)
    edge = W.left + (W.width if side < 0 else 0)
    y, x = W.middle(meets)[1], gX.middle((0, 2))[0] + side * 9
    fall = bend((edge, y), (x, y), (x, y + 40))
    yield from arrow(*fall, (x, gX.top - 4), colour=colour)


def dots(gX: Block) -> Iterator[Shape]:
    """Mark in each pixel which outputs reach it, each output in its own corner; and a key."""
    for k, (i, j) in enumerate(WINDOWS):
        for u, v in product(range(3), repeat=2):
            x, y = gX.middle((2 * i + u, 2 * j + v))
            yield dot(x + (2 * j - 1) * 15, y + (2 * i - 1) * 15, tone(k))
        y = gX.top + gX.height / 2 + (k - 1.5) * 26
        yield dot(gX.left + gX.width + 20, y, tone(k))
        yield Label(gX.left + gX.width + 40, y, f"$o_{{{i + 1}{j + 1}}}$", 16)


def dot(x: float, y: float, colour: str) -> Box:
    """Return a dot."""
    return Box(x - 3.6, y - 3.6, 7.2, 7.2, Style(colour), 3.6)


def picture(language: str) -> Picture:
    """Return the drawing in one language."""
    words = WORDS[language]
    shapes = (*forward(words), *backward(words))
    return Picture(Scene(WIDTH, HEIGHT, words["title"], words["desc"], language, shapes))


def pictures() -> dict[str, str]:
    """Return the files by name."""
    return {
        f"worked-example-{theme}{'' if language == 'en' else '.' + language}.svg": picture(
            language
        ).svg(theme)
        for theme, language in product(THEMES, WORDS)
    }


if __name__ == "__main__":
    for name, svg in pictures().items():
        (Path(__file__).parent / name).write_text(svg, encoding="utf-8", newline="\n")
