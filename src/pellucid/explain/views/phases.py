"""Phases: gx as several convolutions of stride 1, without any zeros.

With a stride, the pixels with the same (h + p) mod s are met by the same taps: every (s/g)-th, with
g = gcd(s, d). Each such phase is a convolution of its own of gy with those taps, flipped, with the
dilation d/g and its own padding (docs/maths.md, 10). This is how kernels compute a strided gx.
Next room: correlation.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.explain.axis import Axis, Pairs
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.sentences import ROWS, Language
from pellucid.explain.sums import Factor, Sum, input_meetings
from pellucid.explain.views.arrays import at, correlate, exchanged, padded
from pellucid.explain.views.base import Add, DerivedFromX, Steps, drawn
from pellucid.kernels.conv.spec import Sizes

MOST_PHASES = 9  # that a text draws


class PhaseAxis(NamedTuple):
    """One phase of one axis: its pixels, the taps that meet them, and how gy is padded for that.

    `taps` ascend and are `spacing` apart; the windows under two neighbouring taps are `dilation`
    apart. Without taps the phase is 0.
    """

    axis: Axis
    phase: int

    @property
    def pixels(self) -> range:
        """The pixels h with (h + p) mod s = phase."""
        return range((self.phase - self.axis.low) % self.axis.stride, self.axis.size,
                     self.axis.stride)  # fmt: skip

    @property
    def taps(self) -> range:
        """The taps u with u d = phase (mod s)."""
        s, d, k = self.axis.stride, self.axis.dilation, self.axis.kernel
        first = next((u for u in range(k) if (u * d - self.phase) % s == 0), k)
        return range(first, k, s // gcd(s, d))

    @property
    def dilation(self) -> int:
        """How far apart in gy the windows under two neighbouring taps are: d / g."""
        return self.axis.dilation // gcd(self.axis.stride, self.axis.dilation)

    @property
    def pads(self) -> tuple[int, int]:
        """The padding of gy at both ends with which the pixels come out; negative crops.

        Maths: low = (T - 1) d/g - e - m0, with T taps, e = (phase - a d) / s for the first tap a,
        and the first pixel m0 s + phase - p (docs/maths.md, 10)
        """
        e = (self.phase - self.taps[0] * self.axis.dilation) // self.axis.stride
        m0 = (self.pixels[0] + self.axis.low) // self.axis.stride
        span = (len(self.taps) - 1) * self.dilation
        low = span - e - m0
        return low, len(self.pixels) + span - low - self.axis.windows

    def meetings(self, m: int) -> Pairs:
        """Return the windows and taps that meet pixel number m of the phase."""
        low, T = self.pads[0], len(self.taps)
        found = []
        for place, u in enumerate(reversed(self.taps)):  # flipped
            i = m + place * self.dilation - low
            if 0 <= i < self.axis.windows:
                found.append((i, u))
        assert len(found) <= T
        return tuple(found)


class Phases(DerivedFromX):
    """One convolution of stride 1 for each phase; `phases` has them, axis by axis.

    Its steps go by the phases, one number for each axis.
    """

    name = "phases"

    def __init__(self, derivation: ConvDerivation) -> None:
        super().__init__(derivation)
        self.phases = tuple(
            tuple(PhaseAxis(axis, phase) for phase in range(axis.stride)) for axis in self.axes
        )

    @property
    def steps(self) -> Steps:
        """One step for each phase."""
        return Steps(tuple(map(len, self.phases)), self._step)

    def _chosen(self, numbers: Sizes) -> tuple[PhaseAxis, ...]:
        return tuple(phases[k] for phases, k in zip(self.phases, numbers, strict=True))

    def _step(self, numbers: Sizes) -> Iterator[Add]:
        along = self._chosen(numbers)
        if not all(len(phase.taps) and len(phase.pixels) for phase in along):
            return
        for n, c, *m in np.ndindex(*self.spec.x_shape[:2], *(len(p.pixels) for p in along)):
            index = (n, c, *(phase.pixels[k] for phase, k in zip(along, m, strict=True)))
            pairs = [phase.meetings(k) for phase, k in zip(along, m, strict=True)]
            y, w, counts = input_meetings(self.spec, index, pairs)
            factors = self.roles.windows(y, self.backward), Factor("w", False, w)
            terms, target = Sum(self.names, factors, counts), self.target[index].left
            yield from (Add(target, terms[k]) for k in range(len(terms)))

    def compute(self, gy: Array, w: Array) -> Array:
        """Compute each phase as a convolution of stride 1, and store it to every s-th pixel."""
        spec, gx = self.spec, np.zeros(self.spec.x_shape)
        for along in product(*self.phases):
            if not all(len(phase.taps) and len(phase.pixels) for phase in along):
                continue
            taps = tuple(slice(p.taps[0], None, p.taps.step) for p in along)
            kernel = np.flip(w[at(..., *taps)], tuple(range(2, w.ndim)))
            kernel = exchanged(kernel, spec.groups)
            size = tuple(len(phase.pixels) for phase in along)
            dilation = tuple(phase.dilation for phase in along)
            source = padded(gy, [phase.pads for phase in along])
            pixels = tuple(slice(p.pixels[0], None, p.pixels.step) for p in along)
            once = (1,) * len(along)
            gx[at(..., *pixels)] = correlate(source, kernel, size, dilation, once, spec.groups)
        return gx

    def lines(self, lang: Language) -> Iterator[str]:
        """The phases with their pixels, their taps and their padding."""
        count = prod(map(len, self.phases))
        many = self.say(lang, "one_phase" if count == 1 else "many_phases", count=count)
        yield self.say(lang, "phases", count=many)
        for along in islice(product(*self.phases), MOST_PHASES):
            yield from self._phase_lines(along, lang)
        if count > MOST_PHASES:
            yield self.say(lang, "more_steps", count=count - MOST_PHASES)

    def _phase_lines(self, along: tuple[PhaseAxis, ...], lang: Language) -> Iterator[str]:
        if not all(len(phase.pixels) for phase in along):
            return
        pixels = "; ".join(
            f"{place} {self._listed(phase.pixels)}"
            for place, phase in zip(ROWS[lang][len(along) - 1], along, strict=True)
        )
        if not all(len(phase.taps) for phase in along):
            yield self.say(lang, "empty_phase", pixels=pixels)
            return
        pads = "x".join(f"{low}:{high}" for low, high in (phase.pads for phase in along))
        dilation = "x".join(str(phase.dilation) for phase in along)
        yield self.say(lang, "phase", pixels=pixels, pads=pads, dilation=dilation)
        taps = [list(reversed(phase.taps)) for phase in along]
        if self.is_small():
            rows = taps[0] if len(taps) == 2 else [None]
            yield from drawn([[self._tap(u, v) for v in taps[-1]] for u in rows])
        else:
            yield "    " + "; ".join(self._listed(numbers) for numbers in taps)

    def _tap(self, *taps: int | None) -> str:
        index = (0, 0, *(tap for tap in taps if tap is not None))
        return self.names.text("w", index, gradient=False)

    def _listed(self, numbers: range | list[int]) -> str:
        shown = [str(self.names.position(number)) for number in numbers]
        few = shown if len(shown) <= 6 else [*shown[:3], "...", shown[-1]]
        return ", ".join(few)
