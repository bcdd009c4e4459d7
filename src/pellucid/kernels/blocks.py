"""Walking over arrays of any layout in pieces that stay in the cache.

An optimizer's step is a dozen elementwise operations on the same few arrays. On whole arrays each
of them would go through memory, with temporaries of the parameter's size; on pieces of `BLOCK`
elements only the first touch of each array does. Not here: what a step computes (steps.py).
Next room: layout.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.backend import Array

BLOCK = 16384  # elements: five float32 arrays of it fit into a level-2 cache of 512 KB


def blocks(param: Array, grad: Array, *state: Array) -> Iterator[tuple[Any, ...]]:
    """Yield pieces `(p, g, *state)` of at most `BLOCK` elements, 1-D, the same place in each array.

    All but g may be written to, which changes the arrays.

    Shapes: all arrays have one shape, in any strides; the order is that of the memory.
    Cost: no copy where the layouts agree, else one of BLOCK elements.

    >>> w, gw = np.ones((2, 3)), np.full((2, 3), 0.5)
    >>> for p, g in blocks(w, gw):
    ...     p[:] = p - g
    >>> w.sum()
    np.float64(3.0)
    """
    access = [["readwrite"], ["readonly"], *[["readwrite"]] * len(state)]
    flags = ["external_loop", "buffered", "zerosize_ok"]
    arrays = [param, grad, *state]
    with np.nditer(arrays, flags, access, buffersize=BLOCK) as pieces:  # type: ignore[arg-type]
        yield from pieces
