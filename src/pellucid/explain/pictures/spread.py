"""The output as the view `gather` spreads it out: zeros between its elements, behind, and around.

Not here: the view (views/gather.py). Next room: frames.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pellucid.explain.pictures.block import Part
from pellucid.explain.pictures.scene import Style
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.views.gather import Cell


@dataclass(frozen=True)
class SpreadPart(Part):
    """A part of an array, spread out; its places are those of `cells`, axis by axis."""

    cells: tuple[tuple[Cell, ...], ...] = ()

    @property
    def shape(self) -> Sizes:
        """The sizes of the axes, zeros and all."""
        return tuple(map(len, self.cells))

    @property
    def is_counted(self) -> bool:
        """Its rows and columns have no numbers: those of the array would mislead."""
        return False

    def is_inside(self, place: Sizes) -> bool:
        """Say whether an element stands at a place, and no zero."""
        return all(cell.kind == "element" for cell in self._at(place))

    def style(self, place: Sizes) -> Style:
        """Return how an empty cell looks: a zero between elements is a tile."""
        if any(cell.kind == "padding" for cell in self._at(place)):
            return Style(stroke="line", dash=2.5)
        return Style("paper" if self.is_inside(place) else "tile", stroke="line")

    def name(self, place: Sizes) -> str:
        """Return what the element at a place is called."""
        return super().name(self._index(place))

    def text(self, place: Sizes) -> str:
        """Return what the element at a place is called, as plain text."""
        return super().text(self._index(place))

    def place(self, index: Sizes) -> Sizes:
        """Return where an element stands."""
        return tuple(
            next(q for q, cell in enumerate(cells) if cell.at == i)
            for cells, i in zip(self.cells, index, strict=True)
        )

    def _at(self, place: Sizes) -> tuple[Cell, ...]:
        return tuple(cells[q] for cells, q in zip(self.cells, place, strict=True))

    def _index(self, place: Sizes) -> Sizes:
        return tuple(cell.at for cell in self._at(place) if cell.at is not None)
