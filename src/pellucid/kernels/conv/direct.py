"""Direct convolution through the native register tile: all specs, all directions.

Native kernels read x with its channels side by side and any other strides, and gy without gaps;
what does not lie so is copied once. Outputs are channels-last, from the buffer pool.
Cost: the operations of the spec and no more; a strided grad_input multiplies no inserted zeros.
Next room: native/conv_correlate.cpp and native/conv_gradient.cpp, told by correlation.py.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from math import prod
from typing import Any, NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv.correlation import bias_plan, forward_plan, phases
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.layout import (
    empty_channels_last,
    empty_rows,
    has_adjacent_channels,
    has_adjacent_taps,
    is_channels_last,
)
from pellucid.kernels.native import get_num_threads, module

TILE_BYTES = 256  # of a tile's outputs, at most: four vectors of 64
JOB_PIXELS = 4096  # whose places a job keeps, where one line has not more
PATCH_BYTES = 9 << 20  # of rows of x that a job copies, where one line has not more


class Native(IntEnum):
    """The algorithms of the native module, by the numbers of native/conv.hpp."""

    DIRECT = 0
    WINOGRAD = 1
    LANEWISE = 2


def refuses(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: only where there is no native module."""
    return "the native module was not built" if module is None else None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Never: it serves all that those before it refuse."""
    return None


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result.

    forward and grad_input: packed weights, whose outputs are rounded up to whole tiles, and in each
    thread where the pixels of a block of lines are, and the taps of each kind of pixel: an axis has
    at most two more for each tap. grad_weight: in each thread the rows of x under a block of
    outputs, of at most 66 channels, gy of 384 pixels and the sums of a chunk of gw; partial sums
    where there are few chunks. Of a 1x1 convolution without padding, 256 pixels of at most 512
    channels each. The pool rounds up by a quarter.
    """
    axes, item, taps = axes_of(spec, direction), dtype.itemsize, prod(spec.kernel)
    C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    if direction == "grad_weight":
        most = _gradient_workspace(spec, axes, item)
        return pooled(max(most, _pointwise_workspace(spec, item)) if taps == 1 else most)
    if direction == "grad_input":
        C, O = O, C
    shared = item * spec.groups * rounded_up(O, TILE_BYTES // item) * (taps * C + 1)
    pixels = max(JOB_PIXELS, axes[-1].out)
    kinds = min(pixels, prod(min(axis.out, 2 * axis.taps + 1) for axis in axes))
    tables = 16 * (2 * pixels + kinds * (taps + 3)) + 48 * (pixels // 24 + kinds)
    return pooled(shared + plans(spec) + get_num_threads() * (tables + weights_in_hand(taps)))


def _gradient_workspace(spec: ConvSpec, axes: list[AxisSizes], item: int) -> int:
    taps, part = prod(spec.kernel), min(spec.in_channels // spec.groups, 60) + 6
    outputs = min(rounded_up(spec.out_channels // spec.groups, TILE_BYTES // item), 128)
    if spec.groups > 1:  # a few thin ones together
        part, outputs = max(part, 64), 128
    # As many channels as fit into 256 KiB, or one vector of them; parts are rounded up to 6.
    sums = max(320 << 10, item * taps * outputs * (min(part, 64 // item) + 6))
    columns = min(axes[-1].out, 384)
    rows = _rows_in_hand(spec.batch, axes, columns, part, item)
    tables = 8 * (384 + 2 * (taps * part + 6))
    job = item * (384 * outputs + rows) + tables + weights_in_hand(taps)
    return most_partial_sums(sums) + get_num_threads() * (sums + job)


def _pointwise_workspace(spec: ConvSpec, item: int) -> int:
    C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    channels, outputs = min(rounded_up(C, TILE_BYTES // item), 512), min(O, 512) + 16
    sums = item * (min(channels * outputs, 128 << 10) + 6 * 512)
    job = item * 256 * (channels + outputs) + 16 * (outputs + 16)
    return most_partial_sums(sums) + get_num_threads() * (sums + job)


def _rows_in_hand(batch: int, axes: list[AxisSizes], columns: int, channels: int, item: int) -> int:
    """Return the most elements of x and of its zeros that a job copies (native/patch.hpp)."""
    deep, high, wide = axes
    row = deep.taps * ((columns - 1) * wide.step + wide.span) * channels
    everything = batch * deep.out * (high.out * high.step + high.span) + high.span
    return min(everything * row, max(PATCH_BYTES // item, (2 * high.span + high.step) * row))


def most_partial_sums(sums: int) -> int:
    """Return the most bytes of all partial sums together, where one of them has so many."""
    return 16 * min(sums, 2 << 20)


def plans(spec: ConvSpec) -> int:
    """Return the most bytes of the plans of all phases, and of what is kept of each.

    At most min(s, k) phases of an axis have taps; those without go together along later axes.
    """
    tapped = [min(s, k) for s, k in zip(spec.stride, spec.kernel, strict=True)]
    bare = [min(s, size) for s, size in zip(spec.stride, spec.in_size, strict=True)]
    phases = prod(tapped) + sum(prod(tapped[:a]) * count for a, count in enumerate(bare))
    return 8 * phases * (49 + 2 * sum(spec.kernel))


def weights_in_hand(taps: int) -> int:
    """Return the most bytes of weights that a thread turns round at a time, a vector for each."""
    return 64 * (max(taps, 96) + 1)


class AxisSizes(NamedTuple):
    """One of three axes as a kernel is told it; `span` is how far the taps of one output reach."""

    taps: int
    out: int
    step: int
    span: int


def axes_of(spec: ConvSpec, direction: Direction) -> list[AxisSizes]:
    """Return all three axes; of the phases of a grad_input, the largest."""
    axes = [AxisSizes(1, 1, 1, 1)] * (3 - spec.axes)
    for size, out, k, s, d in zip(
        spec.in_size, spec.out_size, spec.kernel, spec.stride, spec.dilation, strict=True
    ):
        if direction == "grad_input":
            axes.append(AxisSizes(k, -(-size // s), 1, d * (k - 1) // s + 2))
        else:
            axes.append(AxisSizes(k, out, s if out > 1 else 1, d * (k - 1) + 1))
    return axes


def rounded_up(count: int, to: int) -> int:
    """Return the next multiple.

    >>> rounded_up(65, 64)
    128
    """
    return -(-count // to) * to


def pooled(size: int) -> int:
    """Return what so many bytes take in the buffer pool, whose sizes are a quarter apart."""
    return size + size // 4 + (1 << 16)


def forward(
    x: Array,
    w: Array,
    b: Array | None,
    spec: ConvSpec,
    algorithm: Native = Native.DIRECT,
    packed: Any = None,
    ceiling: float | None = None,
) -> Array:
    """Return y, channels-last; `packed` is what `pack` made of w for this algorithm."""
    if not spec.batch:
        return empty_channels_last(spec.y_shape, x.dtype)
    b = None if b is None else np.ascontiguousarray(b)
    x, w, plan = adjacent_channels(x), _adjacent_taps(w), forward_plan(spec)
    return module.forward(algorithm, x, w, b, spec.y_shape, plan, packed, ceiling or 0.0)


def pack(w: Array, spec: ConvSpec, algorithm: Native) -> Any:
    """Return what `forward` else makes of w in each call: one without images makes it."""
    spec = replace(spec, batch=0)
    x, w, plan = empty_channels_last(spec.x_shape, w.dtype), _adjacent_taps(w), forward_plan(spec)
    packed = module.Packed(spec.groups)
    module.forward(algorithm, x, w, None, spec.y_shape, plan, packed)
    return packed


def grad_input(
    gy: Array,
    w: Array,
    spec: ConvSpec,
    bx: Array | None = None,
    algorithm: Native = Native.DIRECT,
) -> Array:
    """Return gx, channels-last, from its phases."""
    bx = None if bx is None else np.ascontiguousarray(bx)
    gx = empty_channels_last(spec.x_shape, gy.dtype)
    parts: list[Array] = []
    plans: list[bytes] = []
    for part, plan, _ in phases(spec) if gx.size else ():
        if plan is None and algorithm is not Native.DIRECT:
            gx[part] = 0 if bx is None else bx.reshape(-1, *(1,) * spec.axes)
        else:
            parts.append(gx[part])
            plans.append(plan or bias_plan(spec, gx[part].shape[2:]))
    if plans:
        gy, w = adjacent_channels(gy), _adjacent_taps(w)
        module.correlate(algorithm, gy, w, bx, parts, plans, True)
    return gx


def grad_weight(gy: Array, x: Array, spec: ConvSpec, algorithm: Native = Native.DIRECT) -> Array:
    """Return gw, in row-major order."""
    if not spec.batch:
        return np.zeros(spec.w_shape, x.dtype)
    x, gy = adjacent_channels(x), gy if is_channels_last(gy) else _copied(gy)
    return module.grad_weight(algorithm, x, gy, spec.w_shape, forward_plan(spec))


def adjacent_channels(x: Array) -> Array:
    """Return x with its channels side by side in memory, copied only where they are not."""
    return x if has_adjacent_channels(x) else _copied(x)


def _adjacent_taps(w: Array) -> Array:
    """Return w with the taps of a pair of channels side by side: kernels read them all at once."""
    if has_adjacent_taps(w):
        return w
    copy = empty_rows(w.shape, w.dtype)
    copy[...] = w
    return copy


def _copied(x: Array) -> Array:
    """Return a channels-last copy in memory from the pool."""
    copy = empty_channels_last(x.shape, x.dtype)
    copy[...] = x
    return copy
