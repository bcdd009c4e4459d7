"""Activations: functions of each element, and softmax along an axis.

Gradients at kinks are PyTorch's (relu'(0) = 0). Formulas are written so that no intermediate result
overflows where the final one does not. Not here: losses (loss.py), maximum and clip
(elementwise.py). Next room: kernels/activation.py.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import ArgumentError
from pellucid.kernels import activation as kernels
from pellucid.kernels.erf import normal_cdf
from pellucid.kernels.mask import keep
from pellucid.ops.elementwise import promote, where
from pellucid.ops.operands import check_float, check_tensor
from pellucid.ops.reduce import normalise_dim
from pellucid.tensor import Tensor


class Keep(Function):
    """x where a mask holds, else 0: also where x is infinite or NaN."""

    equation = "y[i] = x[i] if mask[i] else 0"

    @staticmethod
    def forward(ctx: Any, x: Tensor, mask: Tensor) -> Array:
        ctx.save_for_backward(mask)
        return keep(x.array, mask.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (mask,) = ctx.saved_tensors
        return Keep.apply(gy, mask), None


class ReLU(Function):
    """x where it is positive, else 0."""

    equation = "y[i] = max(x[i], 0)"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        y = kernels.relu(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ReLUGrad.apply(gy, y)


class ReLUGrad(Function):
    """gy where y is positive, else 0; a NaN lets its gradient pass."""

    equation = "gx[i] = 0 if y[i] <= 0 else gy[i]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Array:
        ctx.save_for_backward(y)
        return kernels.relu_gradient(gy.array, y.array)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ReLUGrad.apply(ggx, y), None


class ReLU6(Function):
    """x, moved to the nearer end of 0 .. 6 where it is outside."""

    equation = "y[i] = min(max(x[i], 0), 6)"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        y = kernels.relu6(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ReLU6Grad.apply(gy, y)


class ReLU6Grad(Function):
    """gy where 0 < y < 6, else 0; a NaN lets its gradient pass."""

    equation = "gx[i] = 0 if y[i] <= 0 or y[i] >= 6 else gy[i]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Array:
        ctx.save_for_backward(y)
        return kernels.relu6_gradient(gy.array, y.array)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ReLU6Grad.apply(ggx, y), None


class LeakyReLU(Function):
    """x where it is positive, else a fraction of it."""

    equation = "y[i] = x[i] if x[i] > 0 else slope * x[i]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Array:
        ctx.save_for_backward(x)
        ctx.slope = slope
        return np.where(x.array > 0, x.array, x.array * slope)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return where(x > 0, gy, gy * ctx.slope), None


class ELU(Function):
    """x where it is positive, else alpha (e^x - 1)."""

    equation = "y[i] = x[i] if x[i] > 0 else alpha * (exp(x[i]) - 1)"

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Array:
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return np.where(x.array > 0, x.array, alpha * np.expm1(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        # The exponent is 0 where it is not used: exp(x) may be infinite there
        slope = ctx.alpha * where(x < 0, x, 0.0).exp()
        return where(x <= 0, gy * slope, gy), None


class Sigmoid(Function):
    """1 / (1 + e^-x)."""

    equation = "y[i] = 1 / (1 + exp(-x[i]))"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        y = np.asarray(1 / (1 + np.exp(-x.array)))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gy * (y * (1 - y))


class Tanh(Function):
    """The hyperbolic tangent."""

    equation = "y[i] = tanh(x[i])"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        y = np.asarray(np.tanh(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gy * (1 - y * y)


class SiLU(Function):
    """x times its sigmoid."""

    equation = "y[i] = x[i] / (1 + exp(-x[i]))"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return x.array / (1 + np.exp(-x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = sigmoid(x)
        return gy * (s * (1 + x * (1 - s)))


class Softplus(Function):
    """log(1 + e^x), a smooth max(x, 0)."""

    equation = "y[i] = log(1 + exp(x[i]))"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return np.maximum(x.array, 0) + np.log1p(np.exp(-np.abs(x.array)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gy * sigmoid(x)


class NormalCDF(Function):
    """The probability Phi(x) that a standard normal variable is at most x."""

    equation = "y[i] = (1 + erf(x[i] / sqrt(2))) / 2"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return normal_cdf(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gy * _normal_density(x)


def _normal_density(x: Tensor) -> Tensor:
    return (x * x * -0.5).exp() * (1 / sqrt(2 * pi))


class GELU(Function):
    """x times the probability that a standard normal variable is at most x."""

    equation = "y[i] = x[i] * (1 + erf(x[i] / sqrt(2))) / 2"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        return x.array * normal_cdf(x.array)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gy * (NormalCDF.apply(x) + x * _normal_density(x))


class TanhGELU(Function):
    """GELU with the normal distribution approximated by a tanh."""

    equation = "y[i] = x[i] * (1 + tanh(sqrt(2 / pi) * (x[i] + 0.044715 * x[i]^3))) / 2"
    scale = sqrt(2 / pi)

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Array:
        ctx.save_for_backward(x)
        a = x.array
        return 0.5 * a * (1 + np.tanh(TanhGELU.scale * (a + 0.044715 * a * a * a)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        square = x * x
        t = tanh(TanhGELU.scale * x * (1 + 0.044715 * square))
        inner = TanhGELU.scale * (1 + 3 * 0.044715 * square)
        return gy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)


class Softmax(Function):
    """Positive numbers with sum 1 along an axis, in proportion to e^x."""

    equation = "y[n,c] = exp(x[n,c]) / sum[k] exp(x[n,k])"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Array:
        y = np.exp(x.array - _largest(x.array, dim))
        y /= y.sum(axis=dim, keepdims=True)
        ctx.save_for_backward(y)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        weighted = gy * y
        return weighted - y * weighted.sum(ctx.dim, keepdim=True), None


class LogSoftmax(Function):
    """The logarithm of the softmax along an axis."""

    equation = "y[n,c] = x[n,c] - log(sum[k] exp(x[n,k]))"

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Array:
        y = x.array - _largest(x.array, dim)
        y -= np.log(np.exp(y).sum(axis=dim, keepdims=True))
        ctx.save_for_backward(y)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return gy - y.exp() * gy.sum(ctx.dim, keepdim=True), None


def _largest(x: Array, dim: int) -> Array:
    """The largest element along an axis, which is taken out before exp can overflow."""
    return np.max(x, axis=dim, keepdims=True, initial=-np.inf)


def relu(x: Tensor) -> Tensor:
    """Return max(x, 0); the gradient at 0 is 0.

    >>> import pellucid
    >>> relu(pellucid.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    check_tensor("relu", "x", x)
    return ReLU.apply(x)


def relu6(x: Tensor) -> Tensor:
    """Return min(max(x, 0), 6); the gradient at 0 and 6 is 0."""
    check_tensor("relu6", "x", x)
    return ReLU6.apply(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return x where it is positive, else negative_slope x; the gradient at 0 is negative_slope."""
    check_float("leaky_relu", "x", x)
    return LeakyReLU.apply(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else alpha (e^x - 1); the gradient at 0 is alpha."""
    check_float("elu", "x", x)
    return ELU.apply(x, alpha)


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + e^-x)."""
    return Sigmoid.apply(*promote("sigmoid", x, floating=True))


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent of x."""
    return Tanh.apply(*promote("tanh", x, floating=True))


def silu(x: Tensor) -> Tensor:
    """Return x sigmoid(x), also called swish."""
    check_float("silu", "x", x)
    return SiLU.apply(x)


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """Return log(1 + e^(beta x)) / beta, a smooth max(x, 0).

    Maths: max(x, 0) + log(1 + e^-|x|), exact for all x, so that PyTorch's threshold is not needed.
    """
    check_float("softplus", "x", x)
    return Softplus.apply(x) if beta == 1 else Softplus.apply(x * beta) / beta


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Return x Phi(x), with Phi the distribution function of the standard normal.

    Maths: Phi(x) = (1 + erf(x / sqrt(2))) / 2, or with approximate='tanh'
    Phi(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016).
    Raises: ArgumentError for another approximation, DTypeError for integers.

    >>> import pellucid
    >>> gelu(pellucid.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.    ,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(
            "gelu", f"there is no approximation '{approximate}'", fix="use 'none' or 'tanh'"
        )
    check_float("gelu", "x", x)
    return GELU.apply(x) if approximate == "none" else TanhGELU.apply(x)


def softmax(x: Tensor, dim: int) -> Tensor:
    """Return e^x over its sum along axis `dim`: positive numbers with sum 1.

    Maths: y = e^(x - m) / sum of e^(x - m), with m the largest x; gx = y (gy - sum of gy y).
    Raises: ShapeError for an axis that is not there, DTypeError for integers.

    >>> import pellucid
    >>> softmax(pellucid.tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0., 0., 1.])
    """
    return _along(Softmax, "softmax", x, dim)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """Return the logarithm of the softmax along axis `dim`, also where the softmax is 0.

    Maths: y = x - m - log(sum of e^(x - m)), with m the largest x; gx = gy - e^y (sum of gy).
    Raises: ShapeError for an axis that is not there, DTypeError for integers.
    """
    return _along(LogSoftmax, "log_softmax", x, dim)


def _along(op: type[Function], name: str, x: Tensor, dim: int) -> Tensor:
    """Apply an op along an axis; a number counts as an axis of one element."""
    check_float(name, "x", x)
    axis = normalise_dim(name, dim, x.ndim)
    return op.apply(x, axis) if x.ndim else op.apply(x.reshape(1), axis).reshape(())
