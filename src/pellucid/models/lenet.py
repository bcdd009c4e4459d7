"""LeNet: two convolutions and two linear layers, for 28x28 grey images such as MNIST.

Source: in the manner of LeCun et al., "Gradient-based learning applied to document recognition"
(1998), with ReLU, max pooling and more channels. Next room: vgg.py.
"""

from __future__ import annotations

from pellucid import nn
from pellucid.models.images import ImageNetwork


class LeNet(ImageNetwork):
    """The network that `lenet` returns.

    Shapes: x (N, 1, 28, 28), y (N, num_classes); the comments give one image.
    """

    image_shape = (1, 28, 28)

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__(
            {
                "conv1": nn.Conv2d(1, 16, 5, padding=2),  # (1, 28, 28) -> (16, 28, 28)
                "relu1": nn.ReLU(),
                "pool1": nn.MaxPool2d(2),  # -> (16, 14, 14)
                "conv2": nn.Conv2d(16, 32, 3),  # -> (32, 12, 12)
                "relu2": nn.ReLU(),
                "pool2": nn.MaxPool2d(2),  # -> (32, 6, 6)
                "flatten": nn.Flatten(),  # -> (1152)
                "linear1": nn.Linear(1152, 256),
                "relu3": nn.ReLU(),
                "linear2": nn.Linear(256, num_classes),
            }
        )


def lenet(num_classes: int = 10) -> LeNet:
    """Return a LeNet for images (1, 28, 28), with freshly drawn parameters.

    >>> sum(parameter.numel() for parameter in lenet().parameters())
    302794
    """
    return LeNet(num_classes)
