"""VGG: 3x3 convolutions between halvings of the size, then three large linear layers.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition"
(2014). Next room: resnet.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pellucid import nn
from pellucid.nn import init
from pellucid.tensor import Tensor

# Configuration A: the channels of the convolutions between two halvings of the size.
_VGG11 = ((64,), (128,), (256, 256), (512, 512), (512, 512))


class VGG(nn.Module):
    """Groups of 3x3 convolutions of such widths, and a classifier of `hidden` features.

    Parameter names are torchvision's. The mean over 7x7 parts of what the convolutions made lets
    the images have any size from 32x32.

    Shapes: x (N, 3, H, W), y (N, num_classes); the comments give the sizes for 224x224.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[int]],
        num_classes: int = 1000,
        dropout: float = 0.5,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(*_features(groups))  # (3, 224, 224) -> (512, 7, 7)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(groups[-1][-1] * 7 * 7, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                init.normal_(module.weight, 0, 0.01)
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes: (N, 3, H, W) -> (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _features(groups: Sequence[Sequence[int]]) -> Iterator[nn.Module]:
    C = 3
    for widths in groups:
        for width in widths:
            yield from (nn.Conv2d(C, width, 3, padding=1), nn.ReLU())
            C = width
        yield nn.MaxPool2d(2)


def vgg11(num_classes: int = 1000, dropout: float = 0.5) -> VGG:
    """Return a VGG-11, with freshly drawn parameters and torchvision's names for them.

    Shapes: x (N, 3, 224, 224), or another size from 32x32; y (N, num_classes).
    Source: Simonyan and Zisserman (2014), configuration A, without batch normalisation.
    Cost: 133 million parameters; 7.6 billion multiply-adds for an image of 224x224.

    >>> vgg11(num_classes=10).classifier[0]
    Linear(in_features=25088, out_features=4096, bias=True)
    """
    return VGG(_VGG11, num_classes, dropout)
