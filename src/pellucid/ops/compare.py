"""Comparisons and logic: bool tensors, through which no gradient passes.

Next room: elementwise.py for promotion and broadcasting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.ops.elementwise import check_divisor, promote
from pellucid.tensor import Operand, Tensor


def _compare(op: str, function: Callable[..., Any], a: Any, b: Any) -> Tensor:
    a, b = promote(op, a, b)
    return Tensor(np.asarray(function(a.array, b.array)))


def eq(a: Operand, b: object) -> Tensor:
    """Return whether a = b, for each pair of elements."""
    return _compare("eq", np.equal, a, b)


def ne(a: Operand, b: object) -> Tensor:
    """Return whether a and b differ, for each pair of elements."""
    return _compare("ne", np.not_equal, a, b)


def lt(a: Operand, b: Operand) -> Tensor:
    """Return whether a < b, for each pair of elements."""
    return _compare("lt", np.less, a, b)


def le(a: Operand, b: Operand) -> Tensor:
    """Return whether a <= b, for each pair of elements."""
    return _compare("le", np.less_equal, a, b)


def gt(a: Operand, b: Operand) -> Tensor:
    """Return whether a > b, for each pair of elements."""
    return _compare("gt", np.greater, a, b)


def ge(a: Operand, b: Operand) -> Tensor:
    """Return whether a >= b, for each pair of elements."""
    return _compare("ge", np.greater_equal, a, b)


def logical_and(a: Operand, b: Operand) -> Tensor:
    """Return whether both differ from zero."""
    return _compare("logical_and", np.logical_and, a, b)


def logical_or(a: Operand, b: Operand) -> Tensor:
    """Return whether at least one differs from zero."""
    return _compare("logical_or", np.logical_or, a, b)


def logical_xor(a: Operand, b: Operand) -> Tensor:
    """Return whether exactly one differs from zero."""
    return _compare("logical_xor", np.logical_xor, a, b)


def logical_not(x: Tensor) -> Tensor:
    """Return whether each element is zero."""
    return Tensor(np.logical_not(x.array))


def isnan(x: Tensor) -> Tensor:
    """Return whether each element is NaN."""
    return Tensor(np.isnan(x.array))


def isfinite(x: Tensor) -> Tensor:
    """Return whether each element is neither infinite nor NaN."""
    return Tensor(np.isfinite(x.array))


def floor_divide(a: Operand, b: Operand) -> Tensor:
    """Return the largest integer that is not above a / b; it has no gradient.

    Raises: ArgumentError for integers divided by zero.
    """
    a, b = promote("floor_divide", a, b)
    check_divisor("floor_divide", b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Tensor(np.asarray(np.floor_divide(a.array, b.array)))
