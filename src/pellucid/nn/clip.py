"""Clipping gradients between `backward()` and the optimizer's step.

Next room: optim/optimizer.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DEFAULT_FLOAT
from pellucid.errors import ArgumentError
from pellucid.tensor import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in given if p.grad is not None]


def _power_sum(g: Array, norm_type: float) -> float:
    """Return the sum of |g|^norm_type, added up in float64."""
    return float(np.sum(np.abs(g) ** norm_type, dtype=np.float64))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Shrink all gradients by one factor so that their common norm is at most `max_norm`.

    Maths: with n = (sum of |g|^norm_type over all elements of all gradients)^(1/norm_type), or
    their maximum for norm_type inf: g = g max_norm / (n + 1e-6) where that factor is below 1.
    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
    (2013). The 1e-6 is PyTorch's.
    Cost: temporaries of the size of the largest gradient.
    Raises: ArgumentError for options out of range; with `error_if_nonfinite` when n is NaN or
    infinite. Without it, an infinite n makes the gradients zero or NaN.

    Returns n, a 0-d tensor.

    >>> import pellucid
    >>> w = pellucid.zeros(2, requires_grad=True)
    >>> (w * pellucid.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6, 0.8])
    """
    for name, value in (("max_norm", max_norm), ("norm_type", norm_type)):
        if not value >= 0 or (name == "norm_type" and value == 0):
            least = "above 0" if name == "norm_type" else "of 0 or more"
            raise ArgumentError(
                "clip_grad_norm_", f"{name}={value!r} is no number {least}", fix="use a larger one"
            )
    gradients = _gradients(parameters)
    with np.errstate(all="ignore"):
        if math.isinf(norm_type):
            norm = float(np.max([np.max(np.abs(g.array), initial=0) for g in gradients], initial=0))
        else:
            total = sum(_power_sum(g.array, float(norm_type)) for g in gradients)
            norm = float(np.float64(total) ** (1.0 / norm_type))
        if error_if_nonfinite and not math.isfinite(norm):
            raise ArgumentError(
                "clip_grad_norm_",
                f"the norm of the gradients is {norm}",
                fix="look for the op that overflows, or pass error_if_nonfinite=False",
            )
        factor = float(max_norm) / (norm + 1e-6)
        for g in gradients if not factor >= 1 else ():  # a NaN spreads, as in PyTorch
            np.multiply(g.array, factor, out=g.array)
            g.bump_version()
    dtype = gradients[0].dtype if gradients else DEFAULT_FLOAT
    return Tensor(np.asarray(norm, dtype))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Move every element of every gradient into -clip_value .. clip_value.

    Raises: ArgumentError for a negative value.

    >>> import pellucid
    >>> w = pellucid.zeros(2, requires_grad=True)
    >>> (w * pellucid.tensor([3.0, -0.5])).sum().backward()
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 1. , -0.5])
    """
    if not clip_value >= 0:
        raise ArgumentError(
            "clip_grad_value_",
            f"clip_value={clip_value!r} is no number of 0 or more",
            fix="use a larger one",
        )
    for g in _gradients(parameters):
        np.clip(g.array, -clip_value, clip_value, out=g.array)
        g.bump_version()
