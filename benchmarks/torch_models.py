"""The networks of `pellucid.models` in plain torch.nn, with torchvision's names where it has them.

Written by hand and not made from ours, so that a wrong wiring there shows: PyTorch's side of
train.py, and the peers that tests train beside our models. Parameters are loaded by name, so
initialisation is left to PyTorch. The options are ours, and `width` for some, to be narrow.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, C: int, width: int, stride: int, downsample: Any) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(C, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return functional.relu(y, inplace=True)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, C: int, width: int, stride: int, downsample: Any) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(C, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return functional.relu(y, inplace=True)


def _projected(block: Any, C: int, width: int, stride: int) -> nn.Module:
    """Return the first block of a stage, with a 1x1 convolution where shapes change (option B)."""
    O, downsample = width * block.expansion, None
    if stride > 1 or C != O:
        conv = nn.Conv2d(C, O, 1, stride, bias=False)
        downsample = nn.Sequential(conv, nn.BatchNorm2d(O))
    return block(C, width, stride, downsample)


def _resnet(block: Any, counts: tuple[int, ...], num_classes: int, width: int) -> nn.Sequential:
    network = nn.Sequential(OrderedDict(conv1=nn.Conv2d(3, width, 7, 2, 3, bias=False)))
    network.add_module("bn1", nn.BatchNorm2d(width))
    network.add_module("relu", nn.ReLU(inplace=True))
    network.add_module("maxpool", nn.MaxPool2d(3, 2, 1))
    C = width
    for stage, count in enumerate(counts):
        inner = width * 2**stage
        blocks = [_projected(block, C, inner, 1 if stage == 0 else 2)]
        C = inner * block.expansion
        blocks += [block(C, inner, 1, None) for _ in range(1, count)]
        network.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
    return _headed(network, C, num_classes)


def _headed(network: nn.Sequential, C: int, num_classes: int) -> nn.Sequential:
    network.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    network.add_module("fc", nn.Linear(C, num_classes))
    return network


def resnet18(num_classes: int = 1000, width: int = 64) -> nn.Module:
    return _resnet(BasicBlock, (2, 2, 2, 2), num_classes, width)


def resnet34(num_classes: int = 1000, width: int = 64) -> nn.Module:
    return _resnet(BasicBlock, (3, 4, 6, 3), num_classes, width)


def resnet50(num_classes: int = 1000, width: int = 64) -> nn.Module:
    return _resnet(Bottleneck, (3, 4, 6, 3), num_classes, width)


class OptionA(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        half = x.shape[1] // 2
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))


def resnet20(num_classes: int = 10, width: int = 16) -> nn.Module:
    network = nn.Sequential(OrderedDict(conv1=nn.Conv2d(3, width, 3, 1, 1, bias=False)))
    network.add_module("bn1", nn.BatchNorm2d(width))
    network.add_module("relu", nn.ReLU(inplace=True))
    plain = [BasicBlock(width, width, 1, None) for _ in range(3)]
    network.add_module("layer1", nn.Sequential(*plain))
    for name, C in (("layer2", width), ("layer3", 2 * width)):
        rest = [BasicBlock(2 * C, 2 * C, 1, None) for _ in range(2)]
        network.add_module(name, nn.Sequential(BasicBlock(C, 2 * C, 2, OptionA()), *rest))
    return _headed(network, 4 * width, num_classes)


def vgg11(
    num_classes: int = 1000, dropout: float = 0.5, width: int = 64, hidden: int = 4096
) -> nn.Module:
    features: list[nn.Module] = []
    C = 3
    for step in (1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"):
        if isinstance(step, str):
            features.append(nn.MaxPool2d(2, 2))
        else:
            features += [nn.Conv2d(C, step * width, 3, padding=1), nn.ReLU(inplace=True)]
            C = step * width
    classifier = nn.Sequential(
        nn.Linear(C * 49, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(hidden, num_classes),
    )
    parts = OrderedDict(features=nn.Sequential(*features), avgpool=nn.AdaptiveAvgPool2d((7, 7)))
    return nn.Sequential(parts | {"flatten": nn.Flatten(), "classifier": classifier})


def _norm_relu6(C: int, O: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(C, O, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(O), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    def __init__(self, C: int, O: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = C * expansion
        parts = [] if expansion == 1 else [_norm_relu6(C, hidden, 1)]
        parts += [_norm_relu6(hidden, hidden, 3, stride, groups=hidden)]
        self.conv = nn.Sequential(*parts, nn.Conv2d(hidden, O, 1, bias=False), nn.BatchNorm2d(O))
        self.residual = C == O and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


def mobilenet_v2(num_classes: int = 1000, dropout: float = 0.2) -> nn.Module:
    features: list[nn.Module] = [_norm_relu6(3, 32, 3, 2)]
    C = 32
    for t, c, n, s in (
        [1, 16, 1, 1],
        [6, 24, 2, 2],
        [6, 32, 3, 2],
        [6, 64, 4, 2],
        [6, 96, 3, 1],
        [6, 160, 3, 2],
        [6, 320, 1, 1],
    ):
        for stride in [s] + [1] * (n - 1):
            features.append(InvertedResidual(C, c, stride, t))
            C = c
    features.append(_norm_relu6(320, 1280, 1))
    classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))
    parts = OrderedDict(features=nn.Sequential(*features), avgpool=nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(parts | {"flatten": nn.Flatten(), "classifier": classifier})


class UNet(nn.Module):
    def __init__(self, in_channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        sizes = [width, 2 * width, 4 * width, 8 * width]
        ins = [in_channels, *sizes[:-1]]
        self.down = nn.ModuleList([self._two(C, O) for C, O in zip(ins, sizes, strict=True)])
        self.bottom = self._two(8 * width, 16 * width)
        ups = sizes[::-1]
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * O, O, 2, 2) for O in ups])
        self.join = nn.ModuleList([self._two(2 * O, O) for O in ups])
        self.out = nn.Conv2d(width, num_classes, 1)

    @staticmethod
    def _two(C: int, O: int) -> nn.Sequential:
        first, second = nn.Conv2d(C, O, 3, padding=1), nn.Conv2d(O, O, 3, padding=1)
        return nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        a = self.down[0](x)
        b = self.down[1](functional.max_pool2d(a, 2))
        c = self.down[2](functional.max_pool2d(b, 2))
        d = self.down[3](functional.max_pool2d(c, 2))
        y = self.bottom(functional.max_pool2d(d, 2))
        for k, kept in enumerate((d, c, b, a)):
            y = self.join[k](torch.cat([kept, self.up[k](y)], 1))
        return self.out(y)


def unet(in_channels: int = 1, num_classes: int = 2, width: int = 64) -> nn.Module:
    return UNet(in_channels, num_classes, width)


def lenet(num_classes: int = 10) -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 5, padding=2),
            relu1=nn.ReLU(inplace=True),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(16, 32, 3),
            relu2=nn.ReLU(inplace=True),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            linear1=nn.Linear(1152, 256),
            relu3=nn.ReLU(inplace=True),
            linear2=nn.Linear(256, num_classes),
        )
    )


MODELS: dict[str, Callable[..., nn.Module]] = {
    "lenet": lenet,
    "mobilenet_v2": mobilenet_v2,
    "resnet18": resnet18,
    "resnet20": resnet20,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "unet": unet,
    "vgg11": vgg11,
}
