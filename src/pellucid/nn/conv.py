"""Convolution layers for 1, 2 and 3 spatial axes: their parameters and options, and nothing else.

PyTorch's signatures and order, and one keyword more, `padding_pairs`. "Convolution" means
cross-correlation, as in every deep-learning library. Next room: ops/conv.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, ClassVar, NoReturn, TypeAlias

import numpy.typing as npt

from pellucid import ops
from pellucid.backend import Device
from pellucid.errors import ArgumentError
from pellucid.nn import init
from pellucid.nn.module import Module
from pellucid.nn.options import whole
from pellucid.nn.parameter import Parameter, empty_parameter
from pellucid.tensor import Tensor

Sizes: TypeAlias = "int | Sequence[int]"
Pairs: TypeAlias = "tuple[tuple[int, int], ...]"

# What a layer calls a border -> what `ops.pad` calls it.
_BORDERS = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}


def _is_pair(pair: Any) -> bool:
    is_pair = isinstance(pair, Sequence) and len(pair) == 2
    return is_pair and all(isinstance(size, Integral) and int(size) >= 0 for size in pair)


class Convolution(Module):
    """What all convolution layers share, transposed ones too: checked options and parameters."""

    axes: ClassVar[int]
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        dilation: Sizes,
        groups: int,
        padding_mode: str,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self._check_channels()
        self.kernel_size = self._per_axis("kernel_size", kernel_size)
        self.stride = self._per_axis("stride", stride)
        self.dilation = self._per_axis("dilation", dilation)
        self.padding_mode = padding_mode

    def _add_parameters(
        self,
        channels: tuple[int, int],
        bias: bool,
        device: str | Device | None,
        dtype: npt.DTypeLike | None,
    ) -> None:
        """Make the weight (*channels, *kernel) and the bias, and draw both."""
        self.weight = empty_parameter((*channels, *self.kernel_size), device, dtype)
        self.register_parameter(
            "bias", empty_parameter((self.out_channels,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def _refuse(self, rule: str, fix: str) -> NoReturn:
        raise ArgumentError(type(self).__name__, rule, fix=fix)

    def _check_channels(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            whole(type(self).__name__, name, getattr(self, name), least=1)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                self._refuse(
                    f"{name}={getattr(self, name)} does not divide into groups={self.groups}",
                    "choose groups that divide both numbers of channels",
                )

    def _per_axis(self, name: str, value: Sizes, least: int = 1) -> tuple[int, ...]:
        """Return one number for each spatial axis, where one number alone stands for all."""
        sizes = tuple(value) if isinstance(value, Sequence) else (value,) * self.axes
        if len(sizes) != self.axes or not all(isinstance(size, Integral) for size in sizes):
            self._refuse(
                f"{name}={value!r} is neither a whole number nor {self.axes} of them",
                f"give {name} one number, or one for each spatial axis",
            )
        if min(sizes) < least:
            self._refuse(f"{name}={value} is less than {least}", f"use {least} or more")
        return tuple([int(size) for size in sizes])

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniformly in +-1 / sqrt(weight.shape[1] times the kernel)."""
        init.default_weight_and_bias_(self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the options that differ from their defaults, in PyTorch's order."""
        zero, once = (0,) * self.axes, (1,) * self.axes
        defaults = {
            "padding": zero,
            "padding_pairs": None,
            "dilation": once,
            "output_padding": zero,
            "groups": 1,
        }
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        for name, default in defaults.items():
            value = getattr(self, name, default)  # not every layer has them all
            text += f", {name}={value}" if value != default else ""
        text += ", bias=False" if self.bias is None else ""
        text += f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else ""
        return text


class _Conv(Convolution):
    """What the layers below share: their padding, and borders other than zeros."""

    padding: str | tuple[int, ...]
    padding_pairs: Pairs | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
        *,
        padding_pairs: Sequence[Sequence[int]] | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, dilation, groups, padding_mode
        )
        self.padding = self._checked_padding(padding)
        self.padding_pairs = self._checked_pairs(padding_pairs)
        if padding_mode not in _BORDERS:
            known = ", ".join(_BORDERS)
            self._refuse(f"there is no padding_mode '{padding_mode}'", f"use one of {known}")
        self._add_parameters((out_channels, in_channels // groups), bias, device, dtype)

    def _checked_padding(self, padding: str | Sizes) -> str | tuple[int, ...]:
        if not isinstance(padding, str):
            return self._per_axis("padding", padding, least=0)
        if padding not in ("same", "valid"):
            self._refuse(f"there is no padding '{padding}'", "use 'same', 'valid' or numbers")
        return padding

    def _checked_pairs(self, pairs: Sequence[Sequence[int]] | None) -> Pairs | None:
        if pairs is None:
            return None
        if self.padding != (0,) * self.axes:
            self._refuse(
                f"padding={self.padding!r} and padding_pairs={pairs!r} are both given",
                "give one of them",
            )
        fits = len(pairs) == self.axes and all(map(_is_pair, pairs))
        if not fits:
            self._refuse(
                f"padding_pairs={pairs!r} are not {self.axes} pairs of whole numbers, 0 or more",
                "give each spatial axis a (low, high)",
            )
        return tuple([(int(low), int(high)) for low, high in pairs])

    @property
    def _zeros(self) -> str | tuple[int, ...] | Pairs:
        """The padding that the op adds."""
        if self.padding_mode != "zeros":
            return "valid"
        return self.padding if self.padding_pairs is None else self.padding_pairs

    def _bordered(self, x: Tensor) -> Tensor:
        """Return x with its border, but for zeros, which the op adds without a copy."""
        if self.padding_mode == "zeros" or self.padding == "valid" or x.ndim != self.axes + 2:
            return x  # an x of another rank is the op's to refuse
        if self.padding_pairs is not None:
            pairs = self.padding_pairs
        elif isinstance(self.padding, str):
            pairs = ops.same_padding(x.shape[2:], self.kernel_size, self.stride, self.dilation)
        else:
            pairs = tuple([(size, size) for size in self.padding])
        amounts = [amount for pair in reversed(pairs) for amount in pair]
        return ops.pad(x, amounts, _BORDERS[self.padding_mode])


class Conv1d(_Conv):
    """A convolution along one axis: `Conv2d` with one spatial axis less.

    Shapes: x (N, C, W), weight (O, C/G, KW), bias (O), y (N, O, OW).
    """

    axes = 1

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution: (N, C, W) -> (N, O, OW)."""
        return ops.conv1d(
            self._bordered(x),
            self.weight,
            self.bias,
            self.stride,
            self._zeros,
            self.dilation,
            self.groups,
        )


class Conv2d(_Conv):
    """A convolution of images: every output pixel is a window of x times the kernel, plus a bias.

    `stride`, `padding` and `dilation` are a number or one for each of the two axes. `padding` is
    also 'valid' (none) or 'same' (OH = ceil(H / stride), for any stride: where the total is odd,
    the high end gets the one more). `padding_pairs=((top, bottom), (left, right))` pads unequally,
    instead of `padding`. `padding_mode` says what the border holds: zeros, reflect, replicate or
    circular (`ops.pad` shows them).

    Shapes: x (N, C, H, W), weight (O, C/G, KH, KW), bias (O), y (N, O, OH, OW) with
    OH = floor((H + top + bottom - dilation (KH - 1) - 1) / stride) + 1.
    Raises: ArgumentError for options that make no layer; forward as `ops.conv2d`.

    >>> import pellucid
    >>> layer = Conv2d(3, 16, 3, stride=2, padding_pairs=((0, 1), (0, 1)))
    >>> layer
    Conv2d(3, 16, kernel_size=(3, 3), stride=(2, 2), padding_pairs=((0, 1), (0, 1)))
    >>> layer(pellucid.ones(8, 3, 32, 32)).shape
    (8, 16, 16, 16)
    """

    axes = 2

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution: (N, C, H, W) -> (N, O, OH, OW)."""
        return self._convolved(ops.conv2d, x)

    def with_relu(self, x: Tensor) -> Tensor:
        """Return relu(self(x)), computed in the pass that writes self(x).

        Results and gradients are those of the parts. No hook of a layer is called: fusion.py takes
        this way where there are none.

        >>> import pellucid
        >>> layer, x = Conv2d(3, 4, 3), pellucid.randn(2, 3, 5, 5)
        >>> bool((layer.with_relu(x) == layer(x).relu()).all())
        True
        """
        return self._convolved(ops.conv2d_relu, x)

    def _convolved(self, op: Callable[..., Tensor], x: Tensor) -> Tensor:
        return op(
            self._bordered(x),
            self.weight,
            self.bias,
            self.stride,
            self._zeros,
            self.dilation,
            self.groups,
        )


class Conv3d(_Conv):
    """A convolution of volumes: `Conv2d` with one spatial axis more.

    Shapes: x (N, C, D, H, W), weight (O, C/G, KD, KH, KW), bias (O), y (N, O, OD, OH, OW).
    """

    axes = 3

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution: (N, C, D, H, W) -> (N, O, OD, OH, OW)."""
        return ops.conv3d(
            self._bordered(x),
            self.weight,
            self.bias,
            self.stride,
            self._zeros,
            self.dilation,
            self.groups,
        )
