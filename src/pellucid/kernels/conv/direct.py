"""Direct convolution through the native register tile: all specs, all directions.

Native kernels read x with its channels side by side and any other strides, and gy without gaps;
what does not lie so is copied once. Outputs are channels-last, from the buffer pool.
Cost: the operations of the spec and no more; a strided grad_input multiplies no inserted zeros.
Next room: native/conv_correlate.cpp and native/conv_gradient.cpp, told by correlation.py.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv.correlation import forward_plan, phases
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.layout import empty_channels_last, empty_rows, is_channels_last
from pellucid.kernels.native import module


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


def forward(
    x: Array, w: Array, b: Array | None, spec: ConvSpec, algorithm: Native = Native.DIRECT
) -> Array:
    """Return y, channels-last."""
    y = empty_channels_last(spec.y_shape, x.dtype)
    if y.size:
        b = None if b is None else np.ascontiguousarray(b)
        module.correlate(algorithm, adjacent_channels(x), w, b, [y], [forward_plan(spec)], False)
    return y


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
    plans: list[Array] = []
    for part, plan, _ in phases(spec) if gx.size else ():
        if plan is None:
            gx[part] = 0 if bx is None else bx.reshape(-1, *(1,) * spec.axes)
        else:
            parts.append(gx[part])
            plans.append(plan)
    if plans:
        module.correlate(algorithm, adjacent_channels(gy), w, bx, parts, plans, True)
    return gx


def grad_weight(gy: Array, x: Array, spec: ConvSpec, algorithm: Native = Native.DIRECT) -> Array:
    """Return gw, in row-major order."""
    gw = empty_rows(spec.w_shape, x.dtype)
    if not gy.size:
        gw[...] = 0
    else:
        gy = gy if is_channels_last(gy) else _copied(gy)
        module.grad_weight(algorithm, adjacent_channels(x), gy, gw, forward_plan(spec))
    return gw


def adjacent_channels(x: Array) -> Array:
    """Return x with its channels side by side in memory, copied only where they are not."""
    return x if x.strides[1] == x.itemsize or x.shape[1] == 1 else _copied(x)


def _copied(x: Array) -> Array:
    """Return a channels-last copy in memory from the pool."""
    copy = empty_channels_last(x.shape, x.dtype)
    copy[...] = x
    return copy
