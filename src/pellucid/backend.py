"""Arrays and devices: which array module holds the numbers, and which dtypes they may have.

NumPy is the one array module; everything above asks this room for it, so that another one has
one place to come in. Not here: promotion between dtypes (dtypes.py) and arithmetic (kernels/).
Next room: errors.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pellucid.errors import DeviceError

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Device:
    """Where the numbers of a tensor lie; `str(device)` is `cpu`."""

    type: str = "cpu"

    def __str__(self) -> str:
        return self.type

    def __repr__(self) -> str:
        return f"device(type='{self.type}')"


CPU = Device()


def device(name: str | Device = "cpu") -> Device:
    """Return the device of that name.

    Raises: DeviceError for every name but `cpu`.

    >>> device("cpu")
    device(type='cpu')
    """
    if str(name) != "cpu":
        raise DeviceError(
            "device", f"there is no device '{name}': pellucid computes on the CPU", fix="use 'cpu'"
        )
    return CPU


def native(array: Array) -> Array:
    """Return `array` in this machine's byte order and aligned, copied only where it must be."""
    if array.dtype.isnative and array.flags.aligned:
        return array
    return np.array(array, dtype=array.dtype.newbyteorder("="))
