"""An SVG of explain read back: its cells by what they say, what fills them, labels by place."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


class Label(NamedTuple):
    x: float
    y: float  # of its middle
    text: str


class Reading:
    """What is in an SVG with a fixed theme; where it moves, in its frame for standing still."""

    def __init__(self, svg: str) -> None:
        self.root = ET.fromstring(svg)
        self.styles = dict(re.findall(r"^#\w+ \.(c\d+)\{(.*)\}$", svg, re.MULTILINE))
        self.hidden = set(re.findall(r"\.(f\d+)(?=[^{}]*\{visibility:hidden\})", svg))
        self.boxes = list(self._seen(self.root, "rect"))

    def _seen(self, element, tag):
        for child in element:
            if child.tag == f"{SVG}g" and child.get("class") in self.hidden:
                continue
            if child.tag == SVG + tag:
                yield child
            yield from self._seen(child, tag)

    def text(self, tag: str) -> str:
        """The text of the title or the description."""
        return self.root.findtext(SVG + tag) or ""

    def cells(self) -> dict[str, tuple[float, ...]]:
        """What each cell says when it is pointed at -> its left, top and side."""
        found = [(box.findtext(f"{SVG}title"), place(box)) for box in self.boxes]
        titled = [(said, where) for said, where in found if said]
        assert len({said for said, _ in titled}) == len(titled)
        return dict(titled)

    def fills(self) -> dict[str, list[str]]:
        """What each cell says -> the styles of the boxes that fill it exactly, from the back on."""
        at = {where: said for said, where in self.cells().items()}
        fills = defaultdict(list)
        for box in self.boxes:
            if box.find(f"{SVG}title") is None and place(box) in at:
                fills[at[place(box)]].append(self.style(box))
        return fills

    def style(self, element) -> str:
        return next(
            self.styles[name] for name in element.get("class").split() if name in self.styles
        )

    def labels(self) -> list[Label]:
        found = []
        for text in self._seen(self.root, "text"):
            size = float(text.get("font-size"))
            y = float(text.get("y")) - 0.34 * size
            found.append(Label(float(text.get("x")), y, "".join(text.itertext())))
        return found

    def label_in(self, cell: tuple[float, ...]) -> list[str]:
        """The labels in the middle of a cell."""
        left, top, side = cell[:3]
        return [
            label.text
            for label in self.labels()
            if abs(label.x - left - side / 2) < 0.1 and abs(label.y - top - side / 2) < 0.1
        ]


def place(box) -> tuple[float, ...]:
    """Left, top, width of a rectangle."""
    return tuple(float(box.get(name) or 0) for name in ("x", "y", "width"))


def short(name: str) -> str:
    """A name as a label has it: `dL/dx[1,13]` is written `∂L/∂x1,13`."""
    return re.sub(r"[][]", "", name).replace("dL/d", "∂L/∂")
