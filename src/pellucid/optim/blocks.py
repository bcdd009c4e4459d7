"""Walking over arrays of any layout in pieces that stay in the cache.

An optimizer's step is a dozen elementwise operations on the same few arrays. On whole arrays each
of them would go through memory, with temporaries of the parameter's size; on pieces of `BLOCK`
elements only the first touch of each array does. Not here: what a step computes.
Next room: sgd.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.backend import Array

BLOCK = 16384  # elements: five float32 arrays of it fit into a level-2 cache of 512 KB


def blocks(param: Array, grad: Array, *state: Array | None) -> Iterator[tuple[Any, ...]]:
    """Yield pieces `(p, g, *state)` of at most `BLOCK` elements, 1-D, the same place in each array.

    All but g may be written to, which changes the arrays. None stands for a state that is not kept.

    Shapes: all arrays have one shape, in any strides; the order is that of the memory.
    Cost: no copy where the layouts agree, else one of BLOCK elements.

    >>> w, gw = np.ones((2, 3)), np.full((2, 3), 0.5)
    >>> for p, g, b in blocks(w, gw, None):
    ...     p[:] = p - g
    >>> w.sum(), b is None
    (np.float64(3.0), True)
    """
    kept = [a for a in (param, grad, *state) if a is not None]
    access = [["readwrite"], ["readonly"], *[["readwrite"]] * (len(kept) - 2)]
    flags = ["external_loop", "buffered", "zerosize_ok"]
    with np.nditer(kept, flags, access, buffersize=BLOCK) as pieces:  # type: ignore[arg-type]
        for piece in pieces:
            found = iter(piece)
            yield (*[next(found) if a is not None else None for a in (param, grad, *state)],)
