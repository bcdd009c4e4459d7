"""Arrays and devices: which array module holds the numbers, and how much memory there is.

NumPy is the one array module; everything above asks this room for it, so that another one has
one place to come in. Not here: promotion between dtypes (dtypes.py) and arithmetic (kernels/).
Next room: errors.py.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
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


@lru_cache(maxsize=1)
def memory_limit() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its container's.

    >>> memory_limit() > 0
    True
    """
    limits = [sys.maxsize]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(*limits, *container_limits(Path("/")))


def container_limits(root: Path) -> list[int]:
    """Return the limits of the control groups that this process is in, and of those above them.

    Version 2 has one tree, whose files are `memory.max`; version 1 has a tree for memory alone.
    `root` holds `proc` and `sys`.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, inside = line.split(":", 2)
        if controllers == "":
            tree, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            tree, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        folder = tree / inside.lstrip("/")
        for place in (folder, *folder.parents):
            if place.is_relative_to(tree) and (file := place / name).is_file():
                text = file.read_text().strip()
                limits += [int(text)] if text.isdigit() else []  # else it is "max"
    return limits
