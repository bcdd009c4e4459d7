"""Layout: in which order the axes of an array lie in memory. The one place that decides it.

Shapes are PyTorch's (N, C, H, W) everywhere; memory may order the axes otherwise, and kernels
return (N, H, W, C), "channels-last", as an ordinary NumPy view. Two rules: the stride of an axis of
size 1 says nothing, and a gradient lies like its tensor. NumPy keeps a layout only where all
operands share it, so whoever wants one allocates its output here. Next room: conv/spec.py.
"""

from __future__ import annotations

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType, float64
from pellucid.kernels.native import FLOATS, module


def is_channels_last(array: Array) -> bool:
    """Whether an array (N, C, ...) lies without gaps as (N, ..., C).

    >>> is_channels_last(np.zeros((8, 3, 32, 32))), is_channels_last(np.zeros((8, 1, 32, 32)))
    (False, True)
    """
    # (N, C, ...) -> (N, ..., C), in a twentieth of the time of np.moveaxis
    return array.ndim > 2 and array.transpose(0, *range(2, array.ndim), 1).flags.c_contiguous


def orders_channels_last(array: Array) -> bool:
    """Whether the axes of an array (N, C, ...) are ordered as (N, ..., C), gaps or not.

    >>> x = np.zeros((8, 4, 4, 3)).transpose(0, 3, 1, 2)
    >>> orders_channels_last(x[:, :, ::2, ::2]), orders_channels_last(np.zeros((8, 3, 4, 4)))
    (True, False)
    """
    order = _order(array)
    return array.ndim > 2 and order[-1:] == [1] and order[:-1] == sorted(order[:-1])


def has_adjacent_channels(array: Array) -> bool:
    """Whether the channels of a pixel of an array (N, C, ...) lie side by side.

    >>> has_adjacent_channels(np.zeros((8, 4, 4, 9)).transpose(0, 3, 1, 2)[:, 2:5, ::2])
    True
    """
    return array.strides[1] == array.itemsize or array.shape[1] == 1


def has_adjacent_taps(w: Array) -> bool:
    """Whether the taps of one pair of channels of weights (O, C, ...) lie side by side, in order.

    >>> has_adjacent_taps(np.zeros((16, 3, 5, 5))[::2]), has_adjacent_taps(np.zeros((5, 5, 3, 3)).T)
    (True, False)
    """
    return w.flags.c_contiguous or w[0, 0].flags.c_contiguous


def empty_channels_last(shape: tuple[int, ...], dtype: DType) -> Array:
    """Return new memory, from the pool where there is one, for (N, C, ...) lying as (N, ..., C).

    >>> empty_channels_last((8, 3, 32, 32), np.dtype("uint8")).strides
    (3072, 1, 96, 3)
    """
    if module is not None and dtype in FLOATS:
        return module.empty(shape, dtype == float64, True)
    N, C, *spatial = shape
    return np.moveaxis(np.empty((N, *spatial, C), dtype), -1, 1)


def empty_rows(shape: tuple[int, ...], dtype: DType) -> Array:
    """Return new memory, from the pool where there is one, in row-major order.

    >>> empty_rows((16, 3, 5, 5), np.dtype("float32")).strides
    (300, 100, 20, 4)
    """
    if module is not None and dtype in FLOATS:
        return module.empty(shape, dtype == float64, False)
    return np.empty(shape, dtype)


def as_channels_last(array: Array) -> Array:
    """Return an array (N, C, ...) that lies as (N, ..., C), copied only where it does not."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


def like(array: Array, template: Array) -> Array:
    """Return `array` with its axes in the order of the template's, copied only where they differ.

    Shapes: both the same.

    >>> gx, x = np.ones((8, 3, 4, 4)), np.zeros((8, 4, 4, 3)).transpose(0, 3, 1, 2)
    >>> is_channels_last(like(gx, x)), like(gx, gx) is gx
    (True, True)
    """
    assert array.shape == template.shape, (array.shape, template.shape)
    if _order(array) == _order(template):
        return array
    copy = np.empty_like(template, array.dtype)
    copy[...] = array
    return copy


def _order(array: Array) -> list[int]:
    """Return the axes longer than 1 from the outermost in memory to the innermost."""
    axes = [axis for axis, size in enumerate(array.shape) if size > 1]
    return sorted(axes, key=lambda axis: -abs(array.strides[axis]))
