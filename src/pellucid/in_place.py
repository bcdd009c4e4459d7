"""What a change in place may do to the memory of a tensor, and what it may not.

Not here: the methods that change a tensor, and its version (tensor.py). Next room: tensor.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.errors import DTypeError, GraphError, ShapeError

_RANKS = {"b": 0, "u": 1, "i": 1, "f": 2}  # of the kinds of dtypes: a float holds an integer


def write(
    op: str, array: Array, value: Array | bool | int | float, key: Any, recorded: bool
) -> None:
    """Write a value into `array[key]`.

    Raises: GraphError for memory that a graph records, or that cannot be written; DTypeError for a
    number that the dtype does not hold; ShapeError for values that do not fit.
    """
    if recorded:
        raise GraphError(
            op,
            f"the tensor of shape {array.shape} requires grad, and a change in place is not "
            "recorded",
            fix="compute a new tensor (pellucid.where), or change it inside no_grad()",
        )
    if not array.flags.writeable:
        raise GraphError(
            op,
            f"the memory of the tensor of shape {array.shape} is read-only or repeated",
            fix="change a clone()",
        )
    try:
        array[key] = value
    except (ValueError, OverflowError):
        found, room = np.shape(value), array[key].shape
        if found == ():
            raise DTypeError(
                op, f"{value} does not fit into {array.dtype}", fix="use a wider dtype"
            ) from None
        raise ShapeError(
            op, f"values of shape {found} do not fit into shape {room}", fix="reshape them"
        ) from None


def check_kind(op: str, result: DType, own: DType) -> None:
    """Refuse the result of arithmetic whose kind the tensor does not hold, a float in integers.

    Raises: DTypeError.
    """
    if _RANKS[result.kind] > _RANKS[own.kind]:
        raise DTypeError(
            op,
            f"the result is {result}, and a tensor of {own} would cut it off",
            fix="compute a new tensor, or change one of the wider dtype",
        )
