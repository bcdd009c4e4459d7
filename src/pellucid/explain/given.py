"""The arrays that a user gives to evaluate an equation: which are needed, and their shapes.

Not here: the arithmetic (sums.py). Next room: expression.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.errors import ArgumentError, ShapeError, named_shape
from pellucid.explain.notation import Names
from pellucid.tensor import Tensor


def ready(
    what: str, names: Names, needed: Sequence[str], arrays: Mapping[str, Any]
) -> dict[str, Array]:
    """Return the arrays that are needed for `what`, held to their shapes.

    Raises: ArgumentError for an array that is missing or not of the problem, ShapeError.
    """
    known = names.arrays
    keys = [key for name in known for key in (name, f"g{name}")]
    if unknown := [name for name in arrays if name not in keys]:
        raise ArgumentError(
            "evaluate", f"{what} has no array '{unknown[0]}'", fix=f"give some of {', '.join(keys)}"
        )
    if missing := [key for key in needed if arrays.get(key) is None]:
        raise ArgumentError(
            "evaluate",
            f"{what} is made of {' and '.join(needed)}, but {missing[0]} is not given",
            fix=f"give {missing[0]}= as an array or a tensor",
        )
    found = {}
    for key in needed:
        value = arrays[key]
        array = value.array if isinstance(value, Tensor) else np.asarray(value)
        named = known[key if key in known else key[1:]]
        if array.shape != named.shape:
            raise ShapeError(
                "evaluate",
                f"{key} has the shape {array.shape}, but the problem has {named.shape}",
                named_shape(key, named.sizes, named.shape),
                fix=f"reshape {key}",
            )
        found[key] = array
    return found
