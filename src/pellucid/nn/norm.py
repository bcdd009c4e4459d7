"""Batch normalisation layers: their parameters, their running statistics, and when to use which.

Next room: ops/norm.py.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pellucid import ops
from pellucid.backend import Device
from pellucid.dtypes import int64
from pellucid.errors import ShapeError
from pellucid.nn import init
from pellucid.nn.module import Module
from pellucid.nn.options import whole
from pellucid.nn.parameter import Parameter, empty_parameter
from pellucid.tensor import Tensor


class _BatchNorm(Module):
    """What the batch normalisations share; subclasses say which axes x has."""

    letters: ClassVar[tuple[str, ...]]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        whole(type(self).__name__, "num_features", num_features, least=1)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats

        def per_channel() -> Parameter:
            return empty_parameter((num_features,), device, dtype)

        self.register_parameter("weight", per_channel() if affine else None)
        self.register_parameter("bias", per_channel() if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", per_channel().detach() if tracked else None)
        self.register_buffer("running_var", per_channel().detach() if tracked else None)
        count = Tensor(np.zeros((), int64)) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the running variance to 1, the count of batches to 0."""
        for tensor, value in (
            (self.running_mean, 0),
            (self.running_var, 1),
            (self.num_batches_tracked, 0),
        ):
            if tensor is not None:
                tensor.fill_(value)

    def reset_parameters(self) -> None:
        """Set weight to 1 and bias to 0, and reset the running statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return weight (x - mean) / sqrt(variance + eps) + bias, channel by channel."""
        return self._normalise(ops.batch_norm, x)

    def with_relu(self, x: Tensor, residual: Tensor | None = None, ceiling: float = inf) -> Tensor:
        """Return min(relu(self(x) + residual), ceiling), in the passes over memory of self(x).

        Results and gradients are those of the parts. No hook of a layer is called: fusion.py takes
        this way where there are none.

        >>> import pellucid
        >>> layer, x = BatchNorm2d(3), pellucid.randn(2, 3, 4, 4)
        >>> bool((layer.with_relu(x, x) == (layer(x) + x).relu()).all())
        True
        """
        return self._normalise(ops.batch_norm_relu, x, residual=residual, ceiling=ceiling)

    def _normalise(self, op: Callable[..., Tensor], x: Tensor, **following: Any) -> Tensor:
        if x.ndim not in [len(axes.split()) for axes in self.letters]:
            wanted = " or ".join(f"({', '.join(axes.split())})" for axes in self.letters)
            raise ShapeError(
                type(self).__name__,
                f"x has {x.ndim} axes, not those of {wanted}",
                f"x {x.shape}",
                fix="reshape x, or use the layer for its number of axes",
            )
        momentum, count = self.momentum or 0.0, self.num_batches_tracked
        if count is not None and self.momentum is None:
            momentum = 1 / (int(count) + 1)
        y = op(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            momentum,
            self.eps,
            **following,
        )
        if self.training and count is not None:
            count.add_(1)
        return y

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features, or of channels along one axis.

    Shapes: x (N, C) or (N, C, W), y as x, all else (C).
    Source: Ioffe and Szegedy, "Batch normalization" (2015).
    """

    letters = ("N C", "N C W")


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of the channels of images.

    In training, `running_mean` and `running_var` move towards the batch's mean and variance by the
    share `momentum`, or become their plain mean over all batches so far with `momentum=None`. In
    evaluation they are what x is normalised by (with `track_running_stats=False`, the batch's own).

    Shapes: x (N, C, H, W), y as x, all else (C).
    Source: Ioffe and Szegedy, "Batch normalization" (2015).

    >>> import pellucid
    >>> layer = BatchNorm2d(3)
    >>> layer(pellucid.ones(8, 3, 4, 4)).shape, layer.num_batches_tracked
    ((8, 3, 4, 4), tensor(1))
    """

    letters = ("N C H W",)
