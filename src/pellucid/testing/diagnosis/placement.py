"""One spatial axis: which pixel each window meets under each tap, done right or in a wrong way.

`table` gives a cube of 0 and 1: entry (h, i, u) is 1 where window i meets pixel h under tap u,
which done right is where h = i s + u d - p (docs/maths.md, 4). A wrong way replaces some of the
numbers by others, flips the taps, lets one window win where all count, and so on; the two axes of
an image are independent of each other. Not here: channels and images. Next room: predict.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.conv import ConvSpec

# The way of one axis: pairs of a field and what stands in it; a field that is not there is right.
AxisWay: TypeAlias = tuple[tuple[str, str], ...]


class Axis(NamedTuple):
    """The numbers of one spatial axis of a convolution."""

    size: int
    low: int
    high: int
    kernel: int
    stride: int
    dilation: int
    windows: int

    @property
    def padded(self) -> int:
        """The size with its padding."""
        return self.size + self.low + self.high

    @property
    def reach(self) -> int:
        """How far the last tap is from the first."""
        return self.dilation * (self.kernel - 1)

    @property
    def spread(self) -> int:
        """The size of gy with its zeros between: from the first window to the last."""
        return (self.windows - 1) * self.stride + 1

    @property
    def natural(self) -> int:
        """The size that the textbook's full correlation gives, cropped by the padding."""
        return self.spread + self.reach - self.low - self.high

    @property
    def leftover(self) -> int:
        """How many last rows of the padded input no window reaches."""
        return self.padded - self.spread - self.reach


def axes_of(spec: ConvSpec) -> tuple[Axis, Axis]:
    """Return the axes H and W of a two-dimensional convolution."""
    numbers = zip(
        spec.in_size, spec.padding, spec.kernel, spec.stride, spec.dilation, spec.out_size,
        strict=True,
    )  # fmt: skip
    height, width = (
        Axis(size, low, high, k, s, d, out) for size, (low, high), k, s, d, out in numbers
    )
    return height, width


# In the rules, `a` is the axis as it is and `b` the other one; `e` is `a` with the stride, the
# dilation and the kernel that stand in their place. "gathered" is what the textbook's correlation
# makes of them when gy is padded as for `a`; "rest" adds the leftover rows.
_Number: TypeAlias = Callable[[Axis, Axis], int]
_Derived: TypeAlias = Callable[[Axis, Axis, Axis], int]

STRIDES: dict[str, _Number] = {
    "own": lambda a, b: a.stride,
    "one": lambda a, b: 1,
    "other": lambda a, b: b.stride,
    "dilation": lambda a, b: a.dilation,
    "more": lambda a, b: a.stride + 1,
    "less": lambda a, b: max(a.stride - 1, 1),
}
DILATIONS: dict[str, _Number] = {
    "own": lambda a, b: a.dilation,
    "one": lambda a, b: 1,
    "other": lambda a, b: b.dilation,
    "stride": lambda a, b: a.stride,
    "more": lambda a, b: a.dilation + 1,
    "less": lambda a, b: max(a.dilation - 1, 1),
}
# Which pixel of the padded input is pixel 0; a larger number moves everything towards 0.
LOWS: dict[str, _Derived] = {
    "own": lambda e, a, b: a.low,
    "zero": lambda e, a, b: 0,
    "both ends": lambda e, a, b: a.low + a.high,
    "high": lambda e, a, b: a.high,
    "other": lambda e, a, b: b.low,
    "leftover": lambda e, a, b: a.low - a.leftover,
    "half leftover": lambda e, a, b: a.low - a.leftover // 2,
    "more leftover": lambda e, a, b: a.low - (a.leftover + 1) // 2,
    "gathered": lambda e, a, b: e.reach - (a.reach - a.low),
    "centred": lambda e, a, b: a.low - (a.size - e.natural) // 2,
    "centred more": lambda e, a, b: a.low - (a.size - e.natural + 1) // 2,
    "end": lambda e, a, b: a.low - (a.size - e.natural),
    "earlier": lambda e, a, b: a.low + 1,
    "later": lambda e, a, b: a.low - 1,
    "negative": lambda e, a, b: -a.low,
}
# How many pixels the gradient of the input has.
SIZES: dict[str, _Derived] = {
    "own": lambda e, a, b: a.size,
    "natural": lambda e, a, b: e.natural,
    "padded": lambda e, a, b: a.padded,
    "natural padded": lambda e, a, b: e.natural + a.low + a.high,
    "low cropped": lambda e, a, b: a.size + a.high,
    "high cropped": lambda e, a, b: a.size + a.low,
    "cropped twice": lambda e, a, b: a.size - a.low - a.high,
    "natural cropped twice": lambda e, a, b: e.natural - a.low - a.high,
    "cropped by other": lambda e, a, b: a.padded - b.low - b.high,
    "sliced by other": lambda e, a, b: min(a.size, a.padded - b.low),
    "at most": lambda e, a, b: min(a.size, e.natural),
    "empty": lambda e, a, b: a.size if a.low else 0,
    "natural rest": lambda e, a, b: e.natural + a.leftover,
    "always rest": lambda e, a, b: e.natural + a.stride - 1,
    "gathered": lambda e, a, b: e.spread + 2 * a.reach - a.low - a.high - e.reach,
    "gathered rest": lambda e, a, b: e.spread + 2 * a.reach - a.low - a.high - e.reach + a.leftover,
    "gy": lambda e, a, b: e.spread,
    "other": lambda e, a, b: b.size,
}
# By how much somebody pads gy at both ends, where it needs d (k - 1) - p.
PADS: dict[str, Callable[[Axis], int]] = {
    "p": lambda a: a.low,
    "k - 1 - p": lambda a: a.kernel - 1 - a.low,
    "k - p": lambda a: a.kernel - a.low,
    "d k - p": lambda a: a.dilation * a.kernel - a.low,
    "k - 1": lambda a: a.kernel - 1,
    "d (k - 1) + p": lambda a: a.reach + a.low,
    "nothing": lambda a: 0,
    "same": lambda a: a.reach // 2,
}


def _padded_by(pad: Callable[[Axis], int]) -> tuple[_Derived, _Derived, _Derived]:
    """Pixel 0, and the number of pixels without and with the leftover rows."""
    return (
        lambda e, a, b: e.reach - pad(a),
        lambda e, a, b: e.spread + 2 * pad(a) - e.reach,
        lambda e, a, b: e.spread + 2 * pad(a) - e.reach + a.leftover,
    )


for _name, _pad in PADS.items():
    LOWS[_name], SIZES[_name], SIZES[f"{_name} rest"] = _padded_by(_pad)

# How many taps the gradient of the weight has.
KERNELS: dict[str, _Derived] = {
    "own": lambda e, a, b: e.kernel,
    "natural": lambda e, a, b: (a.padded - e.spread) // e.dilation + 1,
    "bare": lambda e, a, b: (a.size - e.spread) // e.dilation + 1,
    "at most": lambda e, a, b: min(a.kernel, (a.padded - e.spread) // e.dilation + 1),
    "at most bare": lambda e, a, b: min(a.kernel, (a.size - e.spread) // e.dilation + 1),
}
# How many windows the output has.
COUNTS: dict[str, _Derived] = {
    "own": lambda e, a, b: a.windows,
    "natural": lambda e, a, b: (a.padded - e.reach - 1) // e.stride + 1,
    "bare": lambda e, a, b: (a.size - e.reach - 1) // e.stride + 1,
}
# Which of the windows, and which of the taps, are visited.
WINDOWS: dict[str, Callable[[Axis, Axis], slice]] = {
    "all": lambda a, b: slice(None),
    "first": lambda a, b: slice(0, 1),
    "last": lambda a, b: slice(a.windows - 1, None),
    "but the last": lambda a, b: slice(0, a.windows - 1),
    "but a fitting last": lambda a, b: slice(0, a.windows - (a.leftover == 0)),
    "but the first": lambda a, b: slice(1, None),
    "each stride": lambda a, b: slice(0, None, a.stride),
    "other": lambda a, b: slice(0, b.windows),
}
TAPS: dict[str, Callable[[Axis, Axis], slice]] = {
    "all": lambda a, b: slice(None),
    "first": lambda a, b: slice(0, 1),
    "last": lambda a, b: slice(a.kernel - 1, None),
    "but the last": lambda a, b: slice(0, a.kernel - 1),
    "but the first": lambda a, b: slice(1, None),
    "each dilation": lambda a, b: slice(0, None, a.dilation),
    "other": lambda a, b: slice(0, b.kernel),
}
# Where a pixel outside of the image is taken to be.
BORDERS: dict[str, Callable[[Array, int], Array]] = {
    "negative": lambda pixel, size: np.where(pixel < 0, pixel + size, pixel),
    "circular": lambda pixel, size: pixel % size,
    "edge": lambda pixel, size: np.clip(pixel, 0, size - 1),
    "reflect": lambda pixel, size: (
        size - 1 - np.abs(size - 1 - np.abs(pixel) % max(2 * size - 2, 1))
    ),
}


@lru_cache(maxsize=1024)
def table(axis: Axis, other: Axis, way: AxisWay, kernel: int | None = None) -> Array | None:
    """Return which window meets which pixel under which tap; None where a size is negative.

    Shapes: (pixels, windows, taps) of 0.0 and 1.0; `kernel` taps, if they are not those of `axis`.

    >>> axis = Axis(size=5, low=0, high=0, kernel=3, stride=2, dilation=1, windows=2)
    >>> table(axis, axis, ())[2]  # pixel 2: window 0 under tap 2, window 1 under tap 0
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    fields = dict(way)
    e = axis._replace(
        stride=STRIDES[fields.get("stride", "own")](axis, other),
        dilation=DILATIONS[fields.get("dilation", "own")](axis, other),
        kernel=axis.kernel if kernel is None else kernel,
    )
    low = LOWS[fields.get("low", "own")](e, axis, other)
    size = SIZES[fields.get("size", "own")](e, axis, other)
    taps = KERNELS[fields.get("kernel", "own")](e, axis, other)
    windows = COUNTS[fields.get("count", "own")](e, axis, other)
    if size < 0 or taps < 0 or windows < 1:
        return None
    # (windows, taps): the pixel that each of them meets
    pixel = np.arange(windows)[:, None] * e.stride + np.arange(taps) * e.dilation - low
    if "border" in fields and size:
        pixel = BORDERS[fields["border"]](pixel, size)
    meets = np.arange(size)[:, None, None] == pixel
    if "limit" in fields:
        meets[max(e.natural, 0) :] = False
    kept = _chosen(meets, axis, other, fields).astype(np.float64)
    if "mean" in fields:  # over the windows that lie on a pixel
        kept /= np.maximum(kept.sum((1, 2), keepdims=True), 1)
    return kept


def _chosen(meets: Array, axis: Axis, other: Axis, fields: dict[str, str]) -> Array:
    """Flip the taps, and take out the meetings that do not count."""
    if "flip" in fields:
        meets = meets[:, :, ::-1]
    kept = np.zeros_like(meets)
    windows = WINDOWS[fields.get("windows", "all")](axis, other)
    taps = TAPS[fields.get("taps", "all")](axis, other)
    kept[:, windows, taps] = meets[:, windows, taps]
    return _won(kept, fields["winner"]) if "winner" in fields else kept


def _won(meets: Array, winner: str) -> Array:
    """Keep one of several meetings, that whose value stays where each is assigned.

    "last of pixel": of the windows that lie on a pixel, the last; likewise of a tap the last
    window, and of a window the last tap; or the first.
    """
    end, _, of = winner.split()
    axes = {"pixel": (1, 2), "tap": (0, 1), "window": (0, 2)}[of]
    _, windows, taps = np.indices(meets.shape)
    order = taps if of == "window" else windows
    signed = order if end == "last" else -order
    best = np.where(meets, signed, -meets.size).max(axes, keepdims=True)
    return meets & (signed == best)
