"""The sums of a convolution: what one element of x, of w or of y meets.

Wherever a tap of a window meets a pixel, x w is added into y, gy w into gx and gy x into gw. So an
element of one array belongs to the sum, over all its meetings, of the products of the other two.
A sum is kept as one list of choices for each index that runs, and its terms are made when they are
looked at: a gradient of w that has a million terms is as quickly made as one that has four.

Not here: one axis (axis.py), names (notation.py). Next room: convolution.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Element, Number, Term
from pellucid.explain.axis import Pairs, axes_of
from pellucid.explain.notation import Names
from pellucid.kernels.conv.spec import ConvSpec, Sizes

_WRITTEN = 6  # terms that a prompt shows


class Place(NamedTuple):
    """Where a factor stands along one of its axes: the values of one running index, or a fixed one.

    `runs` is the number of the running index, None for a fixed place, which has one value.
    """

    runs: int | None
    values: Sequence[int]


def fixed(at: int) -> Place:
    """Return the place of an index that does not run."""
    return Place(None, (at,))


@dataclass(frozen=True)
class Factor:
    """One array of a product, and where its index comes from, axis by axis."""

    array: str
    gradient: bool
    places: tuple[Place, ...]

    @property
    def key(self) -> str:
        """The array that holds its numbers."""
        return f"g{self.array}" if self.gradient else self.array

    def index(self, digits: Sequence[int]) -> Sizes:
        """Return the index for one value of every running index."""
        return tuple(values[0 if runs is None else digits[runs]] for runs, values in self.places)

    def numbers(self, array: Array, running: int) -> Array:
        """Return the elements for all values, as float64, with an axis for each running index."""
        found = array[np.ix_(*(values for _, values in self.places))].astype(np.float64)
        order = [runs for runs, _ in self.places if runs is not None]
        varying = tuple(k for k, (runs, _) in enumerate(self.places) if runs is not None)
        found = found.reshape([found.shape[k] for k in varying])
        # (axes of the array) -> (axes of the running indices), 1 where it does not depend on one
        found = found.transpose(np.argsort(order))
        shape = [1] * running
        for runs, size in zip(sorted(order), found.shape, strict=True):
            shape[runs] = size
        return found.reshape(shape)


@dataclass(frozen=True)
class Sum:
    """The terms of a sum of products: `counts` says how many values each running index has.

    The last running index is the fastest. All products have the factor `scale`. A `last` term
    follows all others: the bias.
    """

    names: Names
    factors: tuple[Factor, ...]
    counts: Sizes
    last: Element | None = None
    scale: Fraction = Fraction(1)

    def __len__(self) -> int:
        return prod(self.counts) + (self.last is not None)

    def __getitem__(self, k: int) -> Term:
        count = len(self)
        k = k + count if k < 0 else k
        if not 0 <= k < count:
            raise IndexError(k)  # a for loop over a sequence ends so
        if self.last is not None and k == count - 1:
            return Term((self.last,))
        digits = [int(digit) for digit in np.unravel_index(k, self.counts)]
        elements = (Element(f.array, f.index(digits), f.gradient, self.names) for f in self.factors)
        return Term((*([] if self.scale == 1 else [Number(self.scale)]), *elements))

    def __repr__(self) -> str:
        written = ", ".join(self[k].text() for k in range(min(len(self), _WRITTEN)))
        more = f", ... ({len(self):,})" if len(self) > _WRITTEN else ""
        return f"<terms {written}{more}>"

    def needs(self) -> list[str]:
        """Name the arrays that the terms need."""
        return [f.key for f in self.factors] + ([] if self.last is None else [self.last.key])

    def addends(self, arrays: Mapping[str, Array]) -> Array:
        """Return the value of every term, in float64."""
        product = np.ones(self.counts)
        if prod(self.counts):
            for factor in self.factors:
                product *= factor.numbers(arrays[factor.key], len(self.counts))
        terms = product.reshape(-1) * float(self.scale)
        if self.last is None:
            return terms
        last = arrays[self.last.key][self.last.index]
        return np.append(terms, np.float64(last))


class Meetings(NamedTuple):
    """The meetings of one element: where the other two arrays stand in them, and how many."""

    first: tuple[Place, ...]
    second: tuple[Place, ...]
    counts: Sizes


def _spatial(meetings: Sequence[Pairs], number: int) -> tuple[Place, ...]:
    """One number of the pairs of each axis, as places of the running indices from 1 on."""
    return tuple(
        Place(k, tuple(pair[number] for pair in pairs)) for k, pairs in enumerate(meetings, 1)
    )


class Roles(NamedTuple):
    """Which arrays stand at the two ends of a convolution.

    Windows lie on pixels. Forward these are x and y; of a transposed convolution, y and x.
    `backward` is whether the gradient of the output is meant, where the output stands.
    """

    transposed: bool

    def pixels(self, places: tuple[Place, ...], backward: bool) -> Factor:
        """Return the factor that the windows lie on: x, or gy of a transposed convolution."""
        return Factor("y" if self.transposed else "x", self.transposed and backward, places)

    def windows(self, places: tuple[Place, ...], backward: bool) -> Factor:
        """Return the factor with an element for each window: gy, or x of a transposed one."""
        return Factor("x" if self.transposed else "y", not self.transposed and backward, places)

    def both(self, windows: tuple[Place, ...], pixels: tuple[Place, ...]) -> tuple[Factor, Factor]:
        """Return what a term of grad_weight is made of, the gradient of the output first."""
        ends = self.windows(windows, True), self.pixels(pixels, True)
        return ends[::-1] if self.transposed else ends


def of_output(spec: ConvSpec, index: Sizes) -> Meetings:
    """Return where x and w stand in the meetings of y[n,o,i,j]: for all c, u, v of its window."""
    n, o, *window = index
    each = spec.in_channels // spec.groups
    begin = o // (spec.out_channels // spec.groups) * each
    pairs = [axis.of_window(i) for axis, i in zip(axes_of(spec), window, strict=True)]
    x = (fixed(n), Place(0, range(begin, begin + each)), *_spatial(pairs, 1))
    w = (fixed(o), Place(0, range(each)), *_spatial(pairs, 0))
    return Meetings(x, w, (each, *map(len, pairs)))


def of_input(spec: ConvSpec, index: Sizes) -> Meetings:
    """Return where y and w stand in the meetings of x[n,c,h,w]: for all o, i, j that hold it."""
    pairs = [axis.of_pixel(h) for axis, h in zip(axes_of(spec), index[2:], strict=True)]
    return input_meetings(spec, index, pairs)


def of_weight(spec: ConvSpec, index: Sizes) -> Meetings:
    """Return where y and x stand in the meetings of w[o,c,u,v]: for all n, i, j."""
    pairs = [axis.of_tap(u) for axis, u in zip(axes_of(spec), index[2:], strict=True)]
    return weight_meetings(spec, index, pairs)


def input_meetings(spec: ConvSpec, index: Sizes, pairs: Sequence[Pairs]) -> Meetings:
    """Return the meetings of x[n,c,...] when the windows and taps of each axis are known."""
    g, c_in_group = divmod(index[1], spec.in_channels // spec.groups)
    each = spec.out_channels // spec.groups
    outputs = range(g * each, (g + 1) * each)
    y = (fixed(index[0]), Place(0, outputs), *_spatial(pairs, 0))
    w = (Place(0, outputs), fixed(c_in_group), *_spatial(pairs, 1))
    return Meetings(y, w, (each, *map(len, pairs)))


def weight_meetings(spec: ConvSpec, index: Sizes, pairs: Sequence[Pairs]) -> Meetings:
    """Return the meetings of w[o,c,...] when the windows and pixels of each axis are known."""
    o, c_in_group = index[:2]
    c = o // (spec.out_channels // spec.groups) * (spec.in_channels // spec.groups) + c_in_group
    images = range(spec.batch)
    y = (Place(0, images), fixed(o), *_spatial(pairs, 0))
    x = (Place(0, images), fixed(c), *_spatial(pairs, 1))
    return Meetings(y, x, (len(images), *map(len, pairs)))
