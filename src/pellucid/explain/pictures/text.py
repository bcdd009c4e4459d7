"""Text in pictures: what in it is mathematics, what is lowered, and about how wide it is.

The width is an estimate: an SVG has its text as text, in a font that is not known here. It is made
for fonts as wide as Times; a little room is left for wider ones.

Not here: where text stands. Next room: svg.py.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SUBSCRIPT = 0.72  # the size of a subscript
LOWERED = 0.25  # how far it is lowered, in sizes of the text around it

# Widths for a size of 1. Everything else: 0.5 in mathematics; in words 0.54, and 0.92 in Hangul.
_MATHS = {
    **dict.fromkeys("/ij[]()t", 0.33),
    **dict.fromkeys(" .,:·", 0.26),
    **dict.fromkeys("xycksv", 0.45),
    **dict.fromkeys("LXY", 0.62),
    **dict.fromkeys("=+−×w", 0.69),
    **dict.fromkeys("WO", 0.8),
    "…": 0.9,
}
_WORDS = {
    **dict.fromkeys("ijltfr.,:;'|()[]! ", 0.32),
    **dict.fromkeys("mwMW", 0.86),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ", 0.66),
}


class Run(NamedTuple):
    """A piece of text in one font and at one height."""

    text: str
    maths: bool
    lowered: bool


def runs(text: str) -> list[Run]:
    """Return the pieces of a label.

    >>> [run.text for run in runs("the pixel $x_{13}$")]
    ['the pixel ', 'x', '13']
    """
    found = []
    for k, part in enumerate(text.split("$")):
        for j, piece in enumerate(re.split(r"_\{(.*?)\}", part) if k % 2 else [part]):
            if piece:
                found.append(Run(piece, bool(k % 2), bool(j % 2)))
    return found


def plain(text: str) -> str:
    """Return the text of a label without its signs.

    >>> plain("the pixel $x_{13}$")
    'the pixel x13'
    """
    return "".join(run.text for run in runs(text))


def width(text: str, size: float) -> float:
    """Return about how wide a label is."""
    return sum(_wide(run) for run in runs(text)) * size


def _wide(run: Run) -> float:
    if run.maths:
        wide = sum(_MATHS.get(letter, 0.5) for letter in run.text)
        return wide * (SUBSCRIPT if run.lowered else 1.0)
    return sum(_WORDS.get(c, 0.92 if "가" <= c <= "힣" else 0.57) for c in run.text)


def wrapped(text: str, size: float, room: float) -> list[str]:
    """Return words in lines no wider than `room` and about as long as each other.

    Lines are cut at blanks outside of mathematics.

    >>> wrapped("one two three four", 10, 80)
    ['one two', 'three four']
    """
    lines = _wrapped(text, size, room)
    for tightened in range(1, 10):
        tighter = _wrapped(text, size, (1 - 0.05 * tightened) * room)
        if len(tighter) == len(lines):
            lines = tighter
    return lines


def _wrapped(text: str, size: float, room: float) -> list[str]:
    lines: list[str] = []
    for word in re.findall(r"(?:\$[^$]*\$|[^\s$])+", text):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
