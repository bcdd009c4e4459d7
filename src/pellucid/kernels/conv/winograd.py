"""Winograd's minimal filtering: most kernels by a fraction of the multiplications.

Six inputs give four outputs of three taps with six products where the direct sum takes twelve, and
along both axes of an image 36 where it takes 144. A kernel is cut into parts of 3x3, 4x4 or 5x5
taps, each a small convolution at stride 1: the taps that a stride or a dilation brings together,
and in three axes those of each depth. Forward and grad_input of 3x3 take 4 times fewer products,
5x5 2.8 times, 7x7 3 times, 3 taps of one axis 2 times; grad_weight the same, with gy in the place
of the weights (docs/maths.md, 13). The rounding is four times that of the direct sum, and integers
are no longer exact: `set_winograd(False)` or PELLUCID_WINOGRAD=0 switch it off.
Cost: the transform of the weights is part of every call, but with `PackedWeights`.
Next room: direct.py, then native/conv_winograd.cpp.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from math import ceil, prod

from pellucid.dtypes import DType
from pellucid.kernels.conv import direct
from pellucid.kernels.conv.correlation import forward_plan, phases
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.native import get_num_threads, module

_CACHE_LINE = 64  # bytes, and of the longest vector
_SHARED = 64 << 20  # bytes of all tiles at most
_LEAST_CHANNELS = 16  # of both sides: with fewer, the transforms cost more than they save
_MOST_PRODUCTS = 0.52  # of grad_weight, whose sums lie further apart with each part
# In more groups than so many, the pixels of one group lie far apart in memory.
_MANY_GROUPS, _LEAST_IN_MANY = 8, 20
# Of grad_weight, which transforms its result back. The others must not choose by the batch: n8 has
# the bits of 4 + 4.
_LEAST_PIXELS = 160

switched_on = os.environ.get("PELLUCID_WINOGRAD") != "0"


def set_winograd(enabled: bool) -> None:
    """Let convolutions be computed by Winograd's algorithm, as they are at first, or not.

    >>> import pellucid
    >>> pellucid.set_winograd(False)
    >>> pellucid.set_winograd(True)
    """
    global switched_on  # noqa: PLW0603  the one process-wide switch
    switched_on = bool(enabled)


def refuses(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: an unusual padding, or a kernel whose parts save too little."""
    if module is None:
        return "the native module was not built"
    if not all(
        0 <= end <= d * (k - 1)
        for k, d, ends in zip(spec.kernel, spec.dilation, spec.padding, strict=True)
        for end in ends
    ):
        # Elements that no window meets would still be part of the tiles, and of their rounding.
        return "the padding crops x, or is as wide as the kernel"
    if products(spec, direction) == 1:
        return "it would hardly save multiplications"
    return None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: few channels or pixels, or it is switched off."""
    if not switched_on:
        return "switched off by set_winograd or PELLUCID_WINOGRAD"
    many = spec.groups > _MANY_GROUPS and direction != "grad_weight"
    least = _LEAST_IN_MANY if many else _LEAST_CHANNELS
    if min(spec.in_channels, spec.out_channels) < least * spec.groups:
        return f"fewer than {least} channels in a group"
    if direction == "grad_weight":
        if products(spec, direction) > _MOST_PRODUCTS:
            return "its sums cost what it saves"
        if spec.batch * prod(spec.out_size) < _LEAST_PIXELS:
            return f"fewer than {_LEAST_PIXELS} pixels of gy"
    return None


def products(spec: ConvSpec, direction: Direction) -> float:
    """Return the products that it takes, as a part of those of the direct sum.

    >>> products(ConvSpec.parse("n8 c64 i56x56 o64 k3 p1"), "forward")
    0.25
    """
    taken, directly = _products(spec, direction)
    return taken / directly if directly else 1.0


@lru_cache(maxsize=1024)
def _products(spec: ConvSpec, direction: Direction) -> tuple[float, float]:
    """Return its products and those of the direct sum, of all pixels and taps of two channels."""
    if direction != "grad_input":
        directly = prod(spec.out_size) * prod(spec.kernel)
        return directly * module.winograd_part(forward_plan(spec), spec.axes), directly
    # Every phase of gx has taps of its own; some of them may be computed directly.
    taken = all_of_them = 0.0
    for phase in phases(spec):
        if phase.plan is not None:
            directly = prod(taps * pixels for taps, pixels in phase.sizes)
            taken += directly * module.winograd_part(phase.plan, spec.axes)
            all_of_them += directly
    return taken, all_of_them


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result.

    It saves a factor of 1.8, so 36 points of each part are at most 9 numbers for a tap. forward and
    grad_input: those of all weights, or at most 64 MiB of all tiles of x; in each thread those of a
    block of tiles and of 64 outputs of them. grad_weight: at most 64 MiB of all tiles of x and gy;
    in each thread a block of both and the sums of a chunk of gw; partial sums where there are few
    chunks. Groups that are computed at the same time take as much each.
    """
    C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    if direction == "grad_input":
        C, O = O, C
    item, taps, threads = dtype.itemsize, prod(spec.kernel), get_num_threads()
    taken, _ = _products(spec, direction)
    tiles = item * spec.batch * ceil(taken)  # bytes, of one channel
    size = _gradient_sizes if direction == "grad_weight" else _correlation_sizes
    shared, job = size(C, O, taps, tiles, item)
    at_once = threads if spec.groups >= threads else 1
    # Planes lie an odd number of cache lines apart.
    shared += 36 * 128 * (C + O + 2)
    needs = direct.pooled(at_once * shared + threads * (job + 64 * 1024 + 1024 * taps))
    return max(
        needs, direct.workspace(spec, direction, dtype)
    )  # of phases that it leaves to direct


def _correlation_sizes(C: int, O: int, taps: int, tiles: int, item: int) -> tuple[int, int]:
    """Return the bytes of V or U, which all jobs share, and those of one job."""
    C, O = (
        direct.rounded_up(C, _CACHE_LINE // item),
        direct.rounded_up(O, direct.TILE_BYTES // item),
    )
    shared = max(item * 9 * taps * C * O, min(_SHARED, tiles * C))
    # V of 24 tiles or 2 MiB of them, or U of a panel of 128; M of 64 outputs of 48 tiles, or of all
    # where V is shared, which are at most 1158.
    v_or_u = max(2 << 20, item * 36 * 128 * 64, item * 24 * 9 * taps * C)
    return shared, v_or_u + 64 * max(item * 36 * 48, min(item * 36 * 1158, tiles))


def _gradient_sizes(C: int, O: int, taps: int, tiles: int, item: int) -> tuple[int, int]:
    """Return the bytes of V, W and partial sums, which all jobs share, and those of one job."""
    lanes = _CACHE_LINE // item
    outputs = min(64, direct.rounded_up(O, lanes))
    deep = max(36 * 64, 9 * taps * lanes)  # of a chunk of channels in all parts
    sums = item * deep * outputs
    shared = min(_SHARED, tiles * (2 * C + 2 * O + 2 * lanes))
    job = sums + item * 48 * (deep + 36 * outputs)
    return shared + direct.most_partial_sums(sums), job


forward = partial(direct.forward, algorithm=direct.Native.WINOGRAD)
grad_input = partial(direct.grad_input, algorithm=direct.Native.WINOGRAD)
grad_weight = partial(direct.grad_weight, algorithm=direct.Native.WINOGRAD)
