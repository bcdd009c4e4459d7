"""One spatial axis of a convolution: which window, tap and pixel meet.

Everything that explain says about a convolution rests on one equation for each axis,

    h = i s + u d - p

read in three ways: the pixels of a window i, the windows and taps of a pixel h, the windows and
pixels of a tap u. (docs/maths.md, 4 and 6)

Not here: more than one axis, channels, the batch. Next room: sums.py.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from pellucid.kernels.conv.spec import ConvSpec, count_windows

Pairs: TypeAlias = tuple[tuple[int, int], ...]
Reason: TypeAlias = Literal["crop", "leftover", "stride", "dilation", "padding", "batch"]


class Axis(NamedTuple):
    """One axis: `size` pixels, padded by `low` and `high`, and `kernel` taps, `dilation` apart.

    >>> axis = Axis(5, kernel=3, stride=2, low=0, high=0, dilation=1)
    >>> axis.of_pixel(2)  # (window, tap), counted from 0
    ((0, 2), (1, 0))
    """

    size: int
    kernel: int
    stride: int
    low: int
    high: int
    dilation: int

    @property
    def windows(self) -> int:
        """How many windows there are."""
        pad = (self.low, self.high)
        return count_windows(self.size, pad, self.kernel, self.stride, self.dilation)

    @property
    def reach(self) -> int:
        """How many pixels a window spans, from its first tap to its last: d (k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def end(self) -> int:
        """The pixel under the last tap of the last window; it may lie outside of x."""
        return (self.windows - 1) * self.stride + self.reach - 1 - self.low

    def pixel(self, i: int, u: int) -> int | None:
        """Return the pixel under tap u of window i, or None where padding lies there.

        Maths: h = i s + u d - p
        """
        h = i * self.stride + u * self.dilation - self.low
        return h if 0 <= h < self.size else None

    def of_window(self, i: int) -> Pairs:
        """Return the taps and pixels (u, h) of window i, without those in the padding.

        Cost: k steps.
        """
        found = ((u, self.pixel(i, u)) for u in range(self.kernel))
        return tuple((u, h) for u, h in found if h is not None)

    def of_tap(self, u: int) -> Pairs:
        """Return the windows and pixels (i, h) that meet under tap u, first window first.

        Cost: as many steps as there are windows.
        """
        found = ((i, self.pixel(i, u)) for i in range(self.windows))
        return tuple((i, h) for i, h in found if h is not None)

    def of_pixel(self, h: int) -> Pairs:
        """Return the windows and taps (i, u) that lie on pixel h, first window first.

        Maths: h = i s + u d - p solved for i and u. With q = h + p, u = (q - i s) / d is a tap
        where that is a whole number from 0 to k - 1, so i runs from ceil((q - d (k - 1)) / s) to
        floor(q / s), and from 0 to out - 1.
        Cost: as many steps as windows can hold h, at most d (k - 1) / s + 1.
        """
        q, s, d = h + self.low, self.stride, self.dilation
        first = max(-((self.reach - 1 - q) // s), 0)
        last = min(q // s, self.windows - 1)
        return tuple((i, (q - i * s) // d) for i in range(first, last + 1) if (q - i * s) % d == 0)

    def why_uncovered(self, h: int) -> Reason | None:
        """Return why no window holds pixel h, or None where one does.

        `crop`: negative padding cuts h off. `leftover`: it lies behind the last window. `stride`:
        it lies between two windows. `dilation`: it lies inside of a window, between two taps.
        """
        if self.of_pixel(h):
            return None
        q = h + self.low
        if q < 0 or h >= self.size + self.high:
            return "crop"
        if h > self.end:
            return "leftover"
        inside = q - min(q // self.stride, self.windows - 1) * self.stride < self.reach
        return "dilation" if inside else "stride"


def axes_of(spec: ConvSpec) -> tuple[Axis, ...]:
    """Return the spatial axes of a spec, in their order.

    >>> axes_of(ConvSpec.parse("c1 i5x6 o1 k3x3 s2"))[1].why_uncovered(5)
    'leftover'
    """
    columns = zip(spec.in_size, spec.kernel, spec.stride, spec.padding, spec.dilation, strict=True)
    return tuple(Axis(size, k, s, low, high, d) for size, k, s, (low, high), d in columns)
