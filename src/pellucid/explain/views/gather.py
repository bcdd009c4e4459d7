"""Gather: gx as one convolution, of gy with zeros in it and the flipped kernel.

Between the neighbours of gy come s - 1 zeros, behind it the leftover rows, which no window reaches,
and around it d (k - 1) - p of padding at the low end and the same at the high end (a negative one
crops). Over that slides, with stride 1, the kernel flipped along every axis, its taps d apart. So
each pixel of gx gathers its terms in one place, and most of what it multiplies is zero.
Not here: the same without the zeros (phases.py). Next room: phases.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.explain.axis import Axis, Pairs
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.sentences import Language
from pellucid.explain.sums import Factor, Sum, input_meetings
from pellucid.explain.views.arrays import at, correlate, exchanged, padded
from pellucid.explain.views.base import MOST_CELLS, Add, DerivedFromX, Steps, drawn
from pellucid.kernels.conv.spec import Sizes

Kind: TypeAlias = Literal["element", "inserted", "leftover", "padding"]


class Cell(NamedTuple):
    """One place of the spread gy along an axis: an element of gy, or why there is a zero."""

    kind: Kind
    at: int | None  # the element's index


class GatherAxis(NamedTuple):
    """One axis of the view: zeros, leftover, padding, and the flipped kernel."""

    axis: Axis

    @property
    def inserted(self) -> int:
        """How many zeros come between two neighbours: s - 1."""
        return self.axis.stride - 1

    @property
    def leftover(self) -> int:
        """How many rows behind the last window are added as zeros."""
        a = self.axis
        return (a.size + a.low + a.high - a.reach) % a.stride

    @property
    def pads(self) -> tuple[int, int]:
        """The padding at both ends, d (k - 1) - p; a negative one crops."""
        return self.axis.reach - 1 - self.axis.low, self.axis.reach - 1 - self.axis.high

    def cells(self) -> tuple[Cell, ...]:
        """Return gy as it is spread out and padded, place by place."""
        spread = []
        for i in range(self.axis.windows):
            spread += [Cell("inserted", None)] * (self.inserted if i else 0)
            spread.append(Cell("element", i))
        spread += [Cell("leftover", None)] * self.leftover
        low, high = self.pads
        spread = spread[max(-low, 0) : len(spread) - max(-high, 0)]
        padding = [Cell("padding", None)]
        return (*padding * max(low, 0), *spread, *padding * max(high, 0))

    def kernel(self) -> tuple[int | None, ...]:
        """Return the taps in flipped order; None where the dilation leaves a gap."""
        reversed_taps = range(self.axis.reach - 1, -1, -1)
        d = self.axis.dilation
        return tuple(tap // d if tap % d == 0 else None for tap in reversed_taps)

    def meetings(self, h: int) -> Pairs:
        """Return which windows and taps lie on each other when the kernel is at place h."""
        cells = self.cells()[h : h + self.axis.reach]
        pairs = zip((cell.at for cell in cells), self.kernel(), strict=True)
        return tuple((i, u) for i, u in pairs if i is not None and u is not None)


class Gather(DerivedFromX):
    """One convolution of stride 1 over gy, spread out and padded, with the flipped kernel.

    `places` has the geometry of each axis. Its steps go by the pixels (n, c, h, w).
    """

    name = "gather"

    def __init__(self, derivation: ConvDerivation) -> None:
        super().__init__(derivation)
        self.places = tuple(GatherAxis(axis) for axis in self.axes)

    @property
    def steps(self) -> Steps:
        """One step for each pixel."""
        return Steps(self.spec.x_shape, self._step)

    def _step(self, index: Sizes) -> Iterator[Add]:
        pairs = [p.meetings(h) for p, h in zip(self.places, index[2:], strict=True)]
        y, w, counts = input_meetings(self.spec, index, pairs)
        factors = self.roles.windows(y, self.backward), Factor("w", False, w)
        terms, target = Sum(self.names, factors, counts), self.target[index].left
        return (Add(target, terms[k]) for k in range(len(terms)))

    def spread(self, gy: Array) -> Array:
        """Return gy with its zeros and padding, as float64."""
        shape = [
            (size - 1) * a.stride + 1 + p.leftover
            for size, a, p in zip(self.spec.out_size, self.axes, self.places, strict=True)
        ]
        found = np.zeros((*gy.shape[:2], *shape))
        steps = (
            slice(0, (size - 1) * a.stride + 1, a.stride)
            for size, a in zip(self.spec.out_size, self.axes, strict=True)
        )
        found[at(..., *steps)] = gy
        return padded(found, [place.pads for place in self.places])

    def kernel(self, w: Array) -> Array:
        """Return w flipped and dilated, with the roles of its channels exchanged: (C, O/G, ...)."""
        found = np.zeros((*w.shape[:2], *(axis.reach for axis in self.axes)))
        found[at(..., *(slice(None, None, axis.dilation) for axis in self.axes))] = w
        flipped = np.flip(found, tuple(range(2, found.ndim)))
        return exchanged(flipped, self.spec.groups)

    def compute(self, gy: Array, w: Array) -> Array:
        """Correlate one with the other, zeros and all."""
        once = (1,) * len(self.axes)
        return correlate(
            self.spread(gy), self.kernel(w), self.spec.in_size, once, once, self.spec.groups
        )

    def lines(self, lang: Language) -> Iterator[str]:
        """The zeros, the padding, the flipped kernel, and one element as an example."""
        yield self.say(lang, "gather")
        cells = [place.cells() for place in self.places]
        sizes = {
            "inserted": [place.inserted for place in self.places],
            "leftover": [place.leftover for place in self.places],
            "low": [place.pads[0] for place in self.places],
            "high": [place.pads[1] for place in self.places],
            "size": [len(row) for row in cells],
        }
        joined = {key: "x".join(map(str, numbers)) for key, numbers in sizes.items()}
        yield self.say(lang, "gather_spread", **joined)
        draw = self.is_small() and prod(sizes["size"]) <= MOST_CELLS
        if draw:
            yield from drawn(self._table(cells))
        yield self.say(lang, "gather_kernel")
        if draw:
            yield from drawn(self._kernel_table())
        yield self.say(lang, "gather_slide")
        middle = tuple(size // 2 for size in self.target.shape)
        if len(self.target):
            yield f"    {self.target[middle].text(most=8)}"

    def _table(self, cells: Sequence[Sequence[Cell]]) -> list[list[str]]:
        """The names of what is spread, 0 for a zero between or behind, . for padding."""
        rows = cells[0] if len(cells) == 2 else [None]
        return [[self._label(row, column) for column in cells[-1]] for row in rows]

    def _label(self, *cells: Cell | None) -> str:
        places = [cell for cell in cells if cell is not None]
        if any(cell.kind == "padding" for cell in places):
            return "."
        index = tuple(cell.at for cell in places if cell.at is not None)
        if len(index) < len(places):
            return "0"
        array, gradient = self.needed[0][-1], self.backward
        return self.names.text(array, (0, 0, *index), gradient)

    def _kernel_table(self) -> list[list[str]]:
        kernels = [place.kernel() for place in self.places]
        rows = kernels[0] if len(kernels) == 2 else [-1]

        def label(*taps: int | None) -> str:
            index = tuple(tap for tap in taps if tap != -1 and tap is not None)
            return "0" if None in taps else self.names.text("w", (0, 0, *index), gradient=False)

        return [[label(u, v) for v in kernels[-1]] for u in rows]
