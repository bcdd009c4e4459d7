"""Arrays joined along an axis, and parted again.

Channels-last arrays along their channels are joined natively, into memory from the pool, and parted
into arrays of their own, so that whoever gets a part finds it without gaps. All others are NumPy's:
its parts are views.
Next room: native/module_maps.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.native import FLOATS, module


def join(parts: Sequence[Array], axis: int) -> Array:
    """Return arrays of one dtype, and of equal sizes along the other axes, one after the other.

    >>> join([np.zeros((1, 2)), np.ones((1, 1))], 1)
    array([[0., 0., 1.]])
    """
    if module is not None and axis == 1 and parts[0].ndim > 2 and parts[0].dtype in FLOATS:
        y = module.join_channels(parts)
        if y is not None:
            return y
    return np.concatenate(parts, axis=axis)


def part(x: Array, sizes: Sequence[int], axis: int) -> list[Array]:
    """Return the parts of x that `join` made it of.

    >>> part(np.arange(3.0), [2, 1], 0)
    [array([0., 1.]), array([2.])]
    """
    if module is not None and axis == 1 and x.ndim > 2 and x.dtype in FLOATS:
        parts = module.part_channels(x, sizes)
        if parts is not None:
            return parts
    return np.split(x, list(accumulate(sizes))[:-1], axis)
