"""Pooling: the largest or the mean of each window, and their gradients.

The native functions are told where the windows lie along each axis, so windows that overlap, leave
gaps, hang over the end or differ in size need no case of their own. They take arrays that lie
without gaps, channels-last or in row-major order. For others, for kernels of more than 255 taps and
without the native module, NumPy computes the same. There all functions walk the taps of the kernel,
and for each tap all windows at once: `_taps` says which windows have that tap inside of x and which
elements of x it meets there. Adaptive pooling, whose windows differ in size, walks the windows.

Arrays are (N, C, ...) or (C, ...); the axes of a spec are the last ones.
Not here: checks of what a user passes (ops/pool.py). Next room: native/pooling.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import int64
from pellucid.kernels.layout import like
from pellucid.kernels.mask import keep
from pellucid.kernels.native import FLOATS, module

Sizes: TypeAlias = tuple[int, ...]
Index: TypeAlias = tuple[Any, ...]  # with a leading ... for the axes that are not spatial


@dataclass(frozen=True)
class PoolSpec:
    """One pooling: window sizes, and how the windows lie along each spatial axis."""

    in_size: Sizes
    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    ceil_mode: bool

    @property
    def out_size(self) -> Sizes:
        """How many windows lie along each axis; less than 1 where none does.

        Maths: out = floor((in + 2 p - d (k - 1) - 1) / s) + 1, with ceil instead of floor in ceil
        mode, but never a window that starts behind the padded low end of x: PyTorch's rule.
        """
        sizes = []
        for size, k, s, p, d in self._axes():
            room = size + 2 * p - d * (k - 1) - 1
            out = (room + (s - 1 if self.ceil_mode else 0)) // s + 1
            if self.ceil_mode and (out - 1) * s >= size + p:
                out -= 1
            sizes.append(out)
        return tuple(sizes)

    @cached_property
    def windows(self) -> Any:
        """The windows as the native functions read them."""
        lines = []
        for (size, k, s, p, d), out in zip(self._axes(), self.out_size, strict=True):
            windows = []
            for first in range(-p, out * s - p, s):
                # Taps u with 0 <= first + u d < size
                low = max(-(first // d), 0)
                high = min((size - 1 - first) // d + 1, k)
                count = max(high - low, 0)
                windows.append((first + low * d if count else 0, low, count))
            lines.append((size, k, d, windows))
        return module.Windows(lines)

    def _axes(self) -> Iterator[tuple[int, ...]]:
        """Size, kernel, stride, padding and dilation of each axis."""
        return zip(self.in_size, self.kernel, self.stride, self.padding, self.dilation, strict=True)

    def counts(self, include_pad: bool) -> Array:
        """The number of elements of each window that an average counts, (*out_size).

        With `include_pad` those in the padding too, but never those beyond it.
        """
        whole = np.ones((), int64)
        for (size, k, s, p, d), out in zip(self._axes(), self.out_size, strict=True):
            assert d == 1
            first = np.arange(out) * s - p
            low, high = (-p, size + p) if include_pad else (0, size)
            along = np.minimum(first + k, high) - np.maximum(first, low)
            whole = np.asarray(np.multiply.outer(whole, along))
        return whole


def _zeros_like(template: Array, size: Sizes) -> Array:
    """Zeros with other spatial sizes, the axes in memory as the template's."""
    return np.zeros_like(template, shape=template.shape[: template.ndim - len(size)] + size)


def _taps(spec: PoolSpec) -> Iterator[tuple[int, Index, Index]]:
    """Each tap's number, the windows in which it lies inside of x, and the elements it meets."""
    along = []
    for (size, k, s, p, d), out in zip(spec._axes(), spec.out_size, strict=True):
        pairs = []
        for u in range(k):
            # Windows i with 0 <= i s + u d - p < size
            offset = u * d - p
            first = max(-(offset // s), 0)
            last = min((size - 1 - offset) // s, out - 1)
            count = max(last - first + 1, 0)
            start = first * s + offset if count else 0
            stop = start + (count - 1) * s + 1 if count else 0
            pairs.append((slice(first, first + count), slice(start, stop, s)))
        along.append(pairs)
    for tap, pairs_of_tap in enumerate(product(*along)):
        windows, elements = zip(*pairs_of_tap, strict=True)
        yield tap, (..., *windows), (..., *elements)


def max_forward(x: Array, spec: PoolSpec) -> Array:
    """Return the largest element of each window; a NaN is larger than all."""
    if module is not None and x.dtype in FLOATS:
        found = module.largest(x, spec.windows, False)
        if found is not None:
            return found[0]
    y = _zeros_like(x, spec.out_size)
    y.fill(-np.inf)
    for _, windows, elements in _taps(spec):
        np.maximum(y[windows], x[elements], out=y[windows])
    return y


def max_with_taps(x: Array, spec: PoolSpec) -> tuple[Array, Array]:
    """Return `max_forward`, and which tap of each window that is: the first, or the last NaN."""
    if module is not None and x.dtype in FLOATS:
        found = module.largest(x, spec.windows, True)
        if found is not None:
            return found
    y = max_forward(x, spec)
    return y, _taps_of(x, y, spec)


def _taps_of(x: Array, y: Array, spec: PoolSpec) -> Array:
    # Counts the taps before the first that equals y; all of them where y is NaN
    found = np.zeros_like(y, np.min_scalar_type(prod(spec.kernel)))
    ahead = np.ones_like(y, bool)
    for _, windows, elements in _taps(spec):
        ahead[windows] &= x[elements] != y[windows]
        found += ahead
    if np.isnan(y).any():
        for tap, windows, elements in _taps(spec):
            found[windows][np.isnan(x[elements])] = tap
    return found


def max_indices(taps: Array, spec: PoolSpec) -> Array:
    """Return the place in x of the largest element of each window, in row-major order."""
    places = np.zeros(taps.shape, int64)
    steps = np.unravel_index(taps.astype(int64), spec.kernel)
    for axis, (size, _, s, p, d) in enumerate(spec._axes()):
        # (OH) -> (OH, 1), so that it stands at its own axis
        later = (1,) * (len(spec.kernel) - axis - 1)
        first = np.reshape(np.arange(spec.out_size[axis]) * s - p, (-1, *later))
        places = places * size + first + steps[axis] * d
    return places


def max_scatter(gy: Array, taps: Array, spec: PoolSpec) -> Array:
    """Return zeros of x's size with each gy added at the largest element of its window."""
    if module is not None and gy.dtype in FLOATS:
        found = module.largest_gradient(gy, taps, spec.windows)
        if found is None:
            found = module.largest_gradient(like(gy, taps), taps, spec.windows)
        if found is not None:
            return found
    gy = like(gy, taps)  # which lie as y did, and so as x
    gx = _zeros_like(gy, spec.in_size)
    for tap, windows, elements in _taps(spec):
        gx[elements] += keep(gy[windows], taps[windows] == tap)
    return gx


def max_pick(x: Array, taps: Array, spec: PoolSpec) -> Array:
    """Return the element of x at the tap of each window: the adjoint of `max_scatter`."""
    y = _zeros_like(x, spec.out_size)
    for tap, windows, elements in _taps(spec):
        y[windows] += keep(x[elements], taps[windows] == tap)
    return y


def mean_forward(x: Array, divisor: Array, spec: PoolSpec) -> Array:
    """Return the sum of each window over its divisor, an integer for each of (*out_size)."""
    if module is not None and x.dtype in FLOATS:
        found = module.mean(x, divisor, spec.windows)
        if found is not None:
            return found
    y = _zeros_like(x, spec.out_size)
    for _, windows, elements in _taps(spec):
        y[windows] += x[elements]
    y /= divisor.astype(x.dtype)
    return y


def mean_scatter(gy: Array, divisor: Array, spec: PoolSpec) -> Array:
    """Return zeros of x's size with each gy over its divisor added to its window: the adjoint."""
    if module is not None and gy.dtype in FLOATS:
        found = module.mean_gradient(gy, divisor, spec.windows)
        if found is not None:
            return found
    gx = _zeros_like(gy, spec.in_size)
    shares = gy / divisor.astype(gy.dtype)
    for _, windows, elements in _taps(spec):
        gx[elements] += shares[windows]
    return gx


def _ends(size: int, out: int) -> list[tuple[int, int]]:
    """Where the windows of an adaptive pooling begin and end along one axis.

    Maths: window i runs from floor(i in / out) to ceil((i + 1) in / out).
    """
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _cells(in_size: Sizes, out_size: Sizes) -> Iterator[tuple[Index, Index, int]]:
    """Each window of an adaptive pooling: its place, its elements, and how many they are."""
    along = [_ends(size, out) for size, out in zip(in_size, out_size, strict=True)]
    for place in product(*(range(out) for out in out_size)):
        ends = [windows[i] for windows, i in zip(along, place, strict=True)]
        elements = (..., *(slice(low, high) for low, high in ends))
        yield (..., *place), elements, prod(high - low for low, high in ends)


@lru_cache
def _adaptive(in_size: Sizes, out_size: Sizes) -> tuple[Array, Any]:
    """The number of elements of each window, and the windows as the native functions read them."""
    counts = np.ones((), int64)
    lines = []
    for size, out in zip(in_size, out_size, strict=True):
        windows = [(low, 0, high - low) for low, high in _ends(size, out)]
        counts = np.asarray(np.multiply.outer(counts, [taps for _, _, taps in windows]))
        lines.append((size, size, 1, windows))
    return counts, module.Windows(lines)


def adaptive_mean(x: Array, out_size: Sizes) -> Array:
    """Return the mean of each of `out_size` windows that cover x evenly."""
    in_size = x.shape[-len(out_size) :]
    if module is not None and x.dtype in FLOATS:
        found = module.mean(x, *_adaptive(in_size, out_size))
        if found is not None:
            return found
    y = _zeros_like(x, out_size)
    axes = tuple(range(-len(out_size), 0))
    for place, elements, _ in _cells(in_size, out_size):
        y[place] = x[elements].mean(axis=axes)
    return y


def adaptive_spread(gy: Array, in_size: Sizes) -> Array:
    """Return zeros of x's size with each gy spread evenly over its window: the adjoint."""
    out_size = gy.shape[-len(in_size) :]
    if module is not None and gy.dtype in FLOATS:
        found = module.mean_gradient(gy, *_adaptive(in_size, out_size))
        if found is not None:
            return found
    gx = _zeros_like(gy, in_size)
    # (...) -> (..., 1, 1), which broadcasts over a window
    over_window = (..., *(None,) * len(in_size))
    for place, elements, count in _cells(in_size, out_size):
        gx[elements] += (gy[place] / count)[over_window]
    return gx
