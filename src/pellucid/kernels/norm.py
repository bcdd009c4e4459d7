"""Batch normalisation in plain NumPy: statistics of each channel, forward, and the gradients.

Arrays are (N, C, ...); statistics, weight and bias are (1, C, 1, ...), so that they broadcast.
Sums run in float64: the mean and the variance of a million float32 values lose nothing.
Not here: running statistics and evaluation (ops/norm.py). Next room: layout.py.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array


def _channel_sum(x: Array) -> Array:
    """The sum of each channel, in float64."""
    axes = (0, *range(2, x.ndim))
    return np.asarray(np.sum(x, axis=axes, keepdims=True, dtype=np.float64))


def _count(x: Array) -> int:
    """How many values a channel has; 1 for none, to divide by."""
    return max(x.size // max(x.shape[1], 1), 1)


def statistics(x: Array) -> tuple[Array, Array]:
    """Return the mean and the variance (over the count, not one less) of each channel."""
    mean = (_channel_sum(x) / _count(x)).astype(x.dtype)
    distance = x - mean
    distance *= distance
    return mean, (_channel_sum(distance) / _count(x)).astype(x.dtype)


def forward(x: Array, weight: Array | None, bias: Array | None, mean: Array, scale: Array) -> Array:
    """Return weight (x - mean) scale + bias."""
    y = x - mean
    y *= scale if weight is None else scale * weight
    if bias is not None:
        y += bias
    return y


def backward(
    gy: Array, x: Array, weight: Array | None, mean: Array, scale: Array
) -> tuple[Array, Array, Array]:
    """Return the gradients of x, weight and bias, where mean and scale are those of the batch.

    Maths: with z = (x - mean) scale, gb = sum of gy, gw = sum of gy z, and
    gx = weight scale (gy - mean of gy - z mean of (gy z)).
    """
    z = forward(x, None, None, mean, scale)
    gb = _channel_sum(gy)
    gw = _channel_sum(gy * z)
    z *= (gw / _count(x)).astype(x.dtype)
    gx = np.subtract(gy, z, out=np.empty_like(x))  # in the layout of x
    gx -= (gb / _count(x)).astype(x.dtype)
    gx *= scale if weight is None else scale * weight
    return gx, gw.astype(x.dtype), gb.astype(x.dtype)
