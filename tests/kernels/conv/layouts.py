"""The ways in which an array may come: each function returns the same numbers, lying otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pellucid.backend import Array


def channels_last(array: Array) -> Array:
    channels = min(1, array.ndim - 1)
    return np.moveaxis(np.moveaxis(array, channels, -1).copy(), -1, channels)


def unaligned(array: Array) -> Array:
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    raw[...] = array
    return raw


def every_other(array: Array) -> Array:
    wide = np.full([2 * size for size in array.shape], np.nan, array.dtype)
    view = wide[(slice(None, None, 2),) * array.ndim]
    view[...] = array
    return view


def sliced(array: Array) -> Array:
    """Channels side by side, and gaps behind every axis: no kernel needs to copy it."""
    wide = channels_last(np.full([size + 3 for size in array.shape], np.nan, array.dtype))
    view = wide[tuple(slice(2, 2 + size) for size in array.shape)]
    view[...] = array
    return view


def negative_channels_last(array: Array) -> Array:
    """Channels side by side, and all other axes backwards."""
    axes = tuple(axis for axis in range(array.ndim) if axis != min(1, array.ndim - 1))
    return np.flip(channels_last(np.flip(array, axes)), axes)


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "row-major": lambda a: a.copy(),
    "column-major": lambda a: a.copy(order="F"),
    "channels-last": channels_last,
    "sliced": sliced,
    "negative": lambda a: np.flip(np.flip(a).copy()),
    "negative-channels-last": negative_channels_last,
    "every-other": every_other,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "unaligned": unaligned,
}


def laid_out(array: Array, layout: str) -> Array:
    """Return a read-only array with these numbers in that layout."""
    found = LAYOUTS[layout](array)
    found.flags.writeable = False
    return found
