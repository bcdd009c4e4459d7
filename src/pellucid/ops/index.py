"""Picking elements by index, and its adjoint: adding them back where they came from.

`GetItem` and `PutItem` are each other's gradient, likewise `Gather` and `Scatter`.
Next room: shape.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.dtypes import float32, int64
from pellucid.errors import DTypeError, IndexingError, ShapeError
from pellucid.kernels.layout import empty_channels_last, is_channels_last
from pellucid.kernels.place import place
from pellucid.ops.operands import check_tensor
from pellucid.ops.reduce import normalise_dim
from pellucid.tensor import Tensor


class GetItem(Function):
    """x[key], with NumPy's meaning of a key."""

    equation = "y[k] = x[key[k]]"
    makes_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, key: Any) -> Array:
        ctx.shape, ctx.key = x.shape, key
        ctx.channels_last = x.ndim <= 5 and is_channels_last(x.array)
        return np.asarray(x.array[key])

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return PutItem.apply(gy, ctx.shape, ctx.key, ctx.channels_last), None


class PutItem(Function):
    """Zeros that lie like x, with y added at x[key]: what is picked twice is added twice."""

    equation = "x[i] = sum[k: key[k] = i] y[k]"

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, shape: tuple[int, ...], key: Any, channels_last: bool
    ) -> Array:
        ctx.key = key
        places = _places(shape, key)
        if places is not None:
            return place(y.array, shape, places, 0, channels_last)
        if channels_last:
            x = empty_channels_last(shape, y.dtype)
            x[...] = 0
        else:
            x = np.zeros(shape, y.dtype)
        if _is_basic(key):
            x[key] = y.array
        else:
            np.add.at(x, key, y.array)
        return x

    @staticmethod
    def backward(ctx: Any, gx: Tensor) -> Any:
        return GetItem.apply(gx, ctx.key), None, None, None


class Gather(Function):
    """Along one axis, the elements at `index`."""

    equation = "y[i, k] = x[i, index[i, k]]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int, index: Tensor) -> Array:
        ctx.save_for_backward(index)
        ctx.dim, ctx.shape = dim, x.shape
        return x.array[_open_index(index.array, dim)]

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (index,) = ctx.saved_tensors
        return Scatter.apply(gy, ctx.dim, index, ctx.shape), None, None


class Scatter(Function):
    """Zeros with y added at `index` along one axis."""

    equation = "x[i, j] = sum[k: index[i, k] = j] y[i, k]"

    @staticmethod
    def forward(ctx: Any, y: Tensor, dim: int, index: Tensor, shape: tuple[int, ...]) -> Array:
        ctx.save_for_backward(index)
        ctx.dim = dim
        x = np.zeros(shape, y.dtype)
        np.add.at(x, _open_index(index.array, dim), y.array)
        return x

    @staticmethod
    def backward(ctx: Any, gx: Tensor) -> Any:
        (index,) = ctx.saved_tensors
        return Gather.apply(gx, ctx.dim, index), None, None, None


def _open_index(index: Array, dim: int) -> tuple[Array, ...]:
    """The full NumPy index: `index` along `dim`, each other axis' own place elsewhere."""
    places = list(np.ogrid[tuple(slice(size) for size in index.shape)])
    places[dim] = index
    return tuple(places)


def _places(shape: tuple[int, ...], key: Any) -> list[range] | None:
    """Where a key of slices that go up picks along each axis; None for another key."""
    parts = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, slice) for part in parts):
        return None
    rest = (slice(None),) * (len(shape) - len(parts))
    places = [range(size)[part] for size, part in zip(shape, (*parts, *rest), strict=True)]
    return places if all(p.step > 0 for p in places) else None


def _is_basic(key: Any) -> bool:
    """Whether a key picks every element at most once: no arrays of integers."""
    parts = key if isinstance(key, tuple) else (key,)
    return not any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in parts)


def _index_part(part: Any) -> Any:
    if isinstance(part, Tensor):
        part = part.array
    elif isinstance(part, list):
        part = np.asarray(part, dtype=int64 if not part else None)
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "iub":
            raise DTypeError(
                "getitem", f"an index is {part.dtype}", fix="index with integers or bools"
            )
        return part.copy()  # the graph may need it later
    return part


def array_index(key: Any) -> Any:
    """Return an index with its tensors and lists as arrays."""
    if isinstance(key, tuple):
        return tuple([_index_part(part) for part in key])
    return _index_part(key)


def getitem(x: Tensor, key: Any) -> Tensor:
    """Return x[key]; integers, slices, None, ..., tensors and arrays as in NumPy.

    Raises: IndexingError outside an axis, DTypeError for an index that is no integer or bool.
    """
    try:
        return GetItem.apply(x, array_index(key))
    except IndexError as error:
        raise IndexingError(
            "getitem", str(error), f"x {x.shape}", fix="index within the sizes of x"
        ) from None


def gather(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return, along axis `dim`, the elements of x at `index`.

    Shapes: index has as many axes as x and, off `dim`, no size larger than x's; the result has
    the shape of index.
    Raises: ShapeError, DTypeError, IndexingError for an index that does not fit.

    >>> import pellucid
    >>> x = pellucid.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> gather(x, 1, pellucid.tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    axis = normalise_dim("gather", dim, x.ndim)
    if index.dtype.kind not in "iu":
        raise DTypeError("gather", f"the index is {index.dtype}", fix="use an int64 tensor")
    fits = index.ndim == x.ndim and all(
        k <= size for d, (k, size) in enumerate(zip(index.shape, x.shape, strict=True)) if d != axis
    )
    if not fits:
        raise ShapeError(
            "gather",
            f"an index of shape {index.shape} does not fit along dim={dim}",
            f"x {x.shape}",
            fix="give an index with the axes of x",
        )
    size = x.shape[axis]
    if index.numel() and not (-size <= index.array.min() and index.array.max() < size):
        raise IndexingError(
            "gather",
            f"an index lies outside axis {dim} of size {size}",
            f"x {x.shape}",
            fix=f"use indices from 0 to {size - 1}",
        )
    return Gather.apply(x, axis, index)


def one_hot(index: Tensor, num_classes: int) -> Tensor:
    """Return a 1 at each index and 0 elsewhere, along a new last axis, in float32.

    Raises: DTypeError for an index that is no integer, IndexingError for one outside 0 ..
    num_classes - 1.
    """
    check_tensor("one_hot", "index", index)
    if index.dtype.kind not in "iu":
        raise DTypeError(
            "one_hot", f"the index is {index.dtype}", fix="cast it, as in index.long()"
        )
    if index.numel() and not (index.array.min() >= 0 and index.array.max() < num_classes):
        raise IndexingError(
            "one_hot",
            f"an index lies outside 0 .. {num_classes - 1}",
            fix="give more classes, or check the labels",
        )
    return Tensor(np.asarray(index.array[..., None] == np.arange(num_classes), float32))
