"""Options of layers, held to what they may be.

Not here: what an option means (the layers). Next room: linear.py.
"""

from __future__ import annotations

import operator
from typing import Any

from pellucid.errors import ArgumentError


def whole(owner: str, name: str, value: Any, least: int) -> int:
    """Return an option if it is a whole number of at least `least`.

    Raises: ArgumentError.

    >>> whole("Linear", "in_features", 8, least=0)
    8
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentError(
            owner, f"{name}={value!r} is no whole number", fix=f"use {least} or more"
        ) from None
    if number < least:
        raise ArgumentError(
            owner, f"{name}={value} is less than {least}", fix=f"use {least} or more"
        )
    return number
