"""The cross entropy of rows of classes, and its gradient, from one softmax.

x is (N, C), and its targets are class indices (N). The native functions take rows that lie one
after the other; for others, and without the native module, NumPy computes the same.
Not here: other shapes and other targets (ops/loss.py). Next room: native/losses.cpp.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import int64
from pellucid.kernels.native import FLOATS, module


def cross_entropy(
    x: Array, target: Array, weight: Array | None, ignored: int
) -> tuple[float, float, Array] | None:
    """Return the sum of the losses, that of the weights, and the softmax of x.

    None for a target that is no class. Rows whose target is `ignored` do not count, and their
    softmax is not computed.

    Maths: the sum over n of weight[t[n]] (log(sum over c of e^x[n,c]) - x[n,t[n]]).
    """
    target = target if target.dtype == int64 else target.astype(int64)
    found = None
    if module is not None and x.dtype in FLOATS:
        found = module.cross_entropy(x, target, weight, ignored)
    return _cross_entropy(x, target, weight, ignored) if found is None else found


def _cross_entropy(
    x: Array, target: Array, weight: Array | None, ignored: int
) -> tuple[float, float, Array] | None:
    counts = target != ignored
    rows, classes = np.flatnonzero(counts), target[counts]
    if ((classes < 0) | (classes >= x.shape[1])).any():
        return None
    softmax = np.zeros_like(x)
    if not rows.size:
        return 0.0, 0.0, softmax
    shifted = x[rows] - x[rows].max(axis=1, keepdims=True)
    softmax[rows] = powers = np.exp(shifted)
    total = powers.sum(axis=1, dtype=np.float64)
    softmax[rows] /= total[:, None].astype(x.dtype)
    each = np.ones(rows.size) if weight is None else weight[classes].astype(np.float64)
    losses = each * (np.log(total) - shifted[np.arange(rows.size), classes])
    return float(losses.sum()), float(each.sum()), softmax


def cross_entropy_gradient(
    softmax: Array, target: Array, weight: Array | None, ignored: int, factor: float
) -> Array:
    """Return factor weight[t] (softmax - 1 at the target), and 0 in rows that do not count."""
    target = target if target.dtype == int64 else target.astype(int64)
    gx: Array | None = None
    if module is not None and softmax.dtype in FLOATS:
        gx = module.cross_entropy_gradient(softmax, target, weight, ignored, factor)
    if gx is not None:
        return gx
    rows = np.flatnonzero(target != ignored)
    classes = target[rows]
    gx = np.zeros_like(softmax)
    gx[rows] = softmax[rows]
    gx[rows, classes] -= 1
    gx[rows] *= np.asarray(factor, softmax.dtype)
    if weight is not None:
        gx[rows] *= weight[classes][:, None]
    return gx
