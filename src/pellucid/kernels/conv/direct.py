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
from numpy.lib.stride_tricks import sliding_window_view

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv.correlation import WidePhase, forward_plan, phases, wide_phases
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.layout import empty_channels_last, empty_rows, is_channels_last
from pellucid.kernels.native import module

# Multiply-adds of one image below which arranging phases side by side costs more than it saves;
# `pellucid bench` on `c1 i28x28 o16 k2x2 s2` and its like: 55 microseconds without, 70 with.
LEAST_WIDE = 20_000


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
        module.correlate(algorithm, adjacent_channels(x), w, b, y, forward_plan(spec), False)
    return y


def grad_input(
    gy: Array,
    w: Array,
    spec: ConvSpec,
    bx: Array | None = None,
    algorithm: Native = Native.DIRECT,
) -> Array:
    """Return gx, channels-last, phase by phase."""
    gy = adjacent_channels(gy)
    bx = None if bx is None else np.ascontiguousarray(bx)
    if algorithm == Native.DIRECT and spec.stride[-1] > 1 and _work(spec) >= LEAST_WIDE:
        wide = wide_phases(spec, module.vector_bytes() // gy.itemsize)
        if wide is not None:
            return _side_by_side(gy, w, bx, spec, wide)
    gx = empty_channels_last(spec.x_shape, gy.dtype)
    for part, plan, _ in phases(spec) if gx.size else ():
        if plan is None:
            gx[part] = 0 if bx is None else bx.reshape(-1, *(1,) * spec.axes)
        else:
            module.correlate(algorithm, gy, w, bx, gx[part], plan, True)
    return gx


def _work(spec: ConvSpec) -> int:
    """Multiply-adds of one image: no choice may depend on the batch."""
    return prod(spec.out_size) * prod(spec.w_shape)


def _side_by_side(
    gy: Array, w: Array, bx: Array | None, spec: ConvSpec, wide: list[WidePhase]
) -> Array:
    """Return gx, where phases of the last axis are the outputs of one correlation."""
    N, C, *rows, W = spec.x_shape
    s, low = spec.stride[-1], spec.padding[-1][0]
    M = -(-(W + low) // s)
    frame = empty_channels_last((N, C, *rows, M * s), gy.dtype)
    # (N, C, H, M s) -> (N, H, M s, C) -> (N, H, M, s C) -> (N, s C, H, M): always a view
    by_phase = np.moveaxis(np.moveaxis(frame, 1, -1).reshape(N, *rows, M, s * C), -1, 1)
    for part, rhos, plan in wide if frame.size else ():
        out = by_phase[(slice(None), slice(rhos.start * C, rhos.stop * C)) + part]
        bias = None if bx is None else np.tile(bx, len(rhos))
        if plan is None:
            out[...] = 0 if bias is None else bias.reshape(-1, *(1,) * spec.axes)
            continue
        # (O, C, KH, KW) -> (O, C, KH, T, R) -> (R, C, O, KH, T) -> (R C, O, KH, T)
        taps = sliding_window_view(w, len(rhos), axis=-1)[..., rhos.start :: s, :]
        taps = np.moveaxis(taps, (-1, 1), (0, 1))
        taps = taps.reshape(len(rhos) * C, *taps.shape[2:])
        module.correlate(Native.DIRECT, gy, taps, bias, out, plan, False)
    gx = frame[..., low : low + W]
    return gx if gx.shape == frame.shape else _copied(gx)


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
