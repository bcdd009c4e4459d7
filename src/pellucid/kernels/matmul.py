"""Matrix products through the register tile: a product is a convolution with a 1x1 kernel.

A row-major matrix (M, K) lies in memory as a channels-last image (1, K, M, 1): every row is a line
of one pixel, and K are its channels. So a @ b is the forward pass of `c{K} i{M}x1 o{N} k1x1`, with
b^T as weights (N, K, 1, 1), which the kernel packs, whatever their strides. Rows of a with gaps are
copied. Where a has few rows and b^T has rows without gaps, y^T = b^T a^T is computed instead: then
the small a is packed, and the large b is read as it lies. Where packing would take longer than to
multiply, a kernel of its own packs nothing.

Each y[i,j] is added up in the order of k, in panels of at most 512 (docs/maths.md, 12). So no bit
of it depends on how a and b lie, on the number of threads, or on the other rows and columns.
Not here: checks of what a user passes (ops/linear.py). Next room: conv/direct.py.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from pellucid.backend import Array, native
from pellucid.kernels.conv.correlation import forward_plan
from pellucid.kernels.conv.direct import Native
from pellucid.kernels.conv.spec import ConvSpec
from pellucid.kernels.layout import empty_channels_last
from pellucid.kernels.native import FLOATS, module

# How many products are added before the sum joins those of the other panels.
_PANEL = 512
# Up to so many rows, turning y round costs less than packing b.
_FEW_ROWS = 64
# Up to so many rows, or so deep, a product takes less time than packing b would. So does one of at
# most so many multiplications.
_VERY_FEW, _SMALL = 8, 1 << 18


def product(a: Array, b: Array, bias: Array | None = None) -> Array:
    """Return a @ b, plus bias in each row.

    Shapes: a (..., M, K), b (..., K, N), bias (N), y (..., M, N); any strides; the axes before the
    last two broadcast. a, b and bias have one dtype.
    Maths: y[i,j] = bias[j] + sum over k of a[i,k] b[k,j]
    Cost: 2 M N K operations; beside y, a packed copy of b (of a, where it has few rows) and of a
    panel of a whose rows have gaps. Integers, and everything without the native module, are left
    to `np.matmul`.

    >>> product(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [10.0]]), np.array([0.5]))
    array([[21.5],
           [43.5]])
    """
    assert a.shape[-1] == b.shape[-2], (a.shape, b.shape)
    a, b, bias = native(a), native(b), None if bias is None else native(bias)
    if module is None or a.dtype not in FLOATS or a.dtype != b.dtype:
        y = np.matmul(a, b)
        return y if bias is None else np.add(y, bias, out=y)
    M, N = a.shape[-2], b.shape[-1]
    if a.ndim == b.ndim == 2:
        y = empty_channels_last((M, N), a.dtype)
        _multiply(a, b, bias, y)
        return y
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = empty_channels_last((prod(stack) * M, N), a.dtype).reshape(*stack, M, N)
    a, b = (np.broadcast_to(x, stack + x.shape[-2:]) for x in (a, b))
    for place in np.ndindex(stack):
        _multiply(a[place], b[place], bias, y[place])
    return y


def _multiply(a: Array, b: Array, bias: Array | None, y: Array) -> None:
    """Fill y, whose rows have no gaps, with a @ b + bias.

    The bias is added last: the kernel would begin its sums with it, but not where y is turned.
    """
    M, N = y.shape
    if _packs_nothing(M, b):
        bias = None if bias is None else np.ascontiguousarray(bias)
        module.multiply_rows(a, b, bias, y, _step(b.shape[0]))
        return
    if not (M <= _FEW_ROWS and M < N and _has_whole_rows(b.T)):
        _add_panels(a, b, y)
    else:
        # (N, K) @ (K, M) -> (N, M), which lies as y where M is 1
        turned = y.T if M == 1 else empty_channels_last((N, M), y.dtype)
        _add_panels(b.T, a.T, turned)
        if M > 1:
            y[...] = turned.T
    if bias is not None:
        y += bias


def _add_panels(a: Array, b: Array, y: Array) -> None:
    """Fill y with a @ b, panel after panel."""
    K = a.shape[1]
    if not K:
        y[...] = 0
        return
    step = _step(K)
    _correlate(a[:, :step], b[:step], y)
    if step == K:
        return
    part = empty_channels_last(y.shape, y.dtype)
    for k in range(step, K, step):
        # (M, step) @ (step, N) -> (M, N)
        _correlate(a[:, k : k + step], b[k : k + step], part)
        y += part


def _packs_nothing(M: int, b: Array) -> bool:
    """Whether b is to be read as it lies, in one pass for each four of M rows."""
    K, N = b.shape
    few = M <= _VERY_FEW or M * K * N <= _SMALL
    if _has_whole_rows(b):
        return b.size > 0 and (few or K <= _VERY_FEW)
    return b.size > 0 and few and _has_whole_rows(b.T)


def _step(depth: int) -> int:
    """Return the largest of panels of about the same size."""
    return -(-depth // -(-depth // _PANEL))


def _correlate(a: Array, b: Array, y: Array) -> None:
    """Fill y with a @ b in one call of the native module."""
    if not y.size:
        return
    if not _has_whole_rows(a):
        a = np.ascontiguousarray(a)
    plan = _plan(a.shape[0], *b.shape)
    # (M, K) -> (1, K, M, 1), (K, N) -> (N, K, 1, 1) and (M, N) -> (1, N, M, 1)
    x, w, out = a.T[None, :, :, None], b.T[:, :, None, None], y.T[None, :, :, None]
    module.correlate(Native.DIRECT, x, w, None, [out], [plan], False)


def _has_whole_rows(a: Array) -> bool:
    """Whether the elements of each row lie side by side."""
    return bool(a.shape[1] == 1 or a.strides[1] == a.itemsize)


@lru_cache(maxsize=1024)
def _plan(M: int, K: int, N: int) -> bytes:
    """Return what the native module is told of a product."""
    return forward_plan(ConvSpec.from_shapes((1, K, M, 1), (N, K, 1, 1)))
