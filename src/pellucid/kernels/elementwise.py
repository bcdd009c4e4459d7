"""Sums of arrays, element by element, in one pass over memory that comes from the pool.

NumPy does the same for arrays that broadcast, that lie in different ways or with gaps, or that are
small. Not here: other arithmetic, which no training step of a network of images has much of.
Next room: native/maps.cpp.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.native import FLOATS, module

# Below so many elements NumPy has finished before a native function has begun.
_LEAST = 4096


def add(a: Array, b: Array) -> Array:
    """Return a + b.

    >>> add(np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    array([4., 7.])
    """
    if a.size >= _LEAST and a.shape == b.shape and module is not None and a.dtype in FLOATS:
        y = module.add(a, b)
        if y is not None:
            return y
    return np.asarray(a + b)
