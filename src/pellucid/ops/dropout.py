"""Dropout: a random share of the elements becomes 0, the rest larger, so that the mean stays.

Which elements is a function of the seed, the number of the call and the place in row-major order:
the layout of x and the number of threads have no part in it, and backward draws them again, so that
nothing is kept. Next room: kernels/dropout.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import ArgumentError
from pellucid.kernels import dropout as kernels
from pellucid.ops.operands import check_float
from pellucid.random import RngState, next_key
from pellucid.tensor import Tensor


class Dropout(Function):
    """0 for a random share p of the elements, 1 / (1 - p) times the others."""

    equation = "y[i] = x[i] * kept[i] / (1 - p)"

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, key: RngState) -> Array:
        ctx.p, ctx.key = p, key
        return kernels.dropout(x.array, p, key)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return Dropout.apply(gy, ctx.p, ctx.key), None, None


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Return x with a random share p of zeros and the rest over 1 - p; x itself in evaluation.

    Maths: y = x k / (1 - p) with k = 0 at probability p, else 1; gx = gy k / (1 - p).
    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting"
    (2014).
    Cost: one pass over x and one over gy, and a draw for each element in both.
    Raises: ArgumentError for a p outside 0 .. 1, DTypeError for integers.

    >>> import pellucid
    >>> sorted(set(dropout(pellucid.ones(100), 0.5).tolist()))
    [0.0, 2.0]
    """
    if not (isinstance(p, (int, float, np.floating)) and 0 <= p <= 1):
        raise ArgumentError("dropout", f"p={p} is no probability", fix="use 0 <= p <= 1")
    check_float("dropout", "x", x)
    return Dropout.apply(x, p, next_key()) if training and p else x
