"""A small network for 8x8 grey images: the default for the embedded digits.

Next room: images.py.
"""

from __future__ import annotations

from pellucid import nn
from pellucid.models.images import ImageNetwork


class DigitsCNN(ImageNetwork):
    """The network that `digits_cnn` returns.

    Shapes: x (N, 1, 8, 8), y (N, num_classes); the comments give one image.
    """

    image_shape = (1, 8, 8)

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__(
            {
                "conv1": nn.Conv2d(1, 16, 3, padding=1),  # (1, 8, 8) -> (16, 8, 8)
                "norm1": nn.BatchNorm2d(16),
                "relu1": nn.ReLU(),
                "conv2": nn.Conv2d(16, 32, 3, padding=1),  # -> (32, 8, 8)
                "norm2": nn.BatchNorm2d(32),
                "relu2": nn.ReLU(),
                "pool": nn.MaxPool2d(2),  # -> (32, 4, 4)
                "flatten": nn.Flatten(),  # -> (512)
                "dropout": nn.Dropout(0.5),
                "linear1": nn.Linear(512, 64),
                "relu3": nn.ReLU(),
                "linear2": nn.Linear(64, num_classes),
            }
        )


def digits_cnn(num_classes: int = 10) -> DigitsCNN:
    """Return the network for images (1, 8, 8), with freshly drawn parameters.

    >>> sum(parameter.numel() for parameter in digits_cnn().parameters())
    38378
    """
    return DigitsCNN(num_classes)
