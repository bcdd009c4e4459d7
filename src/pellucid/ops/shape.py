"""Other arrangements of the same elements: shapes, axes, copies, joining, padding.

Each gradient is the arrangement undone, so all of them are closed under differentiation.
Not here: picking elements by index (index.py). Next room: reduce.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.dtypes import DType, result_type
from pellucid.errors import ArgumentError, ShapeError
from pellucid.kernels.join import join, part
from pellucid.kernels.layout import orders_channels_last
from pellucid.kernels.place import place
from pellucid.ops.elementwise import as_tensor_of
from pellucid.ops.reduce import normalise_dim, normalise_dims
from pellucid.tensor import Dims, Scalar, Tensor


class Reshape(Function):
    """The same elements, in row-major order, in another shape."""

    equation = "y[i] = x[i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple[int, ...]) -> Array:
        ctx.shape = x.shape
        return x.array.reshape(shape)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy.reshape(ctx.shape), None


class Permute(Function):
    """The axes in another order."""

    equation = "y[i, j] = x[j, i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...]) -> Array:
        ctx.dims = dims
        return x.array.transpose(dims)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy.permute(tuple(int(d) for d in np.argsort(ctx.dims))), None


class Expand(Function):
    """Axes of size 1 repeated, without a copy."""

    equation = "y[i, j] = x[i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple[int, ...]) -> Array:
        ctx.shape = x.shape
        return np.broadcast_to(x.array, shape)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy.sum_to_size(ctx.shape), None


class Flip(Function):
    """The order along some axes reversed."""

    equation = "y[i] = x[I - 1 - i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...]) -> Array:
        ctx.dims = dims
        return np.flip(x.array, dims)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy.flip(ctx.dims), None


class Cast(Function):
    """The same numbers in another dtype; the gradient comes back in the first."""

    equation = "y[i] = x[i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: DType) -> Array:
        ctx.dtype = x.dtype
        return x.array.astype(dtype)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy.to(ctx.dtype), None


class Copy(Function):
    """A copy, in the same layout or in row-major order."""

    equation = "y[i] = x[i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, row_major: bool) -> Array:
        return x.array.copy(order="C" if row_major else "K")

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy, None


class Cat(Function):
    """Tensors joined along one axis."""

    equation = "y[i] = a[i] if i < A else b[i - A]"

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Tensor) -> Array:
        ctx.dim, ctx.sizes = dim, [x.shape[dim] for x in tensors]
        return join([x.array for x in tensors], dim)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return (None, *Part.apply(gy, ctx.sizes, ctx.dim))


class Part(Function):
    """A tensor cut along one axis into parts of given sizes: `Cat` backwards."""

    equation = "y[k][i] = x[i + sum[l < k] sizes[l]]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, sizes: list[int], dim: int) -> tuple[Array, ...]:
        ctx.dim = dim
        return tuple(part(x.array, sizes, dim))

    @staticmethod
    def backward(ctx: Any, *gy: Tensor) -> Any:
        return Cat.apply(ctx.dim, *gy), None, None


class Pad(Function):
    """A constant frame around the elements; negative amounts crop. Undone by its negative."""

    equation = "y[i] = x[i - low] if 0 <= i - low < I else value"
    makes_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, amounts: tuple[tuple[int, int], ...], value: Scalar) -> Array:
        ctx.amounts = amounts
        sizes = [s + low + high for s, (low, high) in zip(x.shape, amounts, strict=True)]
        inside = [range(max(low, 0), s - max(high, 0)) for s, (low, high) in _pairs(sizes, ctx)]
        kept = [slice(max(-low, 0), s - max(-high, 0)) for s, (low, high) in _pairs(x.shape, ctx)]
        return place(x.array[tuple(kept)], sizes, inside, value, orders_channels_last(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        undone = tuple([(-low, -high) for low, high in ctx.amounts])
        return Pad.apply(gy, undone, 0), None, None


def _pairs(sizes: Sequence[int], ctx: Any) -> Any:
    """Each axis' size with its amounts of padding."""
    return zip(sizes, ctx.amounts, strict=True)


def reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the elements of x in another shape; one size may be -1.

    Raises: ShapeError when the numbers of elements differ.
    """
    sizes = tuple(shape)
    try:
        return Reshape.apply(x, sizes)
    except ValueError:
        raise ShapeError(
            "reshape",
            f"{x.numel()} elements do not fill shape {sizes}",
            f"x {x.shape}",
            fix="choose sizes whose product is the number of elements, one of them may be -1",
        ) from None


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from `start_dim` to `end_dim` into one; a 0-d tensor becomes 1-d.

    Raises: ShapeError for axes that are not there, or in the wrong order.
    """
    first = normalise_dim("flatten", start_dim, x.ndim)
    last = normalise_dim("flatten", end_dim, x.ndim)
    if last < first:
        raise ShapeError(
            "flatten", f"end_dim={end_dim} lies before start_dim={start_dim}", fix="exchange them"
        )
    joined = prod(x.shape[first : last + 1])
    return reshape(x, (*x.shape[:first], joined, *x.shape[last + 1 :]))


def permute(x: Tensor, dims: Sequence[int]) -> Tensor:
    """Return the axes of x in the order `dims`.

    Raises: ShapeError where `dims` does not name every axis once.
    """
    order = normalise_dims("permute", tuple(dims), x.ndim)
    if len(order) != x.ndim:
        raise ShapeError(
            "permute",
            f"dims={tuple(dims)} names {len(order)} of {x.ndim} axes",
            f"x {x.shape}",
            fix="name every axis once",
        )
    return Permute.apply(x, order)


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two axes of x."""
    order = list(range(x.ndim))
    a, b = normalise_dim("transpose", dim0, x.ndim), normalise_dim("transpose", dim1, x.ndim)
    if order:
        order[a], order[b] = b, a
    return permute(x, order)


def squeeze(x: Tensor, dim: Dims = None) -> Tensor:
    """Drop axes of size 1: all of them, or those in `dim` (others in `dim` stay)."""
    dims = normalise_dims("squeeze", dim, x.ndim)
    shape = [size for axis, size in enumerate(x.shape) if size != 1 or axis not in dims]
    return reshape(x, shape)


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """Insert an axis of size 1 before axis `dim`."""
    axis = normalise_dim("unsqueeze", dim, x.ndim + 1)
    return reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))


def expand(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Repeat axes of size 1 to the sizes in `shape`, without a copy; -1 keeps a size.

    Raises: ShapeError where an axis that is not 1 would repeat.
    """
    lead = len(shape) - x.ndim
    sizes = [x.shape[a - lead] if s == -1 and a >= lead else s for a, s in enumerate(shape)]
    fits = lead >= 0 and all(
        have in (1, want) for have, want in zip(x.shape, sizes[max(lead, 0) :], strict=True)
    )
    if not fits:
        raise ShapeError(
            "expand",
            f"shape {x.shape} does not expand to {tuple(shape)}: only axes of size 1 repeat",
            fix="unsqueeze an axis first",
        )
    return Expand.apply(x, tuple(sizes))


def sum_to_size(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Sum the axes that broadcasting `shape` to x's shape repeats: the gradient of `expand`.

    Raises: ShapeError for a shape that does not broadcast to that of x.
    """
    target = tuple(shape)
    if x.shape == target:
        return x
    lead = x.ndim - len(target)
    dims = list(range(lead))
    for axis, size in enumerate(target):
        if size == 1 and x.shape[lead + axis] != 1:
            dims.append(lead + axis)
        elif lead < 0 or size != x.shape[lead + axis]:
            raise ShapeError(
                "sum_to_size",
                f"shape {target} does not broadcast to {x.shape}",
                fix="give a shape with sizes equal or 1",
            )
    return reshape(x.sum(tuple(dims), keepdim=True), target)


def flip(x: Tensor, dims: Sequence[int]) -> Tensor:
    """Reverse the order of elements along `dims`."""
    return Flip.apply(x, normalise_dims("flip", tuple(dims), x.ndim))


def cast(x: Tensor, dtype: DType) -> Tensor:
    """Return x in another dtype, or itself."""
    if x.dtype == dtype:
        return x
    return Cast.apply(x, dtype)


def clone(x: Tensor) -> Tensor:
    """Return a copy of x in the same layout; gradients pass through."""
    return Copy.apply(x, False)


def contiguous(x: Tensor) -> Tensor:
    """Return a copy of x in row-major order; gradients pass through."""
    return Copy.apply(x, True)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along an axis they have.

    Shapes: equal but for the size of axis `dim`, which adds up.
    Raises: ShapeError for no tensors, or other sizes that differ.

    >>> import pellucid
    >>> cat([pellucid.ones(2), pellucid.zeros(1)])
    tensor([1., 1., 0.])
    """
    if not tensors:
        raise ShapeError("cat", "there is nothing to join", fix="pass at least one tensor")
    axis = normalise_dim("cat", dim, tensors[0].ndim)
    for k, x in enumerate(tensors):
        same_rank = x.ndim == tensors[0].ndim and x.ndim > 0
        rest = x.shape[:axis] + x.shape[axis + 1 :]
        if not same_rank or rest != tensors[0].shape[:axis] + tensors[0].shape[axis + 1 :]:
            raise ShapeError(
                "cat",
                f"tensor {k} of shape {x.shape} does not fit tensor 0 of shape "
                f"{tensors[0].shape}: all axes but dim={dim} must be equal",
                fix="reshape it, or use stack for a new axis",
            )
    dtype = result_type(*tensors)
    return Cat.apply(axis, *[as_tensor_of("cat", x, dtype) for x in tensors])


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Raises: ShapeError for no tensors, or shapes that differ.
    """
    for k, x in enumerate(tensors):
        if x.shape != tensors[0].shape:
            raise ShapeError(
                "stack",
                f"tensor {k} has shape {x.shape}, tensor 0 {tensors[0].shape}",
                fix="give tensors of one shape, or use cat",
            )
    return cat([unsqueeze(x, dim) for x in tensors], dim)


def split(x: Tensor, sizes: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut x along an axis into pieces of these sizes (an int: all of it, the last may be less).

    Raises: ArgumentError for a negative size, or 0 for all; ShapeError for sizes that do not add
    up.
    """
    axis = normalise_dim("split", dim, x.ndim)
    total = x.shape[axis]
    least = 1 if isinstance(sizes, int) else 0
    if any(size < least for size in ([sizes] if isinstance(sizes, int) else sizes)):
        raise ArgumentError("split", f"sizes={sizes} are no sizes", fix=f"use {least} or more")
    if isinstance(sizes, int):
        sizes = [min(sizes, total - k) for k in range(0, total, sizes)] or [0]
    if sum(sizes) != total:
        raise ShapeError(
            "split",
            f"sizes {list(sizes)} add up to {sum(sizes)}, axis {dim} has {total} elements",
            fix="give sizes that add up",
        )
    ends = np.cumsum(sizes)
    before = (slice(None),) * axis
    pieces = zip(sizes, ends, strict=True)
    return tuple([x[before + (slice(int(end) - size, int(end)),)] for size, end in pieces])


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut x along an axis into at most `chunks` equal pieces; the last may be smaller.

    Raises: ArgumentError for less than one piece.
    """
    if chunks < 1:
        raise ArgumentError("chunk", f"chunks={chunks} is less than 1", fix="use 1 or more")
    total = x.shape[normalise_dim("chunk", dim, x.ndim)]
    return split(x, max(-(-total // chunks), 1), dim)


_PAD_MODES = ("constant", "reflect", "replicate", "circular")


def _border_index(size: int, low: int, high: int, mode: str) -> Array:
    """Which element stands at each place of a padded axis (1234 -> 32123432 for reflect)."""
    places = np.arange(-low, size + high)
    if mode == "circular":
        return places % size
    if mode == "replicate":
        return np.clip(places, 0, size - 1)
    return size - 1 - np.abs(size - 1 - np.abs(places))


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: Scalar = 0) -> Tensor:
    """Put a frame around x; negative amounts crop (constant mode only).

    Shapes: `pad` = (low, high) of the last axis, then of the one before it, and so on.
    Maths: for 1234 padded by 2: constant 00123400, reflect 32123432, replicate 11123444, circular
    34123412.
    Raises: ShapeError for too many or too large amounts, ArgumentError for an unknown mode.
    """
    if mode not in _PAD_MODES:
        raise ArgumentError(
            "pad", f"there is no mode '{mode}'", fix=f"use one of {', '.join(_PAD_MODES)}"
        )
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ShapeError(
            "pad",
            f"{len(pad)} amounts are no (low, high) pairs for at most {x.ndim} axes",
            f"x {x.shape}",
            fix="give two amounts for each axis, the last axis first",
        )
    pairs = [(int(pad[k]), int(pad[k + 1])) for k in range(0, len(pad), 2)]
    amounts = ((0, 0),) * (x.ndim - len(pairs)) + tuple(reversed(pairs))
    for axis, (size, (low, high)) in enumerate(zip(x.shape, amounts, strict=True)):
        limit = {"reflect": size - 1, "circular": size, "replicate": max(low, high) * size}
        framed = mode != "constant" and (low, high) != (0, 0)
        too_much = framed and (max(low, high) > limit[mode] or min(low, high) < 0)
        if too_much or size + low + high < 0:
            raise ShapeError(
                "pad",
                f"amounts ({low}, {high}) do not fit axis {axis} of size {size} in mode '{mode}'",
                f"x {x.shape}",
                fix="pad less, or use mode='constant'",
            )
    if mode == "constant":
        return Pad.apply(x, amounts, value)
    for axis, (size, (low, high)) in enumerate(zip(x.shape, amounts, strict=True)):
        if low or high:
            before = (slice(None),) * axis
            x = x[before + (_border_index(size, low, high, mode),)]
    return x
