"""Scatter, and windows: the walk over the windows, backwards in time but not in order.

Forward, a window of x times the kernel makes one output. Backward the same windows are walked in
the same order with the same stride, and each gradient of an output adds gy w into its window of gx
(scatter: it spreads the kernel as it stands, not flipped), and gy x into gw (windows).
Not here: gx as one convolution (gather.py), or as several (phases.py). Next room: gather.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, product

import numpy as np

from pellucid.backend import Array
from pellucid.explain.algebra import Element
from pellucid.explain.axis import axes_of
from pellucid.explain.sentences import Language
from pellucid.explain.sums import Factor, Place, Sum, fixed, of_output
from pellucid.explain.views.arrays import ALL, at
from pellucid.explain.views.base import Add, DerivedFromW, DerivedFromX, Step, Steps, View, drawn
from pellucid.kernels.conv.spec import ConvSpec, Sizes

MOST_STEPS = 9  # that a text draws


def _adds(view: View, index: Sizes, left: Factor, factors: tuple[Factor, ...]) -> Iterator[Add]:
    """What one output adds, tap by tap: to `left`, the product of the factors."""
    counts = of_output(view.spec, index).counts
    terms = Sum(view.names, factors, counts)
    for digits, k in zip(np.ndindex(*counts), range(len(terms)), strict=True):
        target = Element(left.array, left.index(digits), left.gradient, view.names)
        yield Add(target, terms[k])


def _one_output(index: Sizes) -> tuple[Place, ...]:
    return tuple(fixed(at) for at in index)


class Scatter(DerivedFromX):
    """Each element of gy spreads the kernel, scaled by it, over its window of gx.

    Its steps go by the outputs (n, o, i, j).
    """

    name = "scatter"

    @property
    def steps(self) -> Steps:
        """One step for each output."""
        return Steps(self.spec.y_shape, self._step)

    def _step(self, index: Sizes) -> Iterator[Add]:
        x, w, _ = of_output(self.spec, index)
        windows = self.roles.windows(_one_output(index), self.backward)
        left = Factor(self.target.array, self.backward, x)
        return _adds(self, index, left, (windows, Factor("w", False, w)))

    def compute(self, gy: Array, w: Array) -> Array:
        """Add each gy w into its window."""
        gx = np.zeros(self.spec.x_shape)
        for c, o, at_y, at_w, at_x in _walk(self.spec):
            # (N, O/G) @ (O/G, C/G) -> (N, C/G)
            gx[at(ALL, c, *at_x)] += gy[at(ALL, o, *at_y)] @ w[at(o, ALL, *at_w)]
        return gx

    def lines(self, lang: Language) -> Iterator[str]:
        """Each output with what it spreads."""
        yield self.say(lang, "scatter")
        yield from _drawn_steps(self, lang)


class Windows(DerivedFromW):
    """Each element of gy, times its window of x, is added into gw.

    Its steps go by the outputs (n, o, i, j).
    """

    name = "windows"

    @property
    def steps(self) -> Steps:
        """One step for each output."""
        return Steps(self.spec.y_shape, self._step)

    def _step(self, index: Sizes) -> Iterator[Add]:
        x, w, _ = of_output(self.spec, index)
        factors = self.roles.both(_one_output(index), x)
        return _adds(self, index, Factor("w", True, w), factors)

    def compute(self, gy: Array, x: Array) -> Array:
        """Add each gy x into gw, window by window."""
        gw = np.zeros(self.spec.w_shape)
        for c, o, at_y, at_w, at_x in _walk(self.spec):
            # (O/G, N) @ (N, C/G) -> (O/G, C/G)
            gw[at(o, ALL, *at_w)] += gy[at(ALL, o, *at_y)].T @ x[at(ALL, c, *at_x)]
        return gw

    def lines(self, lang: Language) -> Iterator[str]:
        """Each output with its window."""
        yield self.say(lang, "windows")
        yield from _drawn_steps(self, lang)


def _walk(spec: ConvSpec) -> Iterator[tuple[slice, slice, Sizes, Sizes, Sizes]]:
    """All windows and taps in order: the channels of x and of y, the output, the tap, the pixel."""
    axes = axes_of(spec)
    for window in np.ndindex(*spec.out_size):
        for meeting in product(*(a.of_window(i) for a, i in zip(axes, window, strict=True))):
            for g in range(spec.groups):
                C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
                c, o = slice(g * C, (g + 1) * C), slice(g * O, (g + 1) * O)
                yield c, o, window, tuple(u for u, _ in meeting), tuple(h for _, h in meeting)


def _drawn_steps(view: Scatter | Windows, lang: Language) -> Iterator[str]:
    """The first steps of a small problem, row by row."""
    if not view.is_small():
        return
    for step in view.steps[:MOST_STEPS]:
        yield from _drawn_step(view, step, lang)
    if (left_out := len(view.steps) - MOST_STEPS) > 0:
        yield view.say(lang, "more_steps", count=left_out)


def _drawn_step(view: View, step: Step, lang: Language) -> Iterator[str]:
    output = view.roles.windows(_one_output(step.at), True)
    element = Element(output.array, step.at, output.gradient, view.names)
    if not step.adds:
        yield view.say(lang, "no_adds", element=element.text())
        return
    first, last = step.adds[0].target.text(), step.adds[-1].target.text()
    yield view.say(lang, "adds", element=element.text(), first=first, last=last)
    rows = groupby(step.adds, key=lambda add: add.target.index[:-1])
    yield from drawn([[add.term.text() for add in row] for _, row in rows])
