"""Activations as layers: they hold options and no parameters.

`inplace` is taken for PyTorch's sake, so that its models need no change, and has no effect: x is
never overwritten. Next room: ops/activation.py.
"""

from __future__ import annotations

from pellucid import ops
from pellucid.nn.module import Module
from pellucid.tensor import Tensor


class _InPlace(Module):
    """What the activations with PyTorch's `inplace` have in common."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return `inplace` where it is set."""
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return max(x, 0)."""
        return ops.relu(x)


class ReLU6(_InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return min(max(x, 0), 6)."""
        return ops.relu6(x)


class LeakyReLU(_InPlace):
    """x where it is positive, else negative_slope x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Return max(x, 0) + negative_slope min(x, 0)."""
        return ops.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(_InPlace):
    """x where it is positive, else alpha (e^x - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Return x, or alpha (e^x - 1) where x is negative."""
        return ops.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SiLU(_InPlace):
    """x sigmoid(x), also called swish."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x sigmoid(x)."""
        return ops.silu(x)


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 / (1 + e^-x)."""
        return ops.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Tensor) -> Tensor:
        """Return tanh(x)."""
        return ops.tanh(x)


class GELU(Module):
    """x Phi(x), with the normal distribution function or, for `approximate='tanh'`, close to it."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Return x Phi(x)."""
        return ops.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"approximate={self.approximate!r}"


class _Along(Module):
    """What the layers that normalise along one axis have in common."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmax(_Along):
    """e^x over its sum along `dim`, which must be given."""

    def forward(self, x: Tensor) -> Tensor:
        """Return positive numbers whose sum along `dim` is 1."""
        return ops.softmax(x, self.dim)


class LogSoftmax(_Along):
    """The logarithm of the softmax along `dim`, which must be given."""

    def forward(self, x: Tensor) -> Tensor:
        """Return log(softmax(x)), without overflow."""
        return ops.log_softmax(x, self.dim)
