"""Every direction as a correlation: which taps reach which inputs, as native kernels are told.

    y[n, q, o] = b[o] + sum over taps t and channels c of x[n, q step + offset[t], c] w[o, c, t]

forward: step s, tap u at offset u d - p_low. grad_input: one correlation over gy for each phase
rho = (h + p_low) mod s, with step 1 and the taps u with u d = rho (mod s), at offset
q0 - (u d - rho) / s, stored to every s-th pixel of gx; a phase without taps is 0
(docs/maths.md, 10).
Plans are rows of 64-bit integers, made once for a spec and kept for the last thousand of them.
Next room: native/conv.hpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pellucid.kernels.conv.spec import ConvSpec


class Phase(NamedTuple):
    """A part of gx and the correlation that fills it; no plan where no tap reaches it."""

    part: tuple[slice, ...]
    plan: bytes | None
    sizes: tuple[tuple[int, int], ...] = ()  # of each axis: taps, pixels


_MOST = 2**63 - 1  # of a number of a plan


def _head(spec: ConvSpec, in_channels: int, out_channels: int) -> list[int]:
    """The numbers of all axes together. That of the multiply-adds only says whether they are many.

    Images may lie on top of each other in memory, so there may be more than 64 bits can count.
    """
    G = spec.groups
    return [spec.batch, G, in_channels // G, out_channels // G, min(spec.macs, _MOST)]


def _axis(size: int, out: int, step: int, taps: list[tuple[int, int]]) -> list[int]:
    """The numbers of one axis; taps are (offset, place in the kernel), in order of offset.

    With one output there is no step, which may be far larger than x.
    """
    offsets, places = zip(*sorted(taps), strict=True)
    return [size, out, step if out > 1 else 1, len(taps), *offsets, *places]


@lru_cache(maxsize=1024)
def forward_plan(spec: ConvSpec) -> bytes:
    """Return the plan of y, and of gw, which sums over the same meetings of x and gy."""
    numbers = _head(spec, spec.in_channels, spec.out_channels)
    for size, out, k, s, d, (low, _) in zip(
        spec.in_size, spec.out_size, spec.kernel, spec.stride, spec.dilation, spec.padding,
        strict=True,
    ):  # fmt: skip
        numbers += _axis(size, out, s, [(u * d - low, u) for u in range(k)])
    return np.array(numbers, np.int64).tobytes()


# Which pixels, how many, and their taps: (offset, place in the kernel).
_AxisPhase = tuple[slice, int, list[tuple[int, int]]]


def _axis_phases(size: int, k: int, s: int, d: int, low: int) -> list[_AxisPhase]:
    """For each phase of one axis: which pixels, how many, and their taps."""
    found = []
    for first in range(min(s, size)):  # the first pixel of each phase that has one
        q0, rho = divmod(first + low, s)
        taps = [(q0 - (u * d - rho) // s, u) for u in range(k) if (u * d - rho) % s == 0]
        found.append((slice(first, None, s), -(-(size - first) // s), taps))
    return found


def _combinations(
    sizes: tuple[int, ...], axes: list[list[_AxisPhase]]
) -> Iterator[tuple[_AxisPhase, ...]]:
    """Yield a phase of each axis; where one has no taps, with all pixels of the axes behind it."""
    if not axes:
        yield ()
        return
    for phase in axes[0]:
        if phase[2]:
            yield from ((phase, *rest) for rest in _combinations(sizes[1:], axes[1:]))
        else:
            yield (phase, *((slice(None), size, []) for size in sizes[1:]))


@lru_cache(maxsize=1024)
def phases(spec: ConvSpec) -> list[Phase]:
    """Return the correlations over gy that together make gx."""
    head = _head(spec, spec.out_channels, spec.in_channels)
    axes = [
        _axis_phases(size, k, s, d, low)
        for size, k, s, d, (low, _) in zip(
            spec.in_size, spec.kernel, spec.stride, spec.dilation, spec.padding, strict=True
        )
    ]
    found = []
    for combination in _combinations(spec.in_size, axes):
        part = (slice(None), slice(None), *[pixels for pixels, _, _ in combination])
        if not all(taps for _, _, taps in combination):
            found.append(Phase(part, None))
            continue
        numbers = list(head)
        for out, (_, count, taps) in zip(spec.out_size, combination, strict=True):
            numbers += _axis(out, count, 1, taps)
        sizes = tuple((len(taps), count) for _, count, taps in combination)
        found.append(Phase(part, np.array(numbers, np.int64).tobytes(), sizes))
    return found


@lru_cache(maxsize=1024)
def bias_plan(spec: ConvSpec, sizes: tuple[int, ...]) -> bytes:
    """Return the plan of pixels of gx that no tap reaches: a correlation of no channels."""
    numbers = [*_head(spec, 0, spec.in_channels)]
    for size in sizes:
        numbers += _axis(size, size, 1, [(0, 0)])
    return np.array(numbers, np.int64).tobytes()
