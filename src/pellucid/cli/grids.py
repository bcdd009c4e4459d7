"""Arrays as boxes in a terminal, each element under its name, with some of them marked.

Not here: which elements belong to an equation (equations.py). Next room: README.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.box import SQUARE
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pellucid.explain import ConvDerivation
from pellucid.kernels.conv.spec import Sizes

# The colours of the arrays and of the gradients by them, everywhere on the screen.
STYLES = {"x": "cyan", "w": "yellow", "b": "magenta", "y": "green"}
_GAP = 3  # columns between two boxes
_MOST_PLACES = 40  # along each axis of a box


def boxes(
    derivation: ConvDerivation,
    keys: Sequence[str],
    marked: Mapping[str, Collection[Sizes]],
    width: int,
    plain: bool,
) -> Table | None:
    """Return arrays side by side, `gx` for the gradient by x; None where they do not fit.

    There must be one image, one channel and at most two axes, no more than `width` columns and 40
    rows.
    x has its padding around it, and what no window holds is dim. `marked` has whole indices; they
    are shown reversed or, without colours (`plain`), with a star.
    """
    spec = derivation.spec
    if spec.axes > 2 or (spec.batch, spec.in_channels, spec.out_channels) != (1, 1, 1):
        return None
    if any(size > _MOST_PLACES for key in keys for size in spec.shapes[key][2:]):
        return None
    drawn = [_Box(derivation, key, marked.get(key, ()), plain) for key in keys]
    if sum(box.width for box in drawn) + _GAP * len(drawn) > width:
        return None
    row = Table.grid(padding=(0, _GAP, 0, 0))
    row.add_row(*(Group(box.title(), box.table()) for box in drawn))
    return row


class _Box:
    """One array as a table of cells."""

    def __init__(
        self, derivation: ConvDerivation, key: str, marked: Collection[Sizes], plain: bool
    ) -> None:
        self.derivation, self.key, self.plain = derivation, key, plain
        self.marked = set(marked)
        self.array = key[-1]
        shape = derivation.names.arrays[self.array].shape
        rows = range(shape[2]) if len(shape) == 4 else range(1)
        self.cells = [
            [self._cell((0, 0, h, w) if len(shape) == 4 else (0, 0, w)) for w in range(shape[-1])]
            for h in rows
        ]
        if self.array == "x" and not derivation.transposed:
            self._add_padding()

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return max(self.title().cell_len, len(self.cells[0]) * (self._cell_width() + 1) + 1)

    def title(self) -> Text:
        """What the array is called, in its colour."""
        symbol = self.derivation.names.symbol(self.array)
        name = f"dL/d{symbol}" if self.key != self.array else symbol
        return Text(name, f"bold {STYLES[self.array]}")

    def table(self) -> Table:
        """The cells with lines between them."""
        table = Table(box=SQUARE, show_header=False, show_lines=True, padding=0, border_style="dim")
        for _ in self.cells[0]:
            table.add_column(width=self._cell_width(), justify="center")
        for row in self.cells:
            table.add_row(*row)
        return table

    def _cell_width(self) -> int:
        return max(cell.cell_len for row in self.cells for cell in row)

    def _cell(self, index: Sizes) -> Text:
        names, style = self.derivation.names, STYLES[self.array]
        if names.notation == "textbook":
            label = names.text(self.array, index, gradient=False)
        else:
            label = ",".join(map(str, index[2:]))
        if index in self.marked:
            return Text(f"{label}*") if self.plain else Text(label, f"bold reverse {style}")
        return Text(label, "dim" if self._is_uncovered(index) else style)

    def _is_uncovered(self, index: Sizes) -> bool:
        axes = zip(self.derivation.axes, index[2:], strict=True)
        is_pixels = self.array == self.derivation.spread.array
        return is_pixels and any(axis.why_uncovered(h) for axis, h in axes)

    def _add_padding(self) -> None:
        """Put the zeros of the padding around x."""
        *before, last = self.derivation.axes
        zero = Text("0", "dim")
        left, right = ([zero] * max(pad, 0) for pad in (last.low, last.high))
        self.cells = [[*left, *row, *right] for row in self.cells]
        for axis in before:
            ring = [[zero] * len(self.cells[0])]
            self.cells = [*ring * max(axis.low, 0), *self.cells, *ring * max(axis.high, 0)]
