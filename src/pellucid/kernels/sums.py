"""Sums of channels, in float64: a million float32 values lose nothing.

The native function takes arrays that lie as (N, ..., C); for others, and without the native module,
NumPy computes the same but for the order of the sum. Next room: native/norms.cpp.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import float32, float64
from pellucid.kernels.native import module

_NATIVE = (float32, float64)


def channel_sums(x: Array) -> Array:
    """Return the sum of each channel: (N, C, ...) -> (C).

    >>> channel_sums(np.ones((8, 2, 3, 3)))
    array([72., 72.])
    """
    sums = None
    if module is not None and x.dtype in _NATIVE:
        sums = module.channel_sums(x)
    if sums is None:
        # Over the images first, whose sum runs along memory in either layout.
        by_pixel = np.sum(x, axis=0, dtype=np.float64)
        sums = by_pixel.sum(axis=tuple(range(1, by_pixel.ndim))).astype(x.dtype)
    return np.asarray(sums)
