"""The dtypes of tensors and their promotion, which is `torch.result_type`.

A dtype is NumPy's own (`pellucid.float32 == numpy.float32`). Only tensors with axes decide the
width within a kind; 0-d tensors and scalars, Python's and NumPy's, never widen them.
Not here: casting a tensor (ops/shape.py). Next room: errors.py.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pellucid.errors import DTypeError, UnsupportedError

DType: TypeAlias = np.dtype[Any]

float32: DType = np.dtype("float32")
float64: DType = np.dtype("float64")
int8: DType = np.dtype("int8")
int16: DType = np.dtype("int16")
int32: DType = np.dtype("int32")
int64: DType = np.dtype("int64")
uint8: DType = np.dtype("uint8")
bool_: DType = np.dtype("bool")

_SUPPORTED = (float32, float64, int64, int32, int16, int8, uint8, bool_)
_NAMES = ", ".join(d.name for d in _SUPPORTED)
DEFAULT_FLOAT = float32


def as_dtype(dtype: npt.DTypeLike, op: str = "dtype") -> DType:
    """Return `dtype` as one of the supported dtypes.

    Raises: UnsupportedError for float16, DTypeError for all else that tensors cannot hold.

    >>> as_dtype("float64")
    dtype('float64')
    """
    try:
        found: DType = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        raise DTypeError(op, f"{dtype!r} is not a dtype", fix=f"use one of {_NAMES}") from None
    if found in _SUPPORTED:
        return found
    if found == np.float16:
        raise UnsupportedError(op, "there is no float16 arithmetic", fix="use float32")
    raise DTypeError(op, f"tensors cannot hold {found}", fix=f"use one of {_NAMES}")


def is_float(dtype: DType) -> bool:
    """Whether gradients can flow through this dtype."""
    return dtype.kind == "f"


def promote_types(a: DType, b: DType) -> DType:
    """Return the dtype that holds both kinds, where any float beats any integer.

    >>> promote_types(int64, float32)  # NumPy alone would say float64
    dtype('float32')
    """
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    return np.promote_types(a, b)


def _combine(higher: DType | None, lower: DType | None) -> DType | None:
    """Let `lower` count only where it is of a higher kind (bool < integer < float)."""
    if higher is None or lower is None:
        return higher if lower is None else lower
    if is_float(higher):
        return higher
    if higher == bool_ or is_float(lower):
        return promote_types(higher, lower)
    return higher


def _scalar_dtype(value: object) -> DType:
    """The dtype that a scalar counts as: its kind at the default width."""
    if isinstance(value, (bool, np.bool_)):
        return bool_
    if isinstance(value, (int, np.integer)):
        return int64
    return DEFAULT_FLOAT


def result_type(*operands: Any) -> DType:
    """Return the dtype that an op on these tensors, arrays and scalars computes in.

    The rule is PyTorch's: first the tensors with axes are promoted among themselves, then the
    0-d ones, then the scalars; a later group counts only where it is of a higher kind.

    >>> result_type(np.zeros(3, np.float32), 2.5, np.float64(1))
    dtype('float32')
    >>> result_type(np.zeros(3, np.int64), 2.5)
    dtype('float32')
    """
    groups: list[DType | None] = [None, None, None]
    for value in operands:
        if isinstance(value, (bool, int, float, np.generic)):
            rank, dtype = 2, _scalar_dtype(value)
        else:
            rank, dtype = (0 if value.ndim else 1), value.dtype
        known = groups[rank]
        groups[rank] = dtype if known is None else promote_types(known, dtype)
    found = _combine(groups[0], _combine(groups[1], groups[2]))
    return DEFAULT_FLOAT if found is None else found
