"""Winograd's minimal filtering: 3x3 and 5x5 kernels at stride 1 by a fraction of the products.

F(4x4, 3x3) needs 4 times fewer of them and F(2x2, 5x5) 2.8 times, forward and in grad_input; so do
F(3x3, 4x4) and F(5x5, 2x2) in grad_weight, all on the points 0, +-5/8, +-3/2, infinity
(docs/maths.md, 13). The rounding is four times that of the direct sum, and integers are no longer
exact: `set_winograd(False)` or PELLUCID_WINOGRAD=0 switch it off.
Cost: the transform of the weights is part of every call.
Next room: direct.py, then native/conv_winograd.cpp.
"""

from __future__ import annotations

import os
from functools import partial

from pellucid.dtypes import DType
from pellucid.kernels.conv import direct
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.native import get_num_threads, module

_KERNELS = ((3, 3), (5, 5))
_LEAST_CHANNELS = 16  # of both sides: with fewer, the transforms cost more than they save

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
    """Say why not: another kernel, a stride, a dilation, groups, or an unusual padding."""
    if module is None:
        return "the native module was not built"
    if spec.kernel not in _KERNELS:
        return "the kernel is not 3x3 or 5x5"
    if spec.stride != (1, 1) or spec.dilation != (1, 1) or spec.groups != 1:
        return "it is for stride 1, dilation 1 and one group"
    if not all(
        0 <= pad < k for k, ends in zip(spec.kernel, spec.padding, strict=True) for pad in ends
    ):
        return "the padding crops x, or is as wide as the kernel"
    return None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: few channels, or it is switched off."""
    if not _enabled:
        return "switched off by set_winograd or PELLUCID_WINOGRAD"
    if min(spec.in_channels, spec.out_channels) < _LEAST_CHANNELS:
        return f"fewer than {_LEAST_CHANNELS} channels"
    return None


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result.

    36 numbers for each weight of a point, with channels in whole chunks of 64, or partial sums of
    as many where gw is small; for each thread, those of a block of tiles of x and y.
    """
    C, O = spec.in_channels, spec.out_channels
    chunk = direct.rounded_up(C, 64) * direct.rounded_up(O, 64)
    weights, tiles = max(chunk, 16 * 64 * 64), 48 * (C + O + 128)
    return direct.pooled(36 * dtype.itemsize * (weights + get_num_threads() * tiles))


forward = partial(direct.forward, algorithm=direct.Native.WINOGRAD)
grad_input = partial(direct.grad_input, algorithm=direct.Native.WINOGRAD)
grad_weight = partial(direct.grad_weight, algorithm=direct.Native.WINOGRAD)
