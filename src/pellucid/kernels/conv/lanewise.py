"""Depthwise convolution, and groups thinner than a vector: one vector of output channels at a time.

    y[p][o] += sum over u,v,q  x[p s + (u,v) d - pad][(o div (O/G)) (C/G) + q] w[u,v,q][o]

x is read where it lies. With C/G > 1 it is read C/G times, and between these passes the sums turn
by one lane within their group, so that each lane meets every channel of its group and no lane
multiplies zeros of other groups (docs/maths.md, 15).
Cost: the operations of the spec; these are few for each element, so memory sets the pace.
Next room: direct.py, then native/conv_lanewise.cpp.
"""

from __future__ import annotations

from functools import partial
from math import prod

from pellucid.dtypes import DType
from pellucid.kernels.conv import direct
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.native import get_num_threads, module

_PARTIAL_SUMS = 4 << 20  # bytes of all of them, of a gw that is smaller
_TILE = 32 << 10  # bytes of x and gy of a tile, and tables


def refuses(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: one group, groups that do not divide a vector evenly, or less than a vector."""
    if module is None:
        return "the native module was not built"
    if spec.groups == 1:
        return "it is for groups"
    C, outputs = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    lanes = module.vector_bytes() // dtype.itemsize
    if C not in (1, outputs):
        return f"a group has {C} channels of x and {outputs} of y, neither 1 nor the same number"
    if lanes % outputs:
        return f"a group has {outputs} channels of y, which do not divide a vector of {lanes}"
    if spec.out_channels < lanes:
        return f"y has {spec.out_channels} channels, fewer than the {lanes} of a vector"
    return None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Never: where it can, the register tile would be mostly empty."""
    return None


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result.

    Packed weights and biases of all phases, or the sums of gw, with channels in whole vectors;
    tables of taps, and of which columns of x each tile sees; for each thread a tile.
    """
    C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    lanes, taps = module.vector_bytes() // dtype.itemsize, prod(spec.kernel)
    channels = direct.rounded_up(spec.groups * max(C, O), lanes)
    weights = dtype.itemsize * channels * taps * ((C if C == O else 1) + 1)
    *_, high, wide = direct.axes_of(spec, direction)
    if direction == "grad_weight":
        shared = (
            max(weights, min(16 * weights, _PARTIAL_SUMS)) + 8 * taps + 40 * (high.out + wide.out)
        )
    else:
        shared = weights + direct.plans(spec) + taps * (256 + 4 * (wide.out // 3 + 2))
    return direct.pooled(shared + get_num_threads() * (_TILE + direct.plans(spec) + 32 * taps))


forward = partial(direct.forward, algorithm=direct.Native.LANEWISE)
grad_input = partial(direct.grad_input, algorithm=direct.Native.LANEWISE)
grad_weight = partial(direct.grad_weight, algorithm=direct.Native.LANEWISE)
