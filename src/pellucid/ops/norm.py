"""Batch normalisation: each channel brought to mean 0 and variance 1 over the batch.

In training the statistics are the batch's own, and the gradient passes through them; in evaluation
they are constants. Not here: when a layer does which (nn/norm.py). Next room: kernels/norm.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import ArgumentError, ShapeError, named_shape
from pellucid.kernels import norm as kernels
from pellucid.ops.operands import check_same_float
from pellucid.tensor import Tensor


class BatchNorm(Function):
    """Each channel minus its mean over the batch, over its standard deviation.

    The statistics are further outputs, through which no gradient passes.
    """

    equation = (
        "y[n,c,h,w] = weight[c] * (x[n,c,h,w] - mean[n,h,w](x[n,c,h,w])) "
        "/ sqrt(var[n,h,w](x[n,c,h,w]) + eps) + bias[c]"
    )
    makes_gradients = True

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Array, Array, Array]:
        mean, var, scale = kernels.statistics(x.array, eps)
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.mark_non_differentiable(mean, var)
        ctx.eps, ctx.affine = eps, (weight is not None, bias is not None)
        y = kernels.forward(x.array, array_of(weight), array_of(bias), mean, scale)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, gy: Tensor, *_: Tensor) -> Any:
        gx, gw, gb = BatchNormGrad.apply(gy, *ctx.saved_tensors, ctx.eps)
        _, need_w, need_b, _ = ctx.needs_input_grad
        return gx, gw if need_w else None, gb if need_b else None, None


class BatchNormGrad(Function):
    """The gradients of a batch normalisation, which itself depends on x through mean and scale."""

    equation = (
        "gx[n,c,h,w] = weight[c] * scale[c] * (gy[n,c,h,w] - mean[n,h,w](gy[n,c,h,w]) "
        "- z[n,c,h,w] * mean[n,h,w](gy[n,c,h,w] * z[n,c,h,w])), "
        "gw[c] = sum[n,h,w] gy[n,c,h,w] * z[n,c,h,w], gb[c] = sum[n,h,w] gy[n,c,h,w]"
    )

    @staticmethod
    def forward(
        ctx: Any,
        gy: Tensor,
        x: Tensor,
        weight: Tensor | None,
        mean: Tensor,
        scale: Tensor,
        eps: float,
    ) -> tuple[Array, Array, Array]:
        ctx.save_for_backward(gy, x, weight)
        ctx.eps = eps
        w = array_of(weight)
        return kernels.backward(gy.array, x.array, w, mean.array, scale.array, constant=False)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor, ggw: Tensor, ggb: Tensor) -> Any:
        gy, x, weight = ctx.saved_tensors
        axes = (0, *range(2, x.ndim))
        channel = (1, -1) + (1,) * (x.ndim - 2)
        w = 1.0 if weight is None else weight.reshape(channel)
        ggw, ggb = ggw.reshape(channel), ggb.reshape(channel)

        def average(a: Tensor) -> Tensor:
            return a.mean(axes, keepdim=True)

        distance = x - average(x)
        scale = 1 / (average(distance * distance) + ctx.eps).sqrt()
        z = distance * scale

        def project(a: Tensor) -> Tensor:
            """The derivative of z at x, over scale: symmetric, so also its adjoint."""
            return a - average(a) - z * average(a * z)

        # gx = w scale project(gy) and gw = sum(gy z): by gy, by weight, by z, then by scale
        ggy = w * scale * project(ggx) + ggw * z + ggb
        along = average(ggx * project(gy))
        gweight = None
        if weight is not None:
            gweight = (ggx * project(gy) * scale).sum(axes)
        gz = ggw * gy - w * scale * (ggx * average(gy * z) + gy * average(ggx * z))
        gx = scale * project(gz) - w * along * scale * scale * z
        return ggy, gx, gweight, None, None, None


class BatchNormEvaluation(Function):
    """Each channel minus a given mean, over a given standard deviation."""

    equation = "y[n,c,h,w] = weight[c] * (x[n,c,h,w] - mean[c]) / sqrt(var[c] + eps) + bias[c]"

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Array,
        var: Array,
        eps: float,
    ) -> Array:
        # What moves in place is not what the gradient may depend on.
        mean, scale = mean.copy(), 1 / np.sqrt(var + eps)
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.eps, ctx.affine = eps, (weight is not None, bias is not None)
        return kernels.forward(x.array, array_of(weight), array_of(bias), mean, scale)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        gx, gw, gb = BatchNormEvaluationGrad.apply(gy, *ctx.saved_tensors)
        _, need_w, need_b, *_ = ctx.needs_input_grad
        return gx, gw if need_w else None, gb if need_b else None, None, None, None


class BatchNormEvaluationGrad(Function):
    """The gradients of a batch normalisation whose statistics are constants."""

    equation = (
        "gx[n,c,h,w] = weight[c] * scale[c] * gy[n,c,h,w], "
        "gw[c] = sum[n,h,w] gy[n,c,h,w] * z[n,c,h,w], gb[c] = sum[n,h,w] gy[n,c,h,w]"
    )

    @staticmethod
    def forward(
        ctx: Any, gy: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, scale: Tensor
    ) -> tuple[Array, Array, Array]:
        ctx.save_for_backward(gy, x, weight, mean, scale)
        w = array_of(weight)
        return kernels.backward(gy.array, x.array, w, mean.array, scale.array, constant=True)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor, ggw: Tensor, ggb: Tensor) -> Any:
        gy, x, weight, mean, scale = ctx.saved_tensors
        channel = (1, -1) + (1,) * (x.ndim - 2)
        mean, scale, ggw, ggb = (a.reshape(channel) for a in (mean, scale, ggw, ggb))
        w = 1.0 if weight is None else weight.reshape(channel)
        ggy = w * scale * ggx + ggw * (x - mean) * scale + ggb
        gweight = None
        if weight is not None:
            gweight = (ggx * gy * scale).sum((0, *range(2, x.ndim)))
        return ggy, ggw * gy * scale, gweight, None, None


def array_of(value: Tensor | None) -> Array | None:
    """The array of a tensor, where there is one."""
    return None if value is None else value.array


def check_channels(
    op: str,
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
) -> None:
    """Hold x to its axes, and the others to its channels and its dtype."""
    channels = {
        "weight": weight,
        "bias": bias,
        "running_mean": running_mean,
        "running_var": running_var,
    }
    check_same_float(op, x=x, **channels)
    if x.ndim < 2:
        raise ShapeError(
            op,
            f"x has {x.ndim} axes, but must have at least 2 (N, C, ...)",
            _named(x),
            fix="give x a batch axis, as in x[None]",
        )
    for name, value in channels.items():
        if value is not None and value.shape != (x.shape[1],):
            raise ShapeError(
                op,
                f"{name} has shape {value.shape}, but x has C={x.shape[1]} channels",
                _named(x),
                fix=f"build the layer with num_features={x.shape[1]}, or move the channels of x "
                "to axis 1",
            )


def _named(x: Tensor) -> str:
    letters = {2: "N C", 3: "N C W", 4: "N C H W", 5: "N C D H W"}.get(x.ndim, "")
    return named_shape("x", letters, x.shape)


def check_options(
    op: str,
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    eps: float,
) -> None:
    """Refuse an eps, statistics or a batch that normalise nothing."""
    if eps < 0 or (training and eps == 0):
        raise ArgumentError(op, f"eps={eps} is not positive", fix="use 1e-5, PyTorch's default")
    if (running_mean is None) != (running_var is None):
        raise ArgumentError(
            op, "only one of running_mean and running_var is given", fix="give both"
        )
    if not training and running_mean is None:
        raise ArgumentError(
            op,
            "evaluation needs running_mean and running_var",
            fix="give both, or training=True for the statistics of the batch",
        )
    if training and x.numel() == x.shape[1]:
        raise ShapeError(
            op,
            f"x has one value for each of C={x.shape[1]} channels, and its variance is 0",
            f"x {x.shape}",
            fix="train with a batch of at least 2, or switch to evaluation with eval()",
        )


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return weight (x - mean) / sqrt(var + eps) + bias for each channel.

    In training, mean and var are those of x, and the running ones move towards them in place by
    the share `momentum` (the running variance towards M / (M - 1) var, with M values in a channel).
    In evaluation, mean and var are the running ones.

    Shapes: x (N, C), (N, C, W), (N, C, H, W) or (N, C, D, H, W), y as x, all else (C).
    Maths: with s = 1 / sqrt(var + eps) and z = (x - mean) s, in training
    gx = weight s (gy - mean(gy) - z mean(gy z)), gw = sum(gy z), gb = sum(gy).
    Source: Ioffe and Szegedy, "Batch normalization" (2015).
    Cost: two passes over x each way in training, one forward in evaluation.
    Raises: ShapeError for sizes that do not fit, or one value for each channel in training;
    DTypeError for integers or mixed dtypes; ArgumentError for missing running statistics.

    >>> import pellucid
    >>> x = pellucid.tensor([[1.0], [2.0], [3.0]])
    >>> batch_norm(x, None, None, training=True)
    tensor([[-1.2247],
            [ 0.    ],
            [ 1.2247]])
    """
    op = "batch_norm"
    check_channels(op, x, running_mean, running_var, weight, bias)
    check_options(op, x, running_mean, running_var, training, eps)
    if not training:
        assert running_mean is not None
        assert running_var is not None
        return BatchNormEvaluation.apply(
            x, weight, bias, running_mean.array, running_var.array, eps
        )
    y, mean, var = BatchNorm.apply(x, weight, bias, eps)
    move(x, running_mean, running_var, mean, var, momentum)
    return y


def move(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: Tensor,
    var: Tensor,
    momentum: float,
) -> None:
    """Move running statistics towards those of a batch x, in place."""
    if running_mean is None or running_var is None or not x.numel():
        return
    M = x.numel() // x.shape[1]
    pairs = (running_mean, mean.array), (running_var, var.array * (M / (M - 1)))
    for running, value in pairs:
        running.copy_((1 - momentum) * running.array + momentum * value)
