"""grad_input where x has few channels: pixels of gx lie along the lanes of a vector.

    gx[k s + rho][c] = sum over o, and the taps t of phase rho, of gy[k + shift[t]][o] w[o][c][t]

With 1 or 3 channels along the lanes, most of a vector would be empty. Here blocks of gy are
transposed into one padded plane for each o, and each vector of its pixels meets all channels of x
(docs/maths.md, 16). Nothing is scattered: every sum is finished in registers and stored once.
Cost: the operations of the spec; beside them gy is transposed, block by block: 256 KiB for
each thread, and at most a mebibyte where the taps do not reach further than that.
Next room: native/conv_planar.cpp.
"""

from __future__ import annotations

import math

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv import direct
from pellucid.kernels.conv.correlation import forward_plan
from pellucid.kernels.conv.spec import ConvSpec, Direction
from pellucid.kernels.layout import empty_channels_last
from pellucid.kernels.native import get_num_threads, module

# With one more, direct was as fast or faster: C = 1 ... 12, O = 8 ... 128, kernels 3, 5 and 7.
_MOST_CHANNELS = {"float32": 7, "float64": 6}
_REACH = 256 << 10  # bytes of gy under a dilated kernel, from which direct was faster


def refuses(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: another direction, or groups."""
    if module is None:
        return "the native module was not built"
    if direction != "grad_input":
        return "it is for grad_input"
    if spec.groups != 1:
        return "it is for one group"
    return None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Say why not: enough channels to fill a vector, or taps that are far apart."""
    most = _MOST_CHANNELS[dtype.name]
    if spec.in_channels > most:
        return f"more than {most} channels of x"
    reach = math.prod(
        d * (k - 1) // s + 1
        for k, s, d in zip(spec.kernel, spec.stride, spec.dilation, strict=True)
    )
    if max(spec.dilation) > 1 and reach * spec.out_channels * dtype.itemsize > _REACH:
        return f"its dilated kernel spans more than {_REACH >> 10} KiB of gy"
    return None


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result.

    Packed weights, and in each thread the planes of a block of gy, of a mebibyte or what one vector
    of pixels reaches, with rows and vectors that are not full, and the sums of its pixels.
    """
    item, taps, C, O = dtype.itemsize, math.prod(spec.kernel), spec.in_channels, spec.out_channels
    lanes = 64 // item
    (KD, *_), (*_, down), (*_, across) = direct.axes_of(spec, direction)
    planes = KD * direct.rounded_up(O, lanes)
    block = max((1 << 20) // (item * planes), (down + 2) * (across + lanes))  # of one plane
    frame = planes * (3 * block + 2 * (across + 6 * lanes)) + 4 * (2 * block + lanes)
    weights = item * taps * O * 2 * C + direct.plans(spec)
    return direct.pooled(weights + get_num_threads() * (item * frame + 64 * (taps + 1)))


def grad_input(gy: Array, w: Array, spec: ConvSpec, bx: Array | None = None) -> Array:
    """Return gx, channels-last."""
    if not spec.batch:
        return empty_channels_last(spec.x_shape, gy.dtype)
    gy = direct.adjacent_channels(gy)
    gx: Array = module.grad_input(gy, w, spec.x_shape, forward_plan(spec))
    if bx is not None:
        gx += bx.reshape(-1, *(1,) * spec.axes)
    return gx


# The list of algorithms asks for all three; these are refused above, and so never called.
forward, grad_weight = direct.forward, direct.grad_weight
