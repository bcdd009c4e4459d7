"""U-Net: down by pooling, up by transposed convolutions, and beside each other what has one size.

Source: Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation"
(2015), with padding, so that y has the size of x. Next room: images.py.
"""

from __future__ import annotations

from pellucid import nn, ops
from pellucid.errors import ShapeError, named_shape
from pellucid.nn import init
from pellucid.tensor import Tensor


def _double(C: int, O: int) -> nn.Sequential:
    """Return two 3x3 convolutions, each with its ReLU and, as in the source, without a norm."""
    convs = nn.Conv2d(C, O, 3, padding=1), nn.Conv2d(O, O, 3, padding=1)
    for conv in convs:
        init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(convs[0], nn.ReLU(), convs[1], nn.ReLU())


class UNet(nn.Module):
    """A U-Net of `levels` halvings, with `base` channels at full size and twice as many at each.

    Its parts are named `down.0` to `down.3`, `bottom`, `up.0` to `up.3`, which are the transposed
    convolutions, `join.0` to `join.3` behind them, and `out`; `up.0` and `join.0` are the lowest.

    Shapes: x (N, in_channels, H, W), y (N, num_classes, H, W), with H and W multiples of 2^levels.
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int = 2, base: int = 64, levels: int = 4
    ) -> None:
        super().__init__()
        widths = [base << level for level in range(levels)]
        self.down = nn.ModuleList()
        C = in_channels
        for width in widths:
            self.down.append(_double(C, width))
            C = width
        self.pool = nn.MaxPool2d(2)
        self.bottom = _double(C, 2 * C)
        self.up, self.join = nn.ModuleList(), nn.ModuleList()
        for width in reversed(widths):
            self.up.append(nn.ConvTranspose2d(2 * width, width, 2, stride=2))
            self.join.append(_double(2 * width, width))
        self.out = nn.Conv2d(base, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes of each pixel: (N, C, H, W) -> (N, num_classes, H, W).

        Raises: ShapeError for a size that cannot be halved often enough.
        """
        self._check(x)
        kept = []
        for double in self.down:
            x = double(x)
            kept.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for up, join in zip(self.up, self.join, strict=True):
            # (N, C, H, W), (N, C, H, W) -> (N, 2 C, H, W)
            x = join(ops.cat([kept.pop(), up(x)], dim=1))
        return self.out(x)

    def _check(self, x: Tensor) -> None:
        step = 1 << len(self.down)
        if x.ndim == 4 and any(size % step for size in x.shape[2:]):
            raise ShapeError(
                "UNet",
                f"H and W must be multiples of {step}, to be halved {len(self.down)} times",
                named_shape("x", "N C H W", x.shape),
                fix="pad or crop x",
            )


def unet(in_channels: int = 1, num_classes: int = 2) -> UNet:
    """Return a U-Net of 64 channels and 4 levels, with freshly drawn parameters.

    Two classes of pixels of a grey image unless told otherwise; convolutions with ReLU and without
    batch normalisation, as in the source.

    Shapes: x (N, in_channels, H, W), y (N, num_classes, H, W), with H and W multiples of 16.
    Source: Ronneberger et al. (2015), figure 1, with padding 1.
    Cost: 12 billion multiply-adds for an image of 128x128.
    Raises: ShapeError where H or W is no multiple of 16.

    >>> sum(parameter.numel() for parameter in unet().parameters())
    31030658
    """
    return UNet(in_channels, num_classes)
