"""Make the files of src/pellucid/data/uci_digits again from scikit-learn's copy of the data.

    pip install scikit-learn
    python tools/make_digits.py FOLDER

The split: within each class, in the order of the source, every fifth image (the 5th, 10th, ...) is
a test image. Needed only to check where the files come from.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from pellucid.data.idx import read_idx, write_idx


def test_mask(labels: np.ndarray) -> np.ndarray:
    """Return which images are test images."""
    mask = np.zeros(len(labels), bool)
    for label in range(10):
        mask[np.flatnonzero(labels == label)[4::5]] = True
    return mask


def main(folder: Path) -> None:
    """Write the four files and print the SHA-256 of their contents."""
    source = load_digits()
    images, labels = source.images.astype(np.uint8), source.target.astype(np.uint8)
    assert (images == source.images).all()
    is_test = test_mask(labels)
    for part, chosen in (("train", ~is_test), ("test", is_test)):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            path = folder / f"{part}-{kind}-ubyte.gz"
            write_idx(path, array[chosen])
            print(hashlib.sha256(path.read_bytes()).hexdigest(), path.name, path.stat().st_size)
            print(read_idx(path).sha256, "its content", array[chosen].shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
