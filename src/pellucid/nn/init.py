"""The values that parameters start from; each function overwrites its tensor and returns it.

Every call takes the next draw of `pellucid.random` in row-major order, so the values depend on the
seed and the order of calls, not on memory layouts or threads. Layers call these with PyTorch's
defaults. Not here: which layer uses which (the layers). Next room: linear.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.errors import ArgumentError, ShapeError
from pellucid.grad_mode import no_grad
from pellucid.random import next_generator
from pellucid.tensor import Scalar, Tensor

_LINEAR = ("linear", *[f"conv{kind}{k}d" for kind in ("", "_transpose") for k in (1, 2, 3)])
_GAINS = {"sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


def _overwrite(tensor: Tensor, value: Array | Scalar) -> Tensor:
    with no_grad():
        return tensor.copy_(value)


def constant_(tensor: Tensor, val: Scalar) -> Tensor:
    """Overwrite every element with `val`."""
    return _overwrite(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Overwrite every element with zero."""
    return _overwrite(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Overwrite every element with one."""
    return _overwrite(tensor, 1)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Draw each element uniformly between a and b.

    >>> import pellucid
    >>> x = uniform_(pellucid.empty(1000), -1.0, 1.0)
    >>> bool((x >= -1).all()), bool((x <= 1).all())
    (True, True)
    """
    return _overwrite(tensor, next_generator().uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Draw each element from the normal distribution.

    Raises: ArgumentError for a negative std.
    """
    _check_std("normal_", std, may_be_zero=True)
    return _overwrite(tensor, next_generator().normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Draw each element from the normal distribution cut off below a and above b.

    Maths: by rejection. Candidates are normal; in a narrow [a, b] they are uniform and kept with
    the probability exp((m^2 - z^2) / 2), where m is the smallest |z| of the interval.
    Raises: ArgumentError where a >= b, std <= 0, or [a, b] lies more than 2 std from the mean.
    """
    _check_std("trunc_normal_", std, may_be_zero=False)
    low, high = (a - mean) / std, (b - mean) / std
    nearest = max(low, -high, 0.0)
    if not low < high or nearest > 2:
        raise ArgumentError(
            "trunc_normal_",
            f"[a, b] = [{a}, {b}] is empty or more than 2 std from the mean (mean={mean}, "
            f"std={std})",
            fix="choose a < b around the mean",
        )
    generator = next_generator()
    z: Array = np.empty(0)
    while z.size < tensor.numel():
        count = max(tensor.numel() - z.size, 1024)
        if high - low > math.sqrt(2 * math.pi):
            found = generator.standard_normal(count)
            found = found[(low <= found) & (found <= high)]
        else:
            found = generator.uniform(low, high, count)
            found = found[generator.random(count) < np.exp((nearest**2 - found**2) / 2)]
        z = np.concatenate([z, found])
    z = z[: tensor.numel()].reshape(tensor.shape)
    return _overwrite(tensor, np.clip(mean + std * z, a, b))


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Overwrite with a random matrix whose rows (or columns, if fewer) are orthonormal, times gain.

    Shapes: a tensor of more than two axes counts as (first axis, all others).
    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks" (2014).
    Raises: ShapeError for less than two axes.
    """
    _check_axes("orthogonal_", tensor)
    rows = tensor.shape[0]
    columns = tensor.numel() // max(rows, 1)
    draw = next_generator().standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw)
    # LAPACK's choice of signs undone, so that every orthogonal matrix is equally likely
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return _overwrite(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output of a layer with this weight has, and the reverse.

    Shapes: (O, C, *kernel) gives C * kernel and O * kernel.
    Raises: ShapeError for less than two axes.

    >>> import pellucid
    >>> fan_in_and_fan_out(pellucid.empty(16, 3, 5, 5))
    (75, 400)
    """
    _check_axes("fan_in_and_fan_out", tensor)
    O, C, *kernel = tensor.shape
    return C * math.prod(kernel), O * math.prod(kernel)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps the variance through a nonlinearity.

    `param` is the negative slope of leaky_relu, 0.01 if not given.
    Raises: ArgumentError for a name that is not known.
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity not in _GAINS:
        raise ArgumentError(
            "calculate_gain",
            f"there is no gain for '{nonlinearity}'",
            fix=f"use one of leaky_relu, {', '.join((*_GAINS, *_LINEAR))}",
        )
    return _GAINS[nonlinearity]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Draw uniformly with the variance gain^2 2 / (fan_in + fan_out).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010).
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Draw normally with the variance gain^2 2 / (fan_in + fan_out).

    Source: as `xavier_uniform_`.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain))


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = fan_in_and_fan_out(tensor)
    return gain * math.sqrt(2.0 / max(fan_in + fan_out, 1))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Draw uniformly with the variance gain^2 / fan; `a` is the negative slope of leaky_relu.

    Source: He et al., "Delving deep into rectifiers" (2015).
    Raises: ArgumentError for a mode other than fan_in and fan_out.
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Draw normally with the variance gain^2 / fan; `a` is the negative slope of leaky_relu.

    Source and Raises: as `kaiming_uniform_`.
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), fan_in_and_fan_out(tensor), strict=True))
    if mode not in fans:
        raise ArgumentError("kaiming", f"there is no mode '{mode}'", fix="use fan_in or fan_out")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fans[mode], 1))


def default_weight_and_bias_(weight: Tensor, bias: Tensor | None) -> None:
    """Draw what PyTorch's linear and convolution layers start from.

    Maths: both uniform in +-1 / sqrt(fan_in); for the weight that is kaiming_uniform_, a = sqrt(5).
    """
    kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(max(fan_in_and_fan_out(weight)[0], 1))
        uniform_(bias, -bound, bound)


def _check_axes(op: str, tensor: Tensor) -> None:
    if tensor.ndim < 2:
        raise ShapeError(
            op,
            f"a tensor of shape {tensor.shape} has {tensor.ndim} axes, at least 2 are needed",
            fix="use uniform_ or normal_",
        )


def _check_std(op: str, std: Any, may_be_zero: bool) -> None:
    if not (std > 0 or (may_be_zero and std == 0)):
        raise ArgumentError(op, f"std={std} is no standard deviation", fix="use a positive std")
