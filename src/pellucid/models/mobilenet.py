"""MobileNetV2: blocks that widen, convolve each channel alone, and narrow again.

Source: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks" (2018).
Next room: unet.py.
"""

from __future__ import annotations

from pellucid import nn
from pellucid.nn import init
from pellucid.tensor import Tensor

# Table 2 of the source: expansion, channels, blocks, stride of the first block.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _conv(C: int, O: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution that keeps the size but for its stride; a norm follows, so no bias."""
    return nn.Conv2d(C, O, kernel, stride, kernel // 2, groups=groups, bias=False)


def _activated(conv: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU6())


class InvertedResidual(nn.Module):
    """1x1 to `expansion` times the channels, 3x3 depthwise, 1x1 to `O` without an activation.

    Where shapes allow it, x is added.

    Shapes: x (N, C, H, W), y (N, O, H / stride, W / stride), rounded up.
    """

    def __init__(self, C: int, O: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = C * expansion
        widen = [_activated(_conv(C, wide))] if expansion != 1 else []
        depthwise = _activated(_conv(wide, wide, 3, stride, groups=wide))
        self.conv = nn.Sequential(*widen, depthwise, _conv(wide, O), nn.BatchNorm2d(O))
        self.adds = stride == 1 and C == O

    def forward(self, x: Tensor) -> Tensor:
        """Return F(x), or x + F(x)."""
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """The network that `mobilenet_v2` returns.

    Shapes: x (N, 3, H, W), y (N, num_classes); the comments give the sizes for 224x224.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(_activated(_conv(3, 32, 3, stride=2)))  # 224 -> 112
        C = 32
        for expansion, O, count, stride in _STAGES:  # -> 112, 56, 28, 14, 14, 7, 7
            for k in range(count):
                self.features.append(InvertedResidual(C, O, 1 if k else stride, expansion))
                C = O
        self.features.append(_activated(_conv(C, 1280)))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear) and module.bias is not None:
                init.normal_(module.weight, 0, 0.01)
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes: (N, 3, H, W) -> (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def mobilenet_v2(num_classes: int = 1000, dropout: float = 0.2) -> MobileNetV2:
    """Return a MobileNetV2, with freshly drawn parameters and torchvision's names for them.

    Shapes: x (N, 3, 224, 224), or another size; y (N, num_classes).
    Source: Sandler et al. (2018), table 2.
    Cost: 0.3 billion multiply-adds for an image of 224x224.

    >>> sum(parameter.numel() for parameter in mobilenet_v2().parameters())
    3504872
    """
    return MobileNetV2(num_classes, dropout)
