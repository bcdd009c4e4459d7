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

_PARTIAL_SUMS = 2 << 20  # bytes, of a gw that is smaller


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

    Packed weights, or the sums of gw, with outputs in whole vectors, and partial sums of a small
    gw; the places that an output reads; and for each thread the sorted rows of x under 8 pixels, or
    100 KB of them.
    """
    C, O = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    if direction == "grad_input":
        C, O = O, C
    lanes, taps = module.vector_bytes() // dtype.itemsize, prod(spec.kernel)
    outputs = direct.rounded_up(spec.groups * O, lanes)
    weights = dtype.itemsize * outputs * (taps * C + 1)
    (KD, *_), (_, _, step, span), (_, _, along, reach) = direct.axes_of(spec, direction)
    few = dtype.itemsize * 4 * lanes * C * KD * (span + step) * (8 * along + reach)
    places = 8 * taps * C * (64 + span)
    frames = get_num_threads() * (2 * few + (512 << 10))
    return direct.pooled(weights + _PARTIAL_SUMS + places + frames)


forward = partial(direct.forward, algorithm=direct.Native.LANEWISE)
grad_input = partial(direct.grad_input, algorithm=direct.Native.LANEWISE)
grad_weight = partial(direct.grad_weight, algorithm=direct.Native.LANEWISE)
