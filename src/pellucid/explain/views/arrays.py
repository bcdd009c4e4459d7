"""Plain arithmetic for the views: padding that may crop, and a correlation of any stride.

As slow and as plain as can be: every view is computed as it is drawn, so that a test can show that
all of them are equal. Not here: which arrays (scatter.py and its neighbours). Next room: base.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.conv.spec import Sizes

ALL = slice(None)


def at(*parts: Any) -> tuple[Any, ...]:
    """Return an index from its parts, for arrays of any number of axes."""
    return parts


def exchanged(w: Array, groups: int) -> Array:
    """Return a kernel with the roles of its channels exchanged, (O, C/G, ...) -> (C, O/G, ...)."""
    # (O, C/G, ...) -> (G, O/G, C/G, ...) -> (G, C/G, O/G, ...) -> (C, O/G, ...)
    grouped = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    return grouped.reshape(groups * w.shape[1], w.shape[0] // groups, *w.shape[2:])


def padded(array: Array, pads: Sequence[tuple[int, int]]) -> Array:
    """Return the array with zeros around its last axes, as float64; a negative pad crops.

    >>> padded(np.array([1, 2, 3]), [(1, -1)])
    array([0., 1., 2.])
    """
    found = array.astype(np.float64)
    before = array.ndim - len(pads)
    for axis, (low, high) in enumerate(pads, before):
        cut = slice(max(-low, 0), found.shape[axis] - max(-high, 0))
        found = found[(ALL,) * axis + (cut,)]
        widths = [(0, 0)] * array.ndim
        widths[axis] = max(low, 0), max(high, 0)
        found = np.pad(found, widths)
    return found


def correlate(
    x: Array, w: Array, out_size: Sizes, dilation: Sizes, stride: Sizes, groups: int
) -> Array:
    """Return the correlation of x with w, as loops over the taps: a convolution without padding.

    Shapes: x (N, C, ...), w (O, C/G, ...), y (N, O, *out_size).
    Maths: y[n,o,i] = sum over c,u of x[n,c, i s + u d] w[o,c,u]
    """
    G, N, O = groups, x.shape[0], w.shape[0]
    y = np.zeros((N, O, *out_size))
    for tap in np.ndindex(*w.shape[2:]):
        reached = tuple(
            slice(u * d, u * d + (size - 1) * s + 1, s)
            for u, d, s, size in zip(tap, dilation, stride, out_size, strict=True)
        )
        for g in range(G):
            c = slice(g * x.shape[1] // G, (g + 1) * x.shape[1] // G)
            o = slice(g * O // G, (g + 1) * O // G)
            # (N, C/G, ...), (O/G, C/G) -> (N, O/G, ...)
            y[:, o] += np.einsum("nc...,oc->no...", x[at(ALL, c, *reached)], w[at(o, ALL, *tap)])
    return y
