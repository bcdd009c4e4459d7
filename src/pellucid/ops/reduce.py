"""Reductions: sums, means and extremes along axes.

`dim` is None (all axes), one axis or several; `keepdim` leaves them with size 1.
Not here: softmax and losses (activation.py, loss.py). Next room: shape.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.dtypes import DEFAULT_FLOAT, bool_, int64, is_float
from pellucid.errors import ArgumentError, ShapeError
from pellucid.tensor import Dims, Tensor


def normalise_dim(op: str, dim: int, ndim: int) -> int:
    """Return an axis counted from the front.

    Raises: ShapeError for an axis that is not there.
    """
    if not -ndim <= dim < (ndim or 1):
        raise ShapeError(
            op,
            f"dim={dim} is not an axis of a tensor with {ndim} axes",
            fix=f"use a dim from {-ndim} to {ndim - 1}",
        )
    return dim % ndim if ndim else 0


def normalise_dims(op: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """Return axes counted from the front, each once, all of them for None."""
    if dim is None:
        return tuple(range(ndim))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    found = tuple([normalise_dim(op, d, ndim) for d in dims])
    if len(set(found)) != len(found):
        raise ShapeError(op, f"dim={dims} names an axis twice", fix="name each axis once")
    return found


def _kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with the reduced axes at size 1, as broadcasting back needs it."""
    return tuple([1 if axis in dims else size for axis, size in enumerate(shape)])


def _check_not_empty(op: str, shape: tuple[int, ...], dims: tuple[int, ...]) -> None:
    if 0 in [shape[d] for d in dims]:
        raise ShapeError(
            op,
            f"there is no element along dim={dims} of a tensor of shape {shape}",
            fix="reduce along axes of at least one element",
        )


class Sum(Function):
    """The sum along axes."""

    equation = "y[i] = sum[r] x[i, r]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Array:
        ctx.shape, ctx.kept = x.shape, _kept(x.shape, dims)
        y = np.sum(x.array, axis=dims, keepdims=keepdim, dtype=_sum_dtype(x))
        return np.asarray(y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return gy.reshape(ctx.kept).expand(ctx.shape), None, None


def _sum_dtype(x: Tensor) -> Any:
    """Integers and bools are added in int64, as in PyTorch."""
    return x.dtype if is_float(x.dtype) else int64


class Extreme(Function):
    """The largest (or smallest) element along axes; equals share the gradient evenly."""

    equation = "y[i] = max[r] x[i, r]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], keepdim: bool, largest: bool) -> Array:
        function = np.max if largest else np.min
        kept = function(x.array, axis=dims, keepdims=True) if dims else x.array
        winners = x.array == kept
        ctx.save_for_backward(winners / winners.sum(axis=dims, keepdims=True, dtype=x.dtype))
        ctx.kept, ctx.shape = kept.shape, x.shape
        rest = tuple([size for axis, size in enumerate(x.shape) if axis not in dims])
        return kept.copy() if keepdim else kept.reshape(rest).copy()

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (share,) = ctx.saved_tensors
        return gy.reshape(ctx.kept) * share, None, None, None


class ValuesIndices(NamedTuple):
    """What `max` and `min` along one axis return."""

    values: Tensor
    indices: Tensor


def sum(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return the sum along `dim`.

    >>> import pellucid
    >>> pellucid.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(dim=0)
    tensor([4., 6.])
    """
    return Sum.apply(x, normalise_dims("sum", dim, x.ndim), keepdim)


def mean(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return the mean along `dim` (NaN where there is nothing)."""
    dims = normalise_dims("mean", dim, x.ndim)
    count = int(np.prod([x.shape[d] for d in dims], dtype=np.int64))
    x = x if is_float(x.dtype) else x.to(DEFAULT_FLOAT)
    return sum(x, dims, keepdim) / float(count)


def var(x: Tensor, dim: Dims = None, correction: int = 1, keepdim: bool = False) -> Tensor:
    """Return the variance along `dim`: squared distances from the mean over n - correction.

    Raises: ArgumentError for fewer elements than `correction`.
    """
    dims = normalise_dims("var", dim, x.ndim)
    count = int(np.prod([x.shape[d] for d in dims], dtype=np.int64)) - correction
    if count < 0:
        raise ArgumentError(
            "var",
            f"{count + correction} elements are fewer than correction={correction}",
            fix="use correction=0",
        )
    distance = x - mean(x, dims, keepdim=True)
    return sum(distance * distance, dims, keepdim) / float(count)


def std(x: Tensor, dim: Dims = None, correction: int = 1, keepdim: bool = False) -> Tensor:
    """Return the standard deviation along `dim`, the root of `var`."""
    return var(x, dim, correction, keepdim).sqrt()


def amax(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return the largest element along `dim`; equals share the gradient."""
    dims = normalise_dims("amax", dim, x.ndim)
    _check_not_empty("amax", x.shape, dims)
    return Extreme.apply(x, dims, keepdim, True)


def amin(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return the smallest element along `dim`; equals share the gradient."""
    dims = normalise_dims("amin", dim, x.ndim)
    _check_not_empty("amin", x.shape, dims)
    return Extreme.apply(x, dims, keepdim, False)


def _arg(op: str, function: Any, x: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    dims = normalise_dims(op, dim, x.ndim)
    _check_not_empty(op, x.shape, dims)
    axis = None if dim is None else dims[0]
    return Tensor(np.asarray(function(x.array, axis=axis, keepdims=keepdim), int64))


def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the largest element along `dim`, the first of equals."""
    return _arg("argmax", np.argmax, x, dim, keepdim)


def argmin(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the smallest element along `dim`, the first of equals."""
    return _arg("argmin", np.argmin, x, dim, keepdim)


def _values_indices(x: Tensor, dim: int, indices: Tensor, keepdim: bool) -> ValuesIndices:
    values = x.gather(dim, indices) if x.ndim else x.clone()
    if keepdim or not x.ndim:
        return ValuesIndices(values, indices)
    return ValuesIndices(values.squeeze(dim), indices.squeeze(dim))


def max(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the largest element, or with `dim` the pair (values, indices) along it.

    >>> import pellucid
    >>> pellucid.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1).indices
    tensor([1, 0])
    """
    if dim is None:
        return amax(x, None, keepdim)
    return _values_indices(x, dim, _arg("max", np.argmax, x, dim, True), keepdim)


def min(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest element, or with `dim` the pair (values, indices) along it."""
    if dim is None:
        return amin(x, None, keepdim)
    return _values_indices(x, dim, _arg("min", np.argmin, x, dim, True), keepdim)


def logsumexp(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return log(sum(exp(x))) along `dim`, without overflow.

    Maths: the largest element m is taken out first, log(sum(exp(x - m))) + m.
    """
    dims = normalise_dims("logsumexp", dim, x.ndim)
    _check_not_empty("logsumexp", x.shape, dims)
    largest = np.max(x.array, axis=dims, keepdims=True) if dims else x.array
    shift = Tensor(np.where(np.isfinite(largest), largest, 0.0).astype(x.dtype))
    y = (x - shift).exp().sum(dims, keepdim=True).log() + shift
    return y if keepdim else y.squeeze(dims)


def any(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return whether any element along `dim` differs from zero."""
    dims = normalise_dims("any", dim, x.ndim)
    return Tensor(np.asarray(np.any(x.array, axis=dims, keepdims=keepdim), bool_))


def all(x: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return whether all elements along `dim` differ from zero."""
    dims = normalise_dims("all", dim, x.ndim)
    return Tensor(np.asarray(np.all(x.array, axis=dims, keepdims=keepdim), bool_))
