"""Transposed convolution layers for 1, 2 and 3 spatial axes: parameters, options, the size of y.

PyTorch's signatures and order. Not here: why a transposed convolution is the gradient of a
convolution (docs/maths.md, 9). Next room: ops/conv_transpose.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from pellucid import ops
from pellucid.backend import Device
from pellucid.nn.conv import Convolution, Sizes
from pellucid.tensor import Tensor


class _ConvTranspose(Convolution):
    """What the layers below share: the padding of their output, by options or by its size."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, dilation, groups, padding_mode
        )
        if isinstance(padding, str):
            self._refuse(
                f"padding='{padding}' is not for transposed convolutions",
                "give numbers, and choose the size by output_padding or forward(x, output_size)",
            )
        self.padding = self._per_axis("padding", padding, least=0)
        self.output_padding = self._per_axis("output_padding", output_padding, least=0)
        if padding_mode != "zeros":
            self._refuse(
                f"padding_mode='{padding_mode}' is not for transposed convolutions",
                "leave it out: their padding takes rows away and adds none",
            )
        self._add_parameters((in_channels, out_channels // groups), bias, device, dtype)

    def _output_padding(self, x: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """Return the output_padding that leads to output_size, where one is asked for."""
        if output_size is None or x.ndim != self.axes + 2:
            return self.output_padding  # an x of another rank is the op's to refuse
        return ops.output_padding_for(
            x.shape, output_size, self.kernel_size, self.stride, self.padding, self.dilation
        )


class ConvTranspose1d(_ConvTranspose):
    """A transposed convolution along one axis: `ConvTranspose2d` with one spatial axis less.

    Shapes: x (N, C, W), weight (C, O/G, KW), bias (O), y (N, O, OW).
    """

    axes = 1

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the transposed convolution: (N, C, W) -> (N, O, OW)."""
        return ops.conv_transpose1d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(x, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose2d(_ConvTranspose):
    """A transposed convolution of images: every pixel of x spreads the kernel over y, plus a bias.

    It leads from the channels and size that a `Conv2d` makes back to those it is given. `stride`,
    `padding`, `output_padding` and `dilation` are a number or one for each of the two axes.
    `padding` takes rows away from both ends of y; `output_padding` adds some at the high end. With
    a stride several sizes of y have the same x: `forward(x, output_size)` names the one that is
    wanted, as (OH, OW) or as a whole shape, and then stands for `output_padding`.

    Shapes: x (N, C, H, W), weight (C, O/G, KH, KW), bias (O), y (N, O, OH, OW) with
    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + 1 + output_padding.
    Raises: ArgumentError for options that make no layer; ShapeError for an output_size out of
    reach; forward as `ops.conv_transpose2d`.

    >>> import pellucid
    >>> from pellucid.nn import Conv2d
    >>> down, up = Conv2d(3, 16, 3, stride=2, padding=1), ConvTranspose2d(16, 3, 3, 2, 1)
    >>> up
    ConvTranspose2d(16, 3, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    >>> x = pellucid.ones(8, 3, 32, 32)
    >>> down(x).shape, up(down(x)).shape, up(down(x), output_size=x.shape).shape
    ((8, 16, 16, 16), (8, 3, 31, 31), (8, 3, 32, 32))
    """

    axes = 2

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the transposed convolution: (N, C, H, W) -> (N, O, OH, OW)."""
        return ops.conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(x, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose3d(_ConvTranspose):
    """A transposed convolution of volumes: `ConvTranspose2d` with one spatial axis more.

    Shapes: x (N, C, D, H, W), weight (C, O/G, KD, KH, KW), bias (O), y (N, O, OD, OH, OW).
    """

    axes = 3

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the transposed convolution: (N, C, D, H, W) -> (N, O, OD, OH, OW)."""
        return ops.conv_transpose3d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(x, output_size),
            self.groups,
            self.dilation,
        )
