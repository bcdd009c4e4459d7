"""Batch normalisation with what often follows it: + residual, then ReLU or ReLU6, in one op.

The results are those of the parts, to the last bit, and so are the gradients; the memory between
the parts is neither written nor read. A gradient that is itself to be differentiated is made of the
parts. Not here: the parts (norm.py, activation.py). Next room: kernels/norm.py.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import ArgumentError, ShapeError
from pellucid.grad_mode import is_grad_enabled
from pellucid.kernels import norm as kernels
from pellucid.ops.activation import Keep, ReLUGrad
from pellucid.ops.norm import (
    BatchNormEvaluationGrad,
    BatchNormGrad,
    array_of,
    check_channels,
    check_options,
    move,
)
from pellucid.ops.operands import check_same_float
from pellucid.tensor import Tensor

# The mean and the variance of an evaluation; None in training, where they are those of the batch.
Constants = tuple[Array, Array] | None


class BatchNormReLU(Function):
    """A batch normalisation, moved to the nearer end of 0 .. ceiling where it is outside.

    The statistics are further outputs, through which no gradient passes.
    """

    equation = (
        "y[n,c,h,w] = min(max(weight[c] * (x[n,c,h,w] - mean[c]) / sqrt(var[c] + eps) + bias[c], "
        "0), ceiling)"
    )
    makes_gradients = True

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        constants: Constants,
        eps: float,
        ceiling: float,
    ) -> tuple[Array, Array, Array]:
        mean, var, scale = _statistics(ctx, x, constants, eps)
        ctx.ceiling = ceiling
        ctx.save_for_backward(x, weight, bias, mean, scale)
        w, b = array_of(weight), array_of(bias)
        y = kernels.forward(x.array, w, b, mean, scale, None, True, ceiling)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, gy: Tensor, *_: Tensor) -> Any:
        x, weight, bias, mean, scale = ctx.saved_tensors
        given = x.array, array_of(weight), array_of(bias), mean.array, scale.array
        if is_grad_enabled():
            with np.errstate(all="ignore"):
                y = Tensor(kernels.forward(*given))
            gx, gw, gb = _gradients(ctx, _passed(ctx, gy, y), x, weight, mean, scale)
        else:
            with np.errstate(all="ignore"):
                found = kernels.backward_relu(
                    gy.array, *given, ctx.constant, ctx.ceiling, ctx.may_overwrite
                )
            gx, gw, gb = map(Tensor, found)
        _, need_w, need_b, *_ = ctx.needs_input_grad
        return gx, gw if need_w else None, gb if need_b else None, None, None, None


class BatchNormAddReLU(Function):
    """A batch normalisation plus a residual, moved to the nearer end of 0 .. ceiling.

    The statistics are further outputs, through which no gradient passes.
    """

    equation = (
        "y[n,c,h,w] = min(max(weight[c] * (x[n,c,h,w] - mean[c]) / sqrt(var[c] + eps) + bias[c] "
        "+ residual[n,c,h,w], 0), ceiling)"
    )
    makes_gradients = True
    takes_pairs = True  # y mostly goes two ways: into a convolution, and past it

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        residual: Tensor,
        constants: Constants,
        eps: float,
        ceiling: float,
    ) -> tuple[Array, Array, Array]:
        mean, var, scale = _statistics(ctx, x, constants, eps)
        ctx.ceiling = ceiling
        w, b = array_of(weight), array_of(bias)
        y = kernels.forward(x.array, w, b, mean, scale, residual.array, True, ceiling)
        ctx.save_for_backward(x, weight, mean, scale, y)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, gy: Tensor | tuple[Tensor, Tensor], *_: Tensor) -> Any:
        x, weight, mean, scale, y = ctx.saved_tensors
        gy, more = gy if isinstance(gy, tuple) else (gy, None)
        if is_grad_enabled():
            gr = _passed(ctx, gy, y)
            gx, gw, gb = _gradients(ctx, gr, x, weight, mean, scale)
        else:
            arrays = x.array, array_of(weight), mean.array, scale.array
            with np.errstate(all="ignore"):
                found = kernels.backward_add_relu(
                    gy.array,
                    y.array,
                    *arrays,
                    ctx.constant,
                    ctx.ceiling,
                    array_of(more),
                    ctx.may_overwrite,
                )
            gx, gw, gb, gr = map(Tensor, found)
        _, need_w, need_b, *_ = ctx.needs_input_grad
        return gx, gw if need_w else None, gb if need_b else None, gr, None, None, None


def _statistics(ctx: Any, x: Tensor, constants: Constants, eps: float) -> tuple[Array, ...]:
    """Mean, variance and scale, which no gradient passes through as outputs."""
    ctx.eps, ctx.constant = eps, constants is not None
    if constants is None:
        mean, var, scale = kernels.statistics(x.array, eps)
    else:
        # What moves in place is not what the gradient may depend on.
        mean, var = (value.copy() for value in constants)
        scale = 1 / np.sqrt(var + eps)
    ctx.mark_non_differentiable(mean, var)
    return mean, var, scale


def _passed(ctx: Any, gy: Tensor, y: Tensor) -> Tensor:
    """The part of gy where y is between 0 and the ceiling, or NaN."""
    if ctx.ceiling == inf:
        return ReLUGrad.apply(gy, y)
    return Keep.apply(gy, ~((y <= 0) | (y >= ctx.ceiling)))


def _gradients(
    ctx: Any, gy: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, scale: Tensor
) -> Any:
    """The gradients of the normalisation alone, which can be differentiated."""
    if ctx.constant:
        return BatchNormEvaluationGrad.apply(gy, x, weight, mean, scale)
    return BatchNormGrad.apply(gy, x, weight, mean, scale, ctx.eps)


def batch_norm_relu(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    residual: Tensor | None = None,
    ceiling: float = inf,
) -> Tensor:
    """Return min(relu(batch_norm(x) + residual), ceiling), without an array for each step.

    Shapes: as `batch_norm`; residual as x, or None for none. With a ceiling of 6 it is ReLU6 that
    follows.
    Maths: as `batch_norm`, with gy where 0 < y < ceiling, else 0, in place of gy; that is the
    gradient of the residual too.
    Cost: the passes of `batch_norm` each way; the residual is one more array to read, and its
    gradient one to write.
    Raises: as `batch_norm`; ShapeError for a residual that has not the shape of x.

    >>> import pellucid
    >>> x = pellucid.tensor([[1.0], [2.0], [3.0]])
    >>> batch_norm_relu(x, None, None, training=True, residual=pellucid.ones(3, 1))
    tensor([[0.    ],
            [1.    ],
            [2.2247]])
    """
    op = "batch_norm_relu"
    if not ceiling > 0:
        raise ArgumentError(
            op, f"ceiling={ceiling} is not positive", fix="use 6 for ReLU6, or leave it out"
        )
    check_channels(op, x, running_mean, running_var, weight, bias)
    check_options(op, x, running_mean, running_var, training, eps)
    constants = None
    if not training:
        assert running_mean is not None
        assert running_var is not None
        constants = running_mean.array, running_var.array
    if residual is None:
        y, mean, var = BatchNormReLU.apply(x, weight, bias, constants, eps, ceiling)
    else:
        check_same_float(op, x=x, residual=residual)
        if residual.shape != x.shape:
            raise ShapeError(
                op,
                "residual and x have different shapes, and here none is broadcast",
                f"x {x.shape}",
                f"residual {residual.shape}",
                fix="give residual the shape of x, as with residual.expand(x.shape)",
            )
        y, mean, var = BatchNormAddReLU.apply(x, weight, bias, residual, constants, eps, ceiling)
    if training:
        move(x, running_mean, running_var, mean, var, momentum)
    return y
