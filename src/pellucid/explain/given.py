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

    One that is not given is made of others where `names` knows how.
    Raises: ArgumentError for an array that is missing or not of the problem, ShapeError.
    """
    known = names.arrays
    keys = [key for name in known for key in (name, f"g{name}")]
    if unknown := [name for name in arrays if name not in keys]:
        raise ArgumentError(
            "evaluate", f"{what} has no array '{unknown[0]}'", fix=f"give some of {', '.join(keys)}"
        )
    found: dict[str, Array] = {}
    for key in needed:
        _find(key, what, needed, names, arrays, found)
    return {key: found[key] for key in needed}


def _find(
    key: str,
    what: str,
    needed: Sequence[str],
    names: Names,
    arrays: Mapping[str, Any],
    found: dict[str, Array],
) -> None:
    """Put an array into `found`: the given one, or one made of others."""
    value = arrays.get(key)
    if value is not None:
        found[key] = _shaped(key, value, names)
    elif key in names.made:
        needs, make = names.made[key]
        for other in needs:
            _find(other, what, needed, names, arrays, found)
        found[key] = make(*(found[other].astype(np.float64) for other in needs))
    else:
        raise ArgumentError(
            "evaluate",
            f"{what} is made of {' and '.join(needed)}, but {key} is not given",
            fix=f"give {key}= as an array or a tensor",
        )


def _shaped(key: str, value: Any, names: Names) -> Array:
    """Return a given array, held to its shape."""
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    named = names.arrays[key if key in names.arrays else key[1:]]
    if array.shape != named.shape:
        raise ShapeError(
            "evaluate",
            f"{key} has the shape {array.shape}, but the problem has {named.shape}",
            named_shape(key, named.sizes, named.shape),
            fix=f"reshape {key}",
        )
    return array
