"""Matrix products, through the register tile (native/products.cpp).

Any strides are taken as they are: what the tile cannot read is packed block by block, near to where
it is used. Where packing would take longer than to multiply, nothing is packed.

Each y[i,j] is added up in the order of k, in panels of at most 512 (docs/maths.md, 12). So no bit
of it depends on how a and b lie, on the number of threads, or on the other rows and columns.
Not here: checks of what a user passes (ops/linear.py). Next room: conv/direct.py.
"""

from __future__ import annotations

from math import prod

import numpy as np

from pellucid.backend import Array, native
from pellucid.kernels.layout import empty_channels_last
from pellucid.kernels.native import FLOATS, module

# How many products are added before the sum joins those of the other panels.
_PANEL = 512
# Up to so many rows, or so deep, a product takes less time than packing b would. So does one of at
# most so many multiplications.
_VERY_FEW, _SMALL = 8, 1 << 18


def product(a: Array, b: Array, bias: Array | None = None) -> Array:
    """Return a @ b, plus bias in each row.

    Shapes: a (..., M, K), b (..., K, N), bias (N), y (..., M, N); any strides; the axes before the
    last two broadcast. a, b and bias have one dtype.
    Maths: y[i,j] = bias[j] + sum over k of a[i,k] b[k,j]
    Cost: 2 M N K operations; beside y, less than 1 MiB for each thread. Integers, and everything
    without the native module, are left to `np.matmul`.

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


def sum_rows(x: Array) -> Array:
    """Return the sum of the rows of a matrix, summed in float64.

    Shapes: x (N, O), y (O).
    Maths: y[o] = sum over n of x[n,o]

    >>> sum_rows(np.array([[1.0, 2.0], [10.0, 20.0]]))
    array([11., 22.])
    """
    y = module.channel_sums(x) if module is not None and x.dtype in FLOATS else None
    # None: the rows have gaps
    return x.sum(0, np.float64).astype(x.dtype) if y is None else np.asarray(y)


def _multiply(a: Array, b: Array, bias: Array | None, y: Array) -> None:
    """Fill y, whose rows have no gaps, with a @ b + bias. The bias is added last."""
    if not y.size:
        return
    K = b.shape[0]
    if not K:
        y[...] = 0 if bias is None else bias
        return
    bias = None if bias is None else np.ascontiguousarray(bias)
    # Panels of about the same size
    panel = -(-K // -(-K // _PANEL))
    module.multiply(a, b, bias, y, panel, _packs(y.shape[0], b))


def _packs(M: int, b: Array) -> bool:
    """Whether packing b takes less time than to read it as it lies for each four of M rows."""
    K, N = b.shape
    few = M <= _VERY_FEW or M * K * N <= _SMALL
    if N == 1 or b.strides[1] == b.itemsize:  # rows without gaps
        return not few and K > _VERY_FEW
    return not few or not (K == 1 or b.strides[0] == b.itemsize)
