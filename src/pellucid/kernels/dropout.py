"""Dropout: which elements a draw keeps, and its product with x, in one pass over memory.

The native function computes the numbers of NumPy's Philox by itself, each from its place, so that
jobs on several threads need none of the others'. It takes arrays in row-major order and
channels-last ones; for others, and without the native module, NumPy computes the same, bit for bit.
Not here: when a draw is made (ops/dropout.py). Next room: native/maps.cpp.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.native import FLOATS, module
from pellucid.random import RngState, generator_of

_BITS = 24  # of a number that is drawn in float32


def dropout(x: Array, p: float, key: RngState) -> Array:
    """Return x / (1 - p) where the numbers of `key` are p or more, else 0 (NaN stays NaN).

    Number e of the draw is for element e of x in row-major order, however x lies.

    >>> dropout(np.ones(6), 0.5, RngState(3, 0))
    array([2., 2., 0., 0., 2., 0.])
    """
    factor, least = (1 / (1 - p) if p < 1 else 0.0), np.float32(p)
    if module is not None and x.dtype in FLOATS:
        y = module.dropout(x, *key, ceil(float(least) * 2**_BITS), factor)
        if y is not None:
            return y
    factors = np.empty_like(x)  # in the layout of x
    kept = generator_of(key).random(x.shape, np.float32) >= least
    np.multiply(kept, factor, out=factors)
    return x * factors
