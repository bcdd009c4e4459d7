"""Batch normalisation: statistics of each channel, forward, and the gradients.

Arrays are (N, C, ...); statistics, weight and bias are (C). Sums run in float64 (native ones after
groups of eight): the mean and the variance of a million float32 values lose nothing. What may
follow in the same pass over memory, the sum with a residual and max(y, 0), is computed with it. The
native functions take arrays that lie as (N, ..., C); for others, and without the native module,
NumPy computes the same.
Not here: running statistics and evaluation (ops/norm.py). Next room: native/norms.cpp.
"""

from __future__ import annotations

from math import inf

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.activation import relu as maximum_with_zero
from pellucid.kernels.activation import relu_gradient
from pellucid.kernels.layout import like
from pellucid.kernels.mask import keep
from pellucid.kernels.native import FLOATS, module


def statistics(x: Array, eps: float) -> tuple[Array, Array, Array]:
    """Return mean, variance (over the count, not one less), and scale of each channel.

    Maths: scale = 1 / sqrt(variance + eps).
    """
    found = None
    if module is not None and x.dtype in FLOATS:
        found = module.batch_statistics(x, eps)
    if found is None:
        mean = (_channel_sum(x) / _count(x)).astype(x.dtype)
        distance = x - _per_channel(x, mean)
        distance *= distance
        var = (_channel_sum(distance) / _count(x)).astype(x.dtype)
        found = mean, var, 1 / np.sqrt(var + eps)
    return found


def forward(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    mean: Array,
    scale: Array,
    residual: Array | None = None,
    relu: bool = False,
    ceiling: float = inf,
) -> Array:
    """Return y = weight (x - mean) scale + bias + residual; with `relu`, 0 <= y <= ceiling."""
    y = None
    if module is not None and x.dtype in FLOATS:
        y = module.normalise(x, weight, bias, mean, scale, _like(residual, x), relu, ceiling)
    if y is None:
        y = x - _per_channel(x, mean)
        y *= _per_channel(x, scale if weight is None else scale * weight)
        if bias is not None:
            y += _per_channel(x, bias)
        if residual is not None:
            y += residual
        if relu:
            y = np.minimum(maximum_with_zero(y), ceiling, out=y)
    return y


def backward(
    gy: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    scale: Array,
    constant: bool,
) -> tuple[Array, Array, Array]:
    """Return the gradients of x, weight and bias.

    `constant`: mean and scale are not those of the batch.

    Maths: with z = (x - mean) scale, gb = sum of gy, gw = sum of gy z, and
    gx = weight scale (gy - mean of gy - z mean of (gy z)), or weight scale gy where mean and scale
    are constants.
    """
    if module is not None and x.dtype in FLOATS:
        gy = like(gy, x)
        found = module.normalise_gradient(
            gy, None, x, weight, None, mean, scale, None, False, inf, constant, False
        )
        if found is not None:
            return found[:3]
    z = forward(x, None, None, mean, scale)
    gb = _channel_sum(gy)
    gw = _channel_sum(gy * z)
    factor = _per_channel(x, scale if weight is None else scale * weight)
    if constant:
        gx = np.multiply(gy, factor, out=np.empty_like(x))  # in the layout of x
    else:
        z *= _per_channel(x, (gw / _count(x)).astype(x.dtype))
        gx = np.subtract(gy, z, out=np.empty_like(x))
        gx -= _per_channel(x, (gb / _count(x)).astype(x.dtype))
        gx *= factor
    return gx, gw.astype(x.dtype), gb.astype(x.dtype)


def backward_relu(
    gy: Array,
    x: Array,
    weight: Array | None,
    bias: Array | None,
    mean: Array,
    scale: Array,
    constant: bool,
    ceiling: float = inf,
    overwrite: bool = False,
) -> tuple[Array, Array, Array]:
    """Return the gradients of x, weight and bias behind a `forward` with `relu`.

    With `overwrite`, gx may be written over gy.

    Cost: that of `backward`. Where y is positive follows from x, which is read anyway.
    """
    if module is not None and x.dtype in FLOATS:
        gy = like(gy, x)
        found = module.normalise_gradient(
            gy, None, x, weight, bias, mean, scale, None, True, ceiling, constant, overwrite
        )
        if found is not None:
            gx, gw, gb, _ = found
            return gy if gx is None else gx, gw, gb
    passed = _passed(gy, forward(x, weight, bias, mean, scale), ceiling)
    return backward(passed, x, weight, mean, scale, constant)


def backward_add_relu(
    gy: Array,
    y: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    scale: Array,
    constant: bool,
    ceiling: float = inf,
    more: Array | None = None,
    overwrite: bool = False,
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients of x, weight, bias and residual behind a `forward` with both.

    `more` is the other part of gy where two paths from y meet. With `overwrite`, the residual's
    gradient may be written over gy, and gx over `more`.

    Cost: that of `backward`, with y to read and the gradient of the residual to write; `more` is
    read once, where a sum made before would be three passes over such an array.
    """
    if module is not None and x.dtype in FLOATS:
        gy, more = like(gy, x), _like(more, x)
        found = module.normalise_gradient(
            gy, more, x, weight, None, mean, scale, y, True, ceiling, constant, overwrite
        )
        if found is not None:
            gx, gw, gb, gr = found
            if gx is None:
                gx = more
            return gx, gw, gb, gy if gr is None else gr
    if more is not None:
        gy = gy + more
    gr = _passed(gy, y, ceiling)
    return *backward(gr, x, weight, mean, scale, constant), gr


def _passed(gy: Array, y: Array, ceiling: float) -> Array:
    """The part of gy where y is between 0 and the ceiling, or NaN."""
    gy = relu_gradient(gy, y)
    return gy if ceiling == inf else keep(gy, ~(y >= ceiling))


def _channel_sum(x: Array) -> Array:
    """The sum of each channel, in float64."""
    return np.asarray(np.sum(x, axis=(0, *range(2, x.ndim)), dtype=np.float64))


def _count(x: Array) -> int:
    """How many values a channel has; 1 for none, to divide by."""
    return max(x.size // max(x.shape[1], 1), 1)


def _per_channel(x: Array, value: Array) -> Array:
    """One number for each channel, (C) -> (1, C, 1, ...)."""
    return value.reshape((1, -1) + (1,) * (x.ndim - 2))


def _like(array: Array | None, x: Array) -> Array | None:
    return None if array is None else like(array, x)
