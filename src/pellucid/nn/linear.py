"""Fully connected layers.

Next room: ops/linear.py.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from pellucid import ops
from pellucid.backend import Device
from pellucid.nn import init
from pellucid.nn.module import Module
from pellucid.nn.options import whole
from pellucid.nn.parameter import Parameter, empty_parameter
from pellucid.tensor import Tensor


class Linear(Module):
    """y = x w^T + b along the last axis.

    Shapes: x (..., in_features), weight (out_features, in_features), bias (out_features), y (...,
    out_features).

    >>> import pellucid
    >>> Linear(8, 2)(pellucid.ones(5, 8)).shape
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__()
        for name, features in (("in_features", in_features), ("out_features", out_features)):
            whole("Linear", name, features, least=0)
        self.in_features, self.out_features = in_features, out_features
        self.weight = empty_parameter((out_features, in_features), device, dtype)
        self.register_parameter(
            "bias", empty_parameter((out_features,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniformly in +-1 / sqrt(in_features)."""
        init.default_weight_and_bias_(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return x w^T + b: (..., in_features) -> (..., out_features)."""
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the options."""
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


class Identity(Module):
    """y = x; it takes and ignores any arguments, so that it can stand for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """Return x."""
        return x
