"""Whether a convolution fits into memory, said before anything is allocated.

Each algorithm states with `workspace` what it takes at most beside its result. What it cannot read
as it lies, it copies (kernels/layout.py). All products are Python's integers, which do not
overflow, and nothing beyond this check is larger than what was checked.
Next room: spec.py.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import TypeAlias

from pellucid.backend import Array, memory_limit
from pellucid.dtypes import DType
from pellucid.errors import OutOfMemoryError
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.layout import has_adjacent_channels, has_adjacent_taps, is_channels_last

Workspace: TypeAlias = Callable[[ConvSpec, Direction, DType], int]

_RESULT = {"forward": "y", "grad_input": "gx", "grad_weight": "gw"}


def check_memory(
    spec: ConvSpec, direction: Direction, workspace: Workspace, **arrays: Array
) -> None:
    """Hold the result, the workspace and the copies of inputs to the memory that there is.

    Raises: OutOfMemoryError, which names the bytes and the largest batch that fits.
    """
    there = memory_limit()
    needs = _needs(spec, direction, workspace, arrays)
    if sum(needs.values()) <= there:
        return

    def too_many(batch: int) -> bool:
        fewer = replace(spec, batch=batch)
        return sum(_needs(fewer, direction, workspace, arrays).values()) > there

    # Of 1 ... batch, those that fit come first.
    largest = bisect_left(range(1, spec.batch + 1), True, key=too_many)
    raise OutOfMemoryError(
        spec.op,
        f"{direction} needs {_bytes(sum(needs.values()))}, "
        f"but this machine or its container has {_bytes(there)}",
        *_facts(needs),
        str(spec),
        fix=f"use a batch of at most {largest}"
        if largest
        else "no batch fits: use smaller images, fewer channels or a smaller kernel",
    )


def no_memory(
    spec: ConvSpec, direction: Direction, workspace: Workspace, **arrays: Array
) -> OutOfMemoryError:
    """Return the error for memory that there should be, and that the system does not grant."""
    needs = _needs(spec, direction, workspace, arrays)
    return OutOfMemoryError(
        spec.op,
        f"{direction} needs {_bytes(sum(needs.values()))}, which the system does not grant",
        *_facts(needs),
        str(spec),
        fix=f"free other arrays, or use a batch of less than {spec.batch}",
    )


def _needs(
    spec: ConvSpec, direction: Direction, workspace: Workspace, arrays: dict[str, Array]
) -> dict[str, int]:
    """Return how many bytes the result takes, those of workspace, and those of each copy."""
    result, dtype = _RESULT[direction], next(iter(arrays.values())).dtype
    needs = {
        result: dtype.itemsize * prod(spec.shapes[result]),
        "workspace": workspace(spec, direction, dtype),
    }
    for name, array in arrays.items():
        if name == "w":
            as_it_lies = has_adjacent_taps(array)
        elif (direction, name) == ("grad_weight", "gy"):
            as_it_lies = is_channels_last(array)
        else:
            as_it_lies = has_adjacent_channels(array)
        if not as_it_lies:
            needs[f"a copy of {name}"] = dtype.itemsize * prod(spec.shapes[name])
    return needs


def _facts(needs: dict[str, int]) -> list[str]:
    return [f"{name}: {_bytes(size)}" for name, size in needs.items()]


def _bytes(size: int) -> str:
    return f"{size:,} bytes"
