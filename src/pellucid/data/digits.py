"""Digits: 1,797 handwritten digits of 8x8, which come with the package.

They are the test part of UCI's "Optical Recognition of Handwritten Digits" (E. Alpaydin and
C. Kaynak, 1998; CC BY 4.0), split anew into training and test images: uci_digits/README.md tells
how, and has the attribution. Not here: the larger sets (mnist.py). Next room: mnist.py.
"""

from __future__ import annotations

from pathlib import Path

from pellucid.data.images import IMAGES, LABELS, ImageDataset, check_pair, read_part

FOLDER = Path(__file__).parent / "uci_digits"
_SHA256 = {
    "train-images-idx3-ubyte": "6c79919002e3ed11143953d311140d576ca9ddd7c446e4f6b3f180db3f338586",
    "train-labels-idx1-ubyte": "997d8237ea59870b42f811eaad3e13914b38ab6a9a5e9ad6affdff0f34e7cfdc",
    "test-images-idx3-ubyte": "88da4b2d933ed942b8ea93f24d8e589c9c9c227961c9f5667c8e9f8f818b642b",
    "test-labels-idx1-ubyte": "6ff66f7ef309c514bc431118f706c8249a50930d6256e9191340a2d710351535",
}


class Digits(ImageDataset):
    """The UCI handwritten digits, 1,442 to train and 355 to test; samples `(x, y)`.

    Shapes: x is a float32 tensor (1, 8, 8), of 17 grey values from 0 to 1; y is 0 to 9.

    Source: E. Alpaydin, C. Kaynak, "Cascading classifiers", Kybernetika 34 (1998).

    >>> train, test = Digits(), Digits(train=False)
    >>> x, y = train[0]
    >>> x.shape, y
    ((1, 8, 8), 0)
    """

    classes = tuple("0123456789")

    def __init__(self, train: bool = True) -> None:
        part = "train" if train else "test"
        images = FOLDER / f"{part}-images-idx3-ubyte.gz"
        labels = FOLDER / f"{part}-labels-idx1-ubyte.gz"
        data = read_part(images, IMAGES, _SHA256)
        targets = read_part(labels, LABELS, _SHA256)
        check_pair(images, labels, data, targets, len(self.classes))
        super().__init__(data, targets, self.classes, white=16)
