"""Pooling layers: they hold options and no parameters.

Next room: ops/pool.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from pellucid import ops
from pellucid.nn.module import Module
from pellucid.tensor import Tensor

Sizes: TypeAlias = "int | Sequence[int]"


class _MaxPool(Module):
    """The options that maximum pooling has along any number of axes."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def _pooled(self, op: Callable[..., Any], x: Tensor) -> Any:
        window = self.kernel_size, self.stride, self.padding, self.dilation
        return op(x, *window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """Return the options."""
        text = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{text}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class MaxPool1d(_MaxPool):
    """The largest element of each window along one axis: `MaxPool2d` with one axis less.

    Shapes: x (N, C, W), y (N, C, OW); with `return_indices` also where in W each lies.
    """

    def forward(self, x: Tensor) -> Any:
        """Return the maxima: (N, C, W) -> (N, C, OW)."""
        return self._pooled(ops.max_pool1d, x)


class MaxPool2d(_MaxPool):
    """The largest element of each window; `stride` is the kernel's size if not given.

    Shapes: x (N, C, H, W), y (N, C, OH, OW); with `return_indices` also where in H W each lies.
    """

    def forward(self, x: Tensor) -> Any:
        """Return the maxima: (N, C, H, W) -> (N, C, OH, OW)."""
        return self._pooled(ops.max_pool2d, x)


class AvgPool1d(Module):
    """The mean of each window along one axis: `AvgPool2d` with one axis less.

    Shapes: x (N, C, W), y (N, C, OW).
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.ceil_mode = kernel_size, padding, ceil_mode
        self.stride = kernel_size if stride is None else stride
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        """Return the means: (N, C, W) -> (N, C, OW)."""
        return ops.avg_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        """Return the options, as PyTorch writes them: (3,) for 3."""
        window = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        sizes = {k: (v,) if isinstance(v, int) else tuple(v) for k, v in window.items()}
        return ", ".join(f"{name}={size}" for name, size in sizes.items())


class AvgPool2d(Module):
    """The mean of each window; `stride` is the kernel's size if not given.

    Shapes: x (N, C, H, W), y (N, C, OH, OW).
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.ceil_mode = kernel_size, padding, ceil_mode
        self.stride = kernel_size if stride is None else stride
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Tensor) -> Tensor:
        """Return the means: (N, C, H, W) -> (N, C, OH, OW)."""
        return ops.avg_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """Return the options."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptiveAvgPool(Module):
    """The option that adaptive pooling has along any number of axes."""

    def __init__(self, output_size: int | Sequence[int | None]) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """Return the options."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of windows that divide x into `output_size` parts along one axis.

    Shapes: x (N, C, W), y (N, C, OW).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the means: (N, C, W) -> (N, C, OW)."""
        return ops.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows that divide x into `output_size` parts, whatever its size.

    Shapes: x (N, C, H, W), y (N, C, OH, OW) with `output_size` a number, or (OH, OW) where None
    keeps the size of x.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the means: (N, C, H, W) -> (N, C, OH, OW)."""
        return ops.adaptive_avg_pool2d(x, self.output_size)
