"""An array set into a larger one of a single value, with steps between its elements or without.

What is padded, and what is picked by slices, is put back this way. The native function takes arrays
whose innermost axis has no gaps, and writes each row of the result once; NumPy does the same in two
passes. Not here: borders that repeat the elements (ops/shape.py). Next room: native/maps.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.native import FLOATS, module


def place(
    x: Array, shape: Sequence[int], places: Sequence[range], value: float, channels_last: bool
) -> Array:
    """Return an array of `value` with element k of axis a of x at `places[a][k]`.

    Shapes: x (N, C, ...), and places of its sizes, none outside of `shape`.
    Cost: one pass over the result; it lies as (N, ..., C) if `channels_last`, else in row-major
    order.

    >>> place(np.array([1.0, 2.0]), [5], [range(1, 5, 2)], 0, channels_last=False)
    array([0., 1., 0., 2., 0.])
    """
    y = None
    if module is not None and x.dtype in FLOATS:
        starts, steps = [p.start for p in places], [p.step for p in places]
        y = module.place(x, shape, starts, steps, float(value), channels_last)
    if y is None:
        if channels_last:
            N, C, *spatial = shape
            y = np.moveaxis(np.full((N, *spatial, C), value, x.dtype), -1, 1)
        else:
            y = np.full(shape, value, x.dtype)
        y[tuple([slice(p.start, p.stop, p.step) for p in places])] = x
    return np.asarray(y)
