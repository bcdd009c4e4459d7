"""Winograd's minimal filtering: most kernels by a fraction of the multiplications.

Six inputs give four outputs of three taps with six products where the direct sum takes twelve, and
along both axes of an image 36 where it takes 144. A kernel is cut into parts of 3x3, 4x4 or 5x5
taps, each a small convolution at stride 1: the taps that a stride or a dilation brings together,
and in three axes those of each depth. Forward and grad_input of 3x3 take 4 times fewer products,
5x5 2.8 times, 7x7 3 times, 3 taps of one axis 2 times; grad_weight the same, with gy in the place
of the weights (docs/maths.md, 13). The rounding is four times that of the direct sum, and integers
are no longer exact: `set_winograd(False)` or PELLUCID_WINOGRAD=0 switch it off.
Cost: the transform of the weights is part of every call.
Next room: direct.py, then native/conv_winograd.cpp.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from math import prod

from pellucid.dtypes import DType
from pellucid.kernels.conv import direct
from pellucid.kernels.conv.correlation import forward_plan, phases
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.native import module

_LEAST_CHANNELS = 16  # of both sides: with fewer, the transforms cost more than they save
_MOST_PRODUCTS = 0.52  # of grad_weight, whose sums lie further apart with each part

_enabled = os.environ.get("PELLUCID_WINOGRAD") != "0"


def set_winograd(enabled: bool) -> None:
    """Let convolutions be computed by Winograd's algorithm, as they are at first, or not.

    >>> import pellucid
    >>> pellucid.set_winograd(False)
    >>> pellucid.set_winograd(True)
    """
    global _enabled  # noqa: PLW0603  the one process-wide switch
    _enabled = bool(enabled)


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
    """Say why not: few channels, or it is switched off."""
    if not _enabled:
        return "switched off by set_winograd or PELLUCID_WINOGRAD"
    if min(spec.in_channels, spec.out_channels) < _LEAST_CHANNELS * spec.groups:
        return f"fewer than {_LEAST_CHANNELS} channels in a group"
    if direction == "grad_weight" and products(spec, direction) > _MOST_PRODUCTS:
        return "its sums cost what it saves"
    return None


@lru_cache(maxsize=1024)
def products(spec: ConvSpec, direction: Direction) -> float:
    """Return the products that it takes, as a part of those of the direct sum.

    >>> products(ConvSpec.parse("n8 c64 i56x56 o64 k3 p1"), "forward")
    0.25
    """
    if direction != "grad_input":
        return module.winograd_part(forward_plan(spec), spec.axes)
    # Every phase of gx has taps of its own; some of them may be computed directly.
    taken = all_of_them = 0.0
    for phase in phases(spec):
        if phase.plan is not None:
            direct_products = prod(taps * pixels for taps, pixels in phase.sizes)
            taken += direct_products * module.winograd_part(phase.plan, spec.axes)
            all_of_them += direct_products
    return taken / all_of_them if all_of_them else 1.0


forward = partial(direct.forward, algorithm=direct.Native.WINOGRAD)
grad_input = partial(direct.grad_input, algorithm=direct.Native.WINOGRAD)
grad_weight = partial(direct.grad_weight, algorithm=direct.Native.WINOGRAD)
