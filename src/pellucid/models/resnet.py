"""Residual networks: blocks that add what they compute to what they were given.

`resnet18`, `resnet34` and `resnet50` are those for ImageNet, `resnet20` the one for CIFAR. In
`resnet50` the stride stands in the 3x3 convolution, as in torchvision.
Source: He et al., "Deep residual learning for image recognition" (2015).

Next room: mobilenet.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pellucid import nn, ops
from pellucid.nn import init
from pellucid.nn.fusion import with_relu
from pellucid.tensor import Tensor


def _conv(C: int, O: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution that keeps the size but for its stride; a norm follows, so no bias."""
    return nn.Conv2d(C, O, kernel, stride, padding=kernel // 2, bias=False)


def _init(network: nn.Module) -> None:
    """Draw the convolutions as He et al. do; the other layers keep what they started from."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, and a shortcut: x itself, or `downsample(x)` where that is given.

    Shapes: x (N, C, H, W), y (N, width, H / stride, W / stride), rounded up.
    """

    expansion: ClassVar[int] = 1

    def __init__(
        self, C: int, width: int, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = _conv(C, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = with_relu(self.bn1, self.relu, self.conv1(x))
        return with_relu(self.bn2, self.relu, self.conv2(y), shortcut)


class Bottleneck(nn.Module):
    """1x1 to `width` channels, 3x3, 1x1 to four times as many; the shortcut as in `BasicBlock`.

    Shapes: x (N, C, H, W), y (N, 4 width, H / stride, W / stride), rounded up.
    """

    expansion: ClassVar[int] = 4

    def __init__(
        self, C: int, width: int, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = _conv(C, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU()
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = with_relu(self.bn1, self.relu, self.conv1(x))
        y = with_relu(self.bn2, self.relu, self.conv2(y))
        return with_relu(self.bn3, self.relu, self.conv3(y), shortcut)


class Widened(nn.Module):
    """Every second pixel of x between channels of zeros: a shortcut without parameters, option A.

    Shapes: x (N, C, H, W), y (N, 2 C, H / 2, W / 2), rounded up.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x at half its size, with C / 2 channels of zeros before it and after it."""
        C = x.shape[1]
        return ops.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, C // 2, C - C // 2))


class ResNet(nn.Module):
    """A ResNet for ImageNet: a stem, four stages of blocks, the mean over pixels, one linear layer.

    `counts` are the blocks of each stage; `width` is that of the stem and the first stage (64).
    Parameter names are torchvision's.

    Shapes: x (N, 3, H, W), y (N, num_classes); the comments give the sizes for 224x224.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        counts: Sequence[int],
        num_classes: int = 1000,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)  # 224 -> 112
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)  # -> 56
        C = width
        for stage, count in enumerate(counts):  # -> 56, 28, 14, 7
            blocks = _stage(block, C, width << stage, count, stride=1 if stage == 0 else 2)
            self.add_module(f"layer{stage + 1}", blocks)
            C = (width << stage) * block.expansion
        self.stages = len(counts)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(C, num_classes)
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes: (N, 3, H, W) -> (N, num_classes)."""
        x = self.maxpool(with_relu(self.bn1, self.relu, self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(self.avgpool(x).flatten(1))


def _stage(
    block: type[BasicBlock] | type[Bottleneck], C: int, width: int, count: int, stride: int
) -> nn.Sequential:
    """Return the blocks of one stage; the first has the stride, and may need a projection."""
    O = width * block.expansion
    projection = None
    if stride != 1 or C != O:
        projection = nn.Sequential(_conv(C, O, 1, stride), nn.BatchNorm2d(O))
    rest = [block(O, width) for _ in range(count - 1)]
    return nn.Sequential(block(C, width, stride, projection), *rest)


class SmallResNet(nn.Module):
    """A ResNet for CIFAR: three stages of `count` blocks with 1, 2 and 4 times `width` channels.

    Shapes: x (N, 3, H, W), y (N, num_classes); the comments give the sizes for 32x32.
    """

    def __init__(self, count: int, num_classes: int = 10, width: int = 16) -> None:
        super().__init__()
        self.conv1 = _conv(3, width, 3)  # 32 -> 32
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.layer1 = _small_stage(width, width, count)  # -> 32
        self.layer2 = _small_stage(width, 2 * width, count)  # -> 16
        self.layer3 = _small_stage(2 * width, 4 * width, count)  # -> 8
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4 * width, num_classes)
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes: (N, 3, H, W) -> (N, num_classes)."""
        x = with_relu(self.bn1, self.relu, self.conv1(x))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


def _small_stage(C: int, width: int, count: int) -> nn.Sequential:
    """Return the blocks of one stage; where the channels double, the first halves the size."""
    first = BasicBlock(C, width) if width == C else BasicBlock(C, width, 2, Widened())
    return nn.Sequential(first, *[BasicBlock(width, width) for _ in range(count - 1)])


def resnet20(num_classes: int = 10) -> SmallResNet:
    """Return the ResNet-20 for CIFAR, with freshly drawn parameters.

    Its shortcuts have no parameters: where the channels double, they take every second pixel
    between channels of zeros (option A of the source).

    Shapes: x (N, 3, 32, 32), or another size; y (N, num_classes).
    Source: He et al. (2015), section 4.2.
    Cost: 41 million multiply-adds for an image of 32x32.

    >>> sum(parameter.numel() for parameter in resnet20().parameters())
    269722
    """
    return SmallResNet(3, num_classes)


def resnet18(num_classes: int = 1000) -> ResNet:
    """Return a ResNet-18, with freshly drawn parameters and torchvision's names for them.

    Shapes: x (N, 3, 224, 224), or another size; y (N, num_classes).
    Source: He et al. (2015), table 1, projections where shapes change (option B).
    Cost: 1.8 billion multiply-adds for an image of 224x224.

    >>> sum(parameter.numel() for parameter in resnet18().parameters())
    11689512
    """
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    """Return a ResNet-34: as `resnet18`, with 3, 4, 6 and 3 blocks and 3.7 billion multiply-adds.

    >>> [len(stage) for stage in (resnet34().layer3, resnet34().layer4)]
    [6, 3]
    """
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    """Return a ResNet-50: as `resnet34`, of `Bottleneck` blocks, with 4.1 billion multiply-adds.

    >>> resnet50(num_classes=10).fc
    Linear(in_features=2048, out_features=10, bias=True)
    """
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes)
