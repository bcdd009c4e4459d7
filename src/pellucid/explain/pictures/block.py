"""An array in a picture: cells on a grid, plane under plane, with their names where they fit.

A `Block` knows where each element stands, also along one axis (a row) or three (slices), and of a
large array only the part that is drawn. Places in the padding are cells too.

Not here: which elements are lit (figure.py). Next room: plan.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from pellucid.explain.notation import Names
from pellucid.explain.pictures.scene import Box, Frames, Label, Shape, Style
from pellucid.explain.pictures.text import width
from pellucid.kernels.conv.spec import Sizes

GAP = 14.0  # between planes, and where places are left out
HEADER = 14.0  # for the numbers of rows and columns
_LARGEST, _LEAST = 16.0, 10.5  # sizes of the names in the cells


@dataclass(frozen=True)
class Part:
    """What of an array is drawn: the indices before the spatial ones, and places along each axis.

    `key` is `x`, or `gx` for the gradient. Places outside of the array are padding. A `remark` in
    words follows its title.
    """

    names: Names
    key: str
    lead: Sizes
    places: tuple[Sequence[int], ...]
    remark: str = ""

    @property
    def array(self) -> str:
        """The array whose indices it has."""
        return self.key[-1]

    @property
    def gradient(self) -> bool:
        """Whether its elements are gradients."""
        return self.key != self.array

    @property
    def shape(self) -> Sizes:
        """The sizes of the spatial axes of the array."""
        return self.names.arrays[self.array].shape[len(self.lead) :]

    def is_inside(self, place: Sizes) -> bool:
        """Say whether a place is an element, and no padding."""
        return all(0 <= at < size for at, size in zip(place, self.shape, strict=True))

    def name(self, place: Sizes) -> str:
        """Return what an element is called, as mathematics."""
        name = self.names.latex(self.array, (*self.lead, *place), gradient=False)
        return f"∂L/∂{name}" if self.gradient else name

    def text(self, place: Sizes) -> str:
        """Return what an element is called, as plain text."""
        return self.names.text(self.array, (*self.lead, *place), self.gradient)

    @property
    def title(self) -> str:
        """Return what stands above it: its name, with the indices that it is drawn at."""
        named = self.names.arrays[self.array]
        symbol = self.names.symbol(self.array)
        symbol = symbol.upper() if self.names.notation == "textbook" and self.places else symbol
        letters = named.letters.split()
        at = ",".join(
            f"{letter}={self.names.position(k)}"
            for letter, k, size in zip(letters, self.lead, named.shape, strict=False)
            if size > 1
        )
        title = f"{symbol}_{{{at}}}" if at else symbol
        return f"$∂L/∂{title}${self.remark}" if self.gradient else f"${title}${self.remark}"

    @property
    def is_counted(self) -> bool:
        """Whether its rows and columns have numbers where its elements have no names."""
        return bool(self.places)

    def style(self, place: Sizes) -> Style:
        """Return how an empty cell looks."""
        inside = self.is_inside(place)
        return Style("paper", stroke="line") if inside else Style(stroke="line", dash=2.5)


class Block:
    """A part of an array, drawn with cells of one size; `named` is whether they have names.

    Its upper left corner is at `left` and `top`.
    """

    left = top = 0.0

    def __init__(self, part: Part, cell: float, named: bool) -> None:
        self.part, self.cell = part, cell
        three = ((0,), (0,), (0,), *part.places)[-3:]
        self.planes, self.rows, self.columns = three
        widest = max((width(f"${part.name(p)}$", 1.0) for p in self.elements()), default=0.0)
        self.letters = min(_LARGEST, 0.8 * cell / widest) if widest else _LARGEST
        self.labelled = named and self.letters >= _LEAST
        is_cut = any(
            len(range(*_ends(at))) > len(at) or min(at) > 0 or max(at) < size - 1
            for at, size in zip(part.places, part.shape, strict=True)
        )
        self.numbered = part.is_counted and (is_cut or not self.labelled)
        digits = len(str(max((max(places) for places in part.places), default=0) + 1))
        self.margin = max(HEADER, 6.5 * digits + 2) if self.numbered else 0.0
        self.indent = 34.0 if len(self.planes) > 1 else 0.0  # for the names of the planes

    @property
    def width(self) -> float:
        """How wide it is, with the numbers of its rows."""
        return self.indent + self.margin + self._along(self.columns, len(self.columns))

    @property
    def middle_of_cells(self) -> float:
        """Where the middle of the cells is, from left to right."""
        return self.left + (self.width + self.indent + self.margin) / 2

    @property
    def plane_height(self) -> float:
        """How high one plane is, with the numbers of its columns."""
        return self.margin + self._along(self.rows, len(self.rows))

    @property
    def height(self) -> float:
        """How high it is."""
        return len(self.planes) * (self.plane_height + GAP) - GAP

    def places(self) -> Iterator[Sizes]:
        """Go through the places that are drawn, those in the padding too."""
        return product(*self.part.places)

    def elements(self) -> Iterator[Sizes]:
        """Go through the places that are drawn, without padding."""
        return (place for place in self.places() if self.part.is_inside(place))

    def holds(self, place: Sizes) -> bool:
        """Say whether a place is drawn."""
        return all(at in places for at, places in zip(place, self.part.places, strict=True))

    def corner(self, place: Sizes) -> tuple[float, float]:
        """Return the upper left corner of a cell."""
        plane, row, column = (0, 0, 0, *place)[-3:]
        return self._corner(plane, row, column)

    def _corner(self, plane: int, row: int, column: int) -> tuple[float, float]:
        x = (
            self.left
            + self.indent
            + self.margin
            + self._along(self.columns, self.columns.index(column))
        )
        y = self.top + self.margin + self._along(self.rows, self.rows.index(row))
        return x, y + self.planes.index(plane) * (self.plane_height + GAP)

    def middle(self, place: Sizes) -> tuple[float, float]:
        """Return the middle of a cell."""
        x, y = self.corner(place)
        return x + self.cell / 2, y + self.cell / 2

    def _along(self, places: Sequence[int], count: int) -> float:
        """How far the first cells reach, with a gap wherever places are left out."""
        return count * self.cell + GAP * sum(
            after > before + 1 for before, after in pairwise(places[: count + 1])
        )

    # --- shapes ---

    def fill(self, place: Sizes, style: Style, inset: float = 0.0, frames: Frames = None) -> Box:
        """Return the box of a cell."""
        x, y = self.corner(place)
        side = self.cell - 2 * inset
        return Box(x + inset, y + inset, side, side, style, min(3.0, 2 * inset), frames=frames)

    def cells(self, title: Callable[[Sizes], str]) -> Iterator[Shape]:
        """Draw the empty cells; `title` says what is shown when one is pointed at."""
        for place in self.places():
            x, y = self.corner(place)
            said = title(place) if self.part.is_inside(place) else ""
            style = self.part.style(place)
            if style.dash:  # a whole number of dashes, so that those of neighbours coincide
                style = style._replace(dash=self.cell / (2 * round(self.cell / 2 / style.dash)))
            yield Box(x, y, self.cell, self.cell, style, title=said)

    def labels(
        self, is_faint: Callable[[Sizes], bool] = lambda place: False, up: float = 0.0
    ) -> Iterator[Shape]:
        """Write the names of the elements where they fit, `up` sides of a cell above its middle."""
        for place in self.elements() if self.labelled else ():
            x, y = self.middle(place)
            colour, name = "soft" if is_faint(place) else "ink", f"${self.part.name(place)}$"
            yield Label(x, y - up * self.cell, name, self.letters, colour)

    def zeros(self) -> Iterator[Shape]:
        """Write the zeros of the padding."""
        size = min(_LARGEST, 0.42 * self.cell)
        for place in self.places():
            if not self.part.is_inside(place) and self.cell > 16:
                yield Label(*self.middle(place), "$0$", size, "soft")

    def numbers(self) -> Iterator[Shape]:
        """Write the numbers of slices, and of rows and columns where no names say them."""
        axes = len(self.part.places)
        for plane in self.planes:
            x, y = self._corner(plane, self.rows[0], self.columns[0])
            for column in self.columns if self.numbered else ():
                middle = self._corner(plane, self.rows[0], column)[0] + self.cell / 2
                yield from self._number(middle, y - 7, column, -1)
            for row in self.rows if self.numbered and axes > 1 else ():
                middle = self._corner(plane, row, self.columns[0])[1] + self.cell / 2
                yield from self._number(x - self.margin / 2, middle, row, -2)
            if axes == 3 and 0 <= plane < self.part.shape[0]:
                high = self._along(self.rows, len(self.rows))
                letter = self.part.names.arrays[self.part.array].letters.split()[-3]
                name = f"${letter}={self.part.names.position(plane)}$"
                yield Label(x - self.margin - 18, y + high / 2, name, 13, "soft")

    def _number(self, x: float, y: float, at: int, axis: int) -> Iterator[Label]:
        if 0 <= at < self.part.shape[axis]:
            size = min(11.0, 0.6 * self.cell)
            yield Label(x, y, str(self.part.names.position(at)), size, "soft")

    def outline(self, window: Sequence[range], style: Style, inset: float) -> Iterator[Shape]:
        """Outline the places from the first to the last of a window along each axis, if drawn."""
        seen = [
            [at for at in places if at in within]
            for places, within in zip(self.part.places, window, strict=True)
        ]
        if not all(seen):
            return
        for depth in seen[0] if len(seen) == 3 else [None]:
            first = () if depth is None else (depth,)
            x, y = self.corner((*first, *(at[0] for at in seen[-2:])))
            end_x, end_y = self.corner((*first, *(at[-1] for at in seen[-2:])))
            wide, high = end_x - x + self.cell, end_y - y + self.cell
            yield Box(x + inset, y + inset, wide - 2 * inset, high - 2 * inset, style, radius=4)


def _ends(places: Sequence[int]) -> tuple[int, int]:
    return min(places), max(places) + 1
