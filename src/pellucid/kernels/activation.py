"""Activations of each element, and their gradients, in one pass over memory.

The native functions take arrays that lie alike and without gaps, in any order of the axes; for
others, and without the native module, NumPy computes the same, bit for bit.
Not here: which gradient an op has (ops/activation.py). Next room: native/maps.cpp.
"""

from __future__ import annotations

from math import inf

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.layout import like
from pellucid.kernels.mask import keep
from pellucid.kernels.native import FLOATS, module


def relu(x: Array) -> Array:
    """Return max(x, 0); a NaN stays one.

    >>> relu(np.array([-1.0, 2.0, np.nan]))
    array([ 0.,  2., nan])
    """
    y = None
    if module is not None and x.dtype in FLOATS:
        y = module.relu(x)
    return np.asarray(np.maximum(x, 0)) if y is None else y


def relu_gradient(gy: Array, y: Array) -> Array:
    """Return gy where y, of the same shape and dtype, is positive or NaN, else 0.

    >>> relu_gradient(np.array([3.0, 4.0, 5.0]), np.array([0.0, 2.0, np.nan]))
    array([0., 4., 5.])
    """
    gx = None
    if module is not None and y.dtype in FLOATS:
        gx = module.relu_gradient(gy, y)
        if gx is None:
            gx = module.relu_gradient(like(gy, y), y)
    return keep(gy, ~(y <= 0)) if gx is None else gx


def relu_gradient_sums(gy: Array, y: Array, overwrite: bool = False) -> tuple[Array, Array] | None:
    """Return the `relu_gradient` of arrays (N, C, ...) and the sum of each of its channels.

    Both are those of two functions; None where only these can compute them. With `overwrite`, the
    first may be written over gy.
    """
    if module is None or y.dtype not in FLOATS:
        return None
    gy = like(gy, y)
    found = module.relu_gradient_sums(gy, y, overwrite)
    return None if found is None else (gy if found[0] is None else found[0], found[1])


def relu6(x: Array) -> Array:
    """Return x, moved to the nearer end of 0 .. 6 where it is outside; a NaN stays one.

    >>> relu6(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """
    y = None
    if module is not None and x.dtype in FLOATS:
        y = module.relu6(x)
    return np.asarray(np.clip(x, 0, 6)) if y is None else y


def relu6_gradient(gy: Array, y: Array) -> Array:
    """Return gy where y, of the same shape and dtype, is between 0 and 6 or NaN, else 0.

    >>> relu6_gradient(np.array([3.0, 4.0, 5.0]), np.array([0.0, 2.0, 6.0]))
    array([0., 4., 0.])
    """
    gx = None
    if module is not None and y.dtype in FLOATS:
        gx = module.relu6_gradient(gy, y)
        if gx is None:
            gx = module.relu6_gradient(like(gy, y), y)
    return keep(gy, ~((y <= 0) | (y >= 6))) if gx is None else gx


def add_relu_(y: Array, residual: Array | None = None, ceiling: float = inf) -> Array:
    """Return y, changed in place to min(max(y + residual, 0), ceiling); a NaN stays one.

    A residual has the shape and dtype of y.

    >>> add_relu_(np.array([-1.0, 2.0, 7.0]), np.array([2.0, -3.0, 0.0]), ceiling=6.0)
    array([1., 0., 6.])
    """
    if module is not None and y.dtype in FLOATS:
        if residual is not None:
            residual = like(residual, y)
        if module.add_relu(y, residual, ceiling):
            return y
    if residual is not None:
        y += residual
    np.maximum(y, 0, out=y)
    return y if ceiling == inf else np.minimum(y, ceiling, out=y)
