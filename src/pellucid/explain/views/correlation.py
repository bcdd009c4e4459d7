"""Correlation: gw as one convolution of the padded x, with gy as its kernel.

The gradient of one weight sums gy over all outputs, each with the pixel under the tap: the next
output lies s pixels on, so gy is a kernel with dilation s; the next tap lies d pixels on, so it
slides with stride d. Where leftover rows would let it slide further than there are taps, the result
is cropped to the kernel. The images are summed over, as channels are in a forward pass.
Next room: README.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from pellucid.backend import Array
from pellucid.explain.axis import Axis, Pairs
from pellucid.explain.sentences import Language
from pellucid.explain.sums import Sum, weight_meetings
from pellucid.explain.views.arrays import at, correlate, padded
from pellucid.explain.views.base import MOST_CELLS, Add, DerivedFromW, Steps, drawn
from pellucid.kernels.conv.spec import Sizes


def positions(axis: Axis) -> int:
    """Return how often gy as a kernel fits, with dilation s and stride d, into the padded x.

    Maths: floor((in + p_low + p_high - s (out - 1) - 1) / d) + 1, at least the number of taps
    """
    span = axis.stride * (axis.windows - 1) + 1
    return (axis.size + axis.low + axis.high - span) // axis.dilation + 1


class Correlation(DerivedFromW):
    """One convolution over the padded x with gy as its kernel, dilation s, stride d, cropped.

    Its steps go by the weights (o, c, u, v).
    """

    name = "correlation"

    @property
    def steps(self) -> Steps:
        """One step for each weight."""
        return Steps(self.spec.w_shape, self._step)

    def _step(self, index: Sizes) -> Iterator[Add]:
        pairs = [self._meetings(axis, u) for axis, u in zip(self.axes, index[2:], strict=True)]
        y, x, counts = weight_meetings(self.spec, index, pairs)
        terms = Sum(self.names, self.roles.both(y, x), counts)
        target = self.target[index].left
        return (Add(target, terms[k]) for k in range(len(terms)))

    @staticmethod
    def _meetings(axis: Axis, u: int) -> Pairs:
        """What lies under the elements of gy when its first one is at place u d of padded x."""
        cells: list[int | None] = [None] * axis.low
        cells += [h for h in range(axis.size) if -axis.low <= h < axis.size + axis.high]
        cells += [None] * axis.high
        under = cells[u * axis.dilation :: axis.stride][: axis.windows]
        return tuple((i, h) for i, h in enumerate(under) if h is not None)

    def compute(self, gy: Array, x: Array) -> Array:
        """Correlate the padded x with gy, group by group, and crop to the taps."""
        spec, G = self.spec, self.spec.groups
        source = padded(x, spec.padding)
        gw = np.zeros(spec.w_shape)
        for g in range(G):
            C, O = spec.in_channels // G, spec.out_channels // G
            c, o = slice(g * C, (g + 1) * C), slice(g * O, (g + 1) * O)
            # (N, C/G, ...) -> (C/G, N, ...) and (N, O/G, ...) -> (O/G, N, ...): n is summed over
            found = correlate(
                source[:, c].swapaxes(0, 1), gy[:, o].swapaxes(0, 1),
                tuple(map(positions, self.axes)), spec.stride, spec.dilation, 1,
            )  # fmt: skip
            taps = tuple(slice(size) for size in spec.kernel)
            gw[o] = found[at(..., *taps)].swapaxes(0, 1)
        return gw

    def lines(self, lang: Language) -> Iterator[str]:
        """The padded x, gy as a kernel, the crop, and the first weight as an example."""
        spec, places = self.spec, [positions(axis) for axis in self.axes]
        joined = {
            "pads": "x".join(f"{low}:{high}" for low, high in spec.padding),
            "dilation": "x".join(map(str, spec.stride)),
            "stride": "x".join(map(str, spec.dilation)),
            "places": "x".join(map(str, places)),
            "kernel": "x".join(map(str, spec.kernel)),
        }
        yield self.say(lang, "correlation", **joined)
        if self.is_small() and prod(spec.in_size) <= MOST_CELLS:
            yield from drawn(self._table(self.needed[0]))
        cropped = "crop" if places != list(spec.kernel) else "no_crop"
        yield self.say(lang, cropped, **joined)
        yield f"    {self.target[(0,) * len(spec.w_shape)].text(most=8)}"

    def _table(self, key: str) -> list[list[str]]:
        """The names of an array, row by row."""
        array, gradient = key[-1], key.startswith("g")
        shape = self.names.arrays[array].shape
        rows = [(h,) for h in range(shape[2])] if len(shape) == 4 else [()]
        return [
            [self.names.text(array, (0, 0, *h, w), gradient) for w in range(shape[-1])]
            for h in rows
        ]
