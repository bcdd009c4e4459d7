"""Matrix products: `matmul` with broadcasting, and `linear`, a layer's product with its bias.

The gradient of a product is two products, so `MatMul` is closed under differentiation. Of `linear`
each function is the gradient of the other two, as in conv.py:

    y = Linear(x, w, b)     gx = LinearGradInput(gy, w)     gw, gb = LinearGradWeight(gy, x)

Not here: products element by element (elementwise.py). Next room: kernels/matmul.py.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import DTypeError, ShapeError, named_shape
from pellucid.kernels.matmul import product, sum_rows
from pellucid.ops.elementwise import as_tensor_of, check_broadcast
from pellucid.ops.operands import check_same_float
from pellucid.tensor import Operand, Tensor


class MatMul(Function):
    """The matrix product along the last two axes; the axes before them broadcast."""

    equation = "y[n,i,j] = sum[k] a[n,i,k] * b[n,k,j]"

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Array:
        ctx.save_for_backward(a, b)
        # (..., M, K) @ (..., K, N) -> (..., M, N)
        return product(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        ga = gb = None
        if need_a:
            # (..., M, N) @ (..., N, K) -> (..., M, K)
            ga = MatMul.apply(gy, b.transpose(-1, -2)).sum_to_size(a.shape)
        if need_b:
            # (..., K, M) @ (..., M, N) -> (..., K, N)
            gb = MatMul.apply(a.transpose(-1, -2), gy).sum_to_size(b.shape)
        return ga, gb


class Linear(Function):
    """Each output is a row of w times the features of x, plus the bias."""

    equation = "y[n,o] = b[o] + sum[i] x[n,i] * w[o,i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None) -> Array:
        ctx.save_for_backward(x, w)
        ctx.in_features, ctx.has_bias = x.shape[1], b is not None
        # (N, I) @ (I, O) -> (N, O)
        return product(x.array, w.array.T, None if b is None else b.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        x, w = ctx.saved_tensors
        need_x, need_w, need_b = ctx.needs_input_grad
        gx = LinearGradInput.apply(gy, w) if need_x else None
        gw = gb = None
        if need_w and need_b:
            gw, gb = LinearGradWeight.apply(gy, x, True)
        elif need_w:
            gw = LinearGradWeight.apply(gy, x, False)
        elif need_b:
            gb = gy.sum(0)
        return gx, gw, gb


class LinearGradInput(Function):
    """The gradient by x: each gy adds its row of w."""

    equation = "gx[n,i] = sum[o] gy[n,o] * w[o,i]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, w: Tensor) -> Array:
        ctx.save_for_backward(gy, w)
        # (N, O) @ (O, I) -> (N, I)
        return product(gy.array, w.array)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        gy, w = ctx.saved_tensors
        need_gy, need_w = ctx.needs_input_grad
        ggy = Linear.apply(ggx, w, None) if need_gy else None
        gw = LinearGradWeight.apply(gy, ggx, False) if need_w else None
        return ggy, gw


class LinearGradWeight(Function):
    """The gradient by w: each gy adds its row of x; and that by b, as if a 1 stood behind x."""

    equation = "gw[o,i] = sum[n] gy[n,o] * x[n,i]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, x: Tensor, bias: bool) -> Any:
        ctx.save_for_backward(gy, x)
        # (O, N) @ (N, I) -> (O, I)
        gw = product(gy.array.T, x.array)
        return (gw, sum_rows(gy.array)) if bias else gw

    @staticmethod
    def backward(ctx: Any, ggw: Tensor, ggb: Tensor | None = None) -> Any:
        gy, x = ctx.saved_tensors
        need_gy, need_x, _ = ctx.needs_input_grad
        ggy = Linear.apply(x, ggw, ggb) if need_gy else None
        gx = LinearGradInput.apply(gy, ggw) if need_x else None
        return ggy, gx, None


def _named_matrix(name: str, letters: str, x: Tensor) -> str:
    """The shape of a stack of matrices with its letters, `a (B0=2, M=3, K=4)`."""
    batch = "".join(f"B{axis} " for axis in range(x.ndim - 2))
    return named_shape(name, batch + letters if x.ndim > 1 else "K", x.shape)


def _check_product(a: Tensor, b: Tensor) -> None:
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            "matmul",
            "a number has no rows or columns",
            f"a {a.shape}",
            f"b {b.shape}",
            fix="use * for the product with a number",
        )
    if a.dtype.kind == "b" or b.dtype.kind == "b":
        raise DTypeError("matmul", "bool has no sum of products", fix="cast to a number first")
    if a.dtype != b.dtype:
        raise DTypeError(
            "matmul",
            f"a is {a.dtype}, but b is {b.dtype}",
            fix="cast one of them, as in a.to(b.dtype)",
        )
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
        raise ShapeError(
            "matmul",
            f"the rows of a have {a.shape[-1]} elements, but the columns of b have "
            f"{b.shape[-2 if b.ndim > 1 else -1]}",
            _named_matrix("a", "M K", a),
            _named_matrix("b", "K N", b),
            fix="make the last axis of a as long as the last but one of b, perhaps by a transpose",
        )
    check_broadcast("matmul", a.shape[:-2], b.shape[:-2])


def matmul(a: Operand, b: Operand) -> Tensor:
    """Return the matrix product a @ b.

    Shapes: a (..., M, K), b (..., K, N), y (..., M, N), where the axes before the last two
    broadcast. A vector a is one row, a vector b one column, and y then lacks that axis.
    Maths: y[i,j] = sum over k of a[i,k] b[k,j]; ga = gy b^T, gb = a^T gy.
    Cost: 2 M N K operations for each matrix, the same again for each gradient that is needed.
    Raises: ShapeError for sizes that do not fit, DTypeError for bools and mixed dtypes.

    >>> import pellucid
    >>> a = pellucid.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> matmul(a, pellucid.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    a = a if isinstance(a, Tensor) else as_tensor_of("matmul", a, np.asarray(a).dtype)
    b = b if isinstance(b, Tensor) else as_tensor_of("matmul", b, np.asarray(b).dtype)
    _check_product(a, b)
    row, column = a.ndim == 1, b.ndim == 1
    a = a.unsqueeze(0) if row else a
    b = b.unsqueeze(1) if column else b
    if b.ndim == 2 and a.ndim > 2:
        *batch, M, K = a.shape
        # (..., M, K) -> (... M, K): one product instead of one for each matrix of the stack
        y = MatMul.apply(a.reshape(prod(batch) * M, K), b).reshape(*batch, M, b.shape[1])
    else:
        y = MatMul.apply(a, b)
    if row:
        y = y.squeeze(-2)
    return y.squeeze(-1) if column else y


def _linear_misfit(x: Tensor, w: Tensor, b: Tensor | None) -> ShapeError:
    """Return the error that says which of the shapes of `linear` does not fit."""
    shapes = named_shape("x", "N I", x.shape), named_shape("w", "O I", w.shape)
    if w.ndim != 2 or x.ndim == 0:
        return ShapeError(
            "linear",
            f"x has {x.ndim} axes and w {w.ndim}, but x must have at least 1 and w 2",
            *shapes,
            fix="give x the features as its last axis, and w one row for each output",
        )
    O, I = w.shape
    if x.shape[-1] != I:
        return ShapeError(
            "linear",
            f"x has I={x.shape[-1]} features, but w expects I={I}",
            *shapes,
            fix=f"build the layer with in_features={x.shape[-1]}, or move the features of x to "
            "its last axis",
        )
    assert b is not None
    return ShapeError(
        "linear",
        f"b has shape {b.shape}, but w makes O={O} outputs",
        *shapes,
        f"b {b.shape}",
        fix=f"give b the shape ({O},)",
    )


def linear(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    """Return x w^T + b: each output is a weighted sum of the features of x.

    Shapes: x (..., I), w (O, I), b (O) or None, y (..., O).
    Maths: y[n,o] = b[o] + sum over i of x[n,i] w[o,i]; gx = gy w, gw = gy^T x, gb = the sum of
    gy over n.
    Cost: 2 N I O operations, the same again for each gradient that is needed.
    Raises: ShapeError for sizes that do not fit, DTypeError for integers or mixed dtypes.

    >>> import pellucid
    >>> w = pellucid.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> linear(pellucid.tensor([[1.0, 10.0]]), w, pellucid.tensor([0.5, 0.5, 0.5]))
    tensor([[21.5, 43.5, 65.5]])
    """
    check_same_float("linear", x=x, w=w, b=b)
    fits = w.ndim == 2 and x.ndim > 0 and x.shape[-1] == w.shape[1]
    if not fits or (b is not None and b.shape != w.shape[:1]):
        raise _linear_misfit(x, w, b)
    if x.ndim == 2:
        return Linear.apply(x, w, b)
    O, I = w.shape
    # (..., I) -> (N, I) and back
    y = Linear.apply(x.reshape(prod(x.shape[:-1]), I), w, b)
    return y.reshape(*x.shape[:-1], O)
