"""Direct convolution through the native register tile: all specs, all directions.

Native kernels read x with its channels side by side and any other strides, and gy without gaps;
what does not lie so is copied once. Outputs are channels-last, from the buffer pool.
Cost: the operations of the spec and no more; a strided grad_input multiplies no inserted zeros.
Next room: native/conv_correlate.cpp and native/conv_gradient.cpp, told by correlation.py.
"""

from __future__ import annotations

from enum import IntEnum
from math import prod

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv.correlation import forward_plan, phases
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.layout import empty_channels_last, has_adjacent_channels, is_channels_last
from pellucid.kernels.native import get_num_threads, module

PARTIAL_SUMS = 2 << 20  # bytes, of a gw that is smaller


class Native(IntEnum):
    """The algorithms of the native module, by the numbers of native/kernels.hpp."""

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

    Packed weights, or the sums of gw, whose outputs are rounded up to whole tiles; partial sums of
    a small gw; and for each thread the rows of x under a block of outputs, with the places of all
    of them: 1024 pixels, or one line where that is longer. The pool rounds up by a quarter.
    """
    C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    if direction == "grad_input":
        C, O = O, C
    tile = 256 // dtype.itemsize
    weights = dtype.itemsize * spec.groups * C * rounded_up(O, tile) * prod(spec.kernel)
    (KD, OD, _, _), (_, OH, step, span), (_, OW, _, width) = axes_of(spec, direction)
    lines = min(max(1, 1024 // OW), spec.batch * OD * OH)
    rows = KD * ((lines // OH + 2) * span + lines * step)
    block = dtype.itemsize * (rows * width * C * spec.groups + lines * OW * tile)
    tables = 8 * (2 * lines * OW + 3 * lines + prod(spec.kernel) * C + 64)
    return pooled(weights + PARTIAL_SUMS + get_num_threads() * (block + tables))


def axes_of(spec: ConvSpec, direction: Direction) -> list[tuple[int, int, int, int]]:
    """Return for each of three axes its taps, outputs, step and reach, as a kernel is told them.

    Of the phases of a grad_input, the largest. The reach is that of one output, and on the last
    axis that of a whole line.
    """
    axes = [(1, 1, 1, 1)] * (3 - spec.axes)
    for size, out, k, s, d in zip(
        spec.in_size, spec.out_size, spec.kernel, spec.stride, spec.dilation, strict=True
    ):
        if direction == "grad_input":
            axes.append((k, -(-size // s), 1, d * (k - 1) // s + 2))
        else:
            axes.append((k, out, s if out > 1 else 1, d * (k - 1) + 1))
    taps, out, step, reach = axes[-1]
    return [*axes[:-1], (taps, out, step, (out - 1) * step + reach)]


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
    x: Array, w: Array, b: Array | None, spec: ConvSpec, algorithm: Native = Native.DIRECT
) -> Array:
    """Return y, channels-last."""
    y = empty_channels_last(spec.y_shape, x.dtype)
    if y.size:
        b = None if b is None else np.ascontiguousarray(b)
        module.correlate(algorithm, _adjacent_channels(x), w, b, y, forward_plan(spec), False)
    return y


def grad_input(gy: Array, w: Array, spec: ConvSpec, algorithm: Native = Native.DIRECT) -> Array:
    """Return gx, channels-last, phase by phase."""
    gx = empty_channels_last(spec.x_shape, gy.dtype)
    gy = _adjacent_channels(gy)
    for part, plan in phases(spec) if gx.size else ():
        if plan is None:
            gx[part] = 0
        else:
            module.correlate(algorithm, gy, w, None, gx[part], plan, True)
    return gx


def grad_weight(gy: Array, x: Array, spec: ConvSpec, algorithm: Native = Native.DIRECT) -> Array:
    """Return gw, in row-major order."""
    gw = np.zeros(spec.w_shape, x.dtype)
    if gy.size:
        gy = gy if is_channels_last(gy) else _copied(gy)
        module.grad_weight(algorithm, _adjacent_channels(x), gy, gw, forward_plan(spec))
    return gw


def _adjacent_channels(x: Array) -> Array:
    """Return x with its channels side by side in memory, copied only where they are not."""
    return x if has_adjacent_channels(x) else _copied(x)


def _copied(x: Array) -> Array:
    """Return a channels-last copy in memory from the pool."""
    copy = empty_channels_last(x.shape, x.dtype)
    copy[...] = x
    return copy
