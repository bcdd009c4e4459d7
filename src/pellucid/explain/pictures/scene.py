"""What a picture is made of: boxes, lines and labels, each in all frames or in some of them.

A `Scene` is the one description of a picture. svg.py writes it as text, raster.py paints it, and
neither decides where anything stands. Colours are names, which a theme turns into colours.

Not here: what is drawn (figure.py, coverage.py, steps.py). Next room: text.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Frames: TypeAlias = "frozenset[int] | None"

# Blue, orange, green and pink are Okabe and Ito's, changed in lightness; the last two differ from
# them in lightness too, so that eyes without one kind of cones tell all six apart.
# `over` is for letters on a tone.
THEMES: dict[str, dict[str, str]] = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1f2328",
        "soft": "#59636e",
        "line": "#afb8c1",
        "tile": "#eaeef2",
        "over": "#ffffff",
        "tone0": "#0072b2",
        "tone1": "#c65300",
        "tone2": "#00805e",
        "tone3": "#a8447f",
        "tone4": "#5c4400",
        "tone5": "#3a1f8f",
    },
    "dark": {
        "paper": "#0d1117",
        "ink": "#e6edf3",
        "soft": "#9198a1",
        "line": "#545d68",
        "tile": "#22272e",
        "over": "#0d1117",
        "tone0": "#56b4e9",
        "tone1": "#f0a03c",
        "tone2": "#2fc79b",
        "tone3": "#e48fc2",
        "tone4": "#fff3a6",
        "tone5": "#948fff",
    },
}
TONES = 6


def tone(k: int) -> str:
    """Return the colour of the k-th of several things; after the last they begin again."""
    return f"tone{k % TONES}"


class Style(NamedTuple):
    """How a shape is filled and outlined: names of colours, or None."""

    fill: str | None = None
    opacity: float = 1.0  # of the filling
    stroke: str | None = None
    width: float = 1.0
    dash: float = 0.0  # the length of dashes, of which the first is a half, and of gaps


class Box(NamedTuple):
    """A rectangle; with a radius of half its side, a disc. `title` shows when it is pointed at."""

    left: float
    top: float
    width: float
    height: float
    style: Style
    radius: float = 0.0
    title: str = ""
    frames: Frames = None


class Line(NamedTuple):
    """A line through points; where its style has a filling, a closed shape."""

    points: tuple[tuple[float, float], ...]
    style: Style
    frames: Frames = None


class Label(NamedTuple):
    """A line of text, its middle at the height `y`.

    `x` is the middle of it or, by `anchor`, its start. `$...$` is mathematics, in which `x_{13}`
    has a subscript. A `width` is kept whatever font there is.
    """

    x: float
    y: float
    text: str
    size: float
    colour: str = "ink"
    anchor: str = "middle"
    bold: bool = False
    width: float | None = None
    frames: Frames = None


Shape: TypeAlias = Box | Line | Label


@dataclass(frozen=True)
class Scene:
    """A picture: its size, its words for those who do not see it, and its shapes from the back on.

    Of several `frames`, each stands for `seconds`. `still` is the one to show where nothing moves.
    """

    width: float
    height: float
    title: str
    desc: str
    lang: str
    shapes: tuple[Shape, ...]
    frames: int = 1
    seconds: float = 1.0
    still: int = 0
