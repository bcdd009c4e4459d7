"""How tensors are made: from data, from shapes, from random numbers.

`tensor` copies, `from_numpy` and `from_dlpack` share. Next room: tensor.py.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pellucid.backend import Array, native
from pellucid.dtypes import DEFAULT_FLOAT, DType, as_dtype, int64, is_float
from pellucid.errors import ArgumentError, DTypeError, ShapeError
from pellucid.random import next_generator
from pellucid.tensor import Scalar, Tensor


def tensor(data: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor with a copy of `data`: numbers, nested lists, an array or a tensor.

    Python floats become float32; arrays keep their dtype.
    Raises: ShapeError for ragged lists, DTypeError for what no tensor can hold.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> tensor([0.5]).dtype
    dtype('float32')
    """
    source = data.array if isinstance(data, Tensor) else data
    keeps = isinstance(source, (np.ndarray, np.generic))
    try:
        if isinstance(source, (list, tuple)):
            source = [x.array if isinstance(x, Tensor) else x for x in source]
        array = np.array(source)
    except ValueError:
        raise ShapeError(
            "tensor", "the nested lists have different lengths", fix="make all rows equally long"
        ) from None
    if dtype is None and not keeps and is_float(array.dtype):
        dtype = DEFAULT_FLOAT
    target = as_dtype(array.dtype if dtype is None else dtype, "tensor")
    return Tensor(array.astype(target, copy=False), requires_grad)


def from_numpy(array: Array) -> Tensor:
    """Return a tensor that shares the memory of `array`.

    An array in foreign byte order or misaligned is copied.
    """
    if not isinstance(array, np.ndarray):
        raise DTypeError(
            "from_numpy",
            f"{type(array).__name__} is no NumPy array",
            fix="use pellucid.tensor, which copies",
        )
    as_dtype(array.dtype, "from_numpy")
    return Tensor(native(array))


def from_dlpack(source: Any) -> Tensor:
    """Return a tensor that shares memory with any object of the DLPack protocol on the CPU."""
    return from_numpy(np.from_dlpack(source))


def _shape(op: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Accept `zeros(2, 3)` and `zeros((2, 3))` alike."""
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    try:
        found = tuple([operator.index(size) for size in sizes])
    except TypeError:
        raise ShapeError(
            op, f"shape {tuple(sizes)} is not made of whole numbers", fix="use whole numbers"
        ) from None
    if any(size < 0 for size in found):
        raise ShapeError(op, f"shape {found} has a negative size", fix="use sizes of 0 or more")
    return found


def _float(dtype: npt.DTypeLike | None) -> DType:
    return DEFAULT_FLOAT if dtype is None else as_dtype(dtype)


def empty(*shape: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor whose elements are whatever its memory holds."""
    return Tensor(np.empty(_shape("empty", shape), _float(dtype)), requires_grad)


def zeros(*shape: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of zeros."""
    return Tensor(np.zeros(_shape("zeros", shape), _float(dtype)), requires_grad)


def ones(*shape: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of ones."""
    return Tensor(np.ones(_shape("ones", shape), _float(dtype)), requires_grad)


def full(
    shape: Sequence[int],
    value: Scalar,
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor with `value` everywhere, in the dtype of a tensor of that number."""
    found = tensor(value).dtype if dtype is None else as_dtype(dtype)
    return Tensor(np.full(_shape("full", tuple(shape)), value, found), requires_grad)


def zeros_like(
    x: Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Return zeros in the shape, dtype and layout of x."""
    return Tensor(np.zeros_like(x.array, dtype), requires_grad)


def ones_like(x: Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return ones in the shape, dtype and layout of x."""
    return Tensor(np.ones_like(x.array, dtype), requires_grad)


def arange(start: Scalar, end: Scalar | None = None, step: Scalar = 1, **options: Any) -> Tensor:
    """Return start, start + step, ... below `end`; one argument counts from 0."""
    if step == 0:
        raise ArgumentError("arange", "step=0 goes nowhere", fix="use another step")
    first, last = (0, start) if end is None else (start, end)
    return tensor(np.arange(first, last, step).tolist() or np.empty(0, int64), **options)


def linspace(start: float, end: float, steps: int, **options: Any) -> Tensor:
    """Return `steps` numbers from `start` to `end`, equally far apart."""
    return tensor(np.linspace(start, end, steps).tolist(), **options)


def eye(n: int, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return the n x n identity matrix."""
    return Tensor(np.eye(n, dtype=_float(dtype)), requires_grad)


def rand(*shape: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return numbers drawn uniformly from [0, 1)."""
    numbers = next_generator().random(_shape("rand", shape))
    return Tensor(np.asarray(numbers, _float(dtype)), requires_grad)


def randn(*shape: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Return numbers drawn from the standard normal distribution."""
    numbers = next_generator().standard_normal(_shape("randn", shape))
    return Tensor(np.asarray(numbers, _float(dtype)), requires_grad)


def randint(low: int, high: int, shape: Sequence[int]) -> Tensor:
    """Return int64 numbers drawn uniformly from low .. high - 1."""
    if high <= low:
        raise ArgumentError(
            "randint", f"there is no integer from {low} to below {high}", fix="use high > low"
        )
    return Tensor(next_generator().integers(low, high, _shape("randint", tuple(shape))))


def randperm(n: int) -> Tensor:
    """Return 0 .. n - 1 in random order."""
    return Tensor(next_generator().permutation(n))
