"""ImageDataset: labelled images as bytes in memory, which samples and batches scale to 0..1.

Bytes take a quarter of the memory of float32, and scaling a batch is one NumPy operation.
Not here: where the files come from (digits.py, mnist.py). Next room: digits.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pellucid.backend import Array
from pellucid.data.dataset import Dataset
from pellucid.data.idx import IdxFile, damaged, read_idx
from pellucid.errors import DataError
from pellucid.tensor import Tensor

IMAGES, LABELS = "images", "labels"
_AXES = {IMAGES: 3, LABELS: 1}


class ImageDataset(Dataset):
    """Grey images and their labels; a sample is `(x, y)`.

    Shapes: x is a float32 tensor (1, H, W) from 0 to 1; y is an int, and int64 in a batch.

    `data` holds the bytes (N, H, W), of which `white` means 1, `targets` the labels (N,), and
    `classes` their names.
    """

    classes: tuple[str, ...]

    def __init__(
        self, data: Array, targets: Array, classes: Sequence[str], white: int = 255
    ) -> None:
        assert data.dtype == np.uint8
        assert len(data) == len(targets)
        self.data = Tensor(data)
        self.targets = Tensor(targets.astype(np.int64))
        self.classes = tuple(classes)
        self.white = white

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int, /) -> tuple[Tensor, int]:
        return self._scaled(self.data.array[index]), int(self.targets.array[index])

    def read_batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return x (N, 1, H, W) and y (N,)."""
        rows = np.asarray(indices, np.intp)
        return self._scaled(self.data.array[rows]), Tensor(self.targets.array[rows])

    def _scaled(self, images: Array) -> Tensor:
        # (..., H, W) -> (..., 1, H, W)
        return Tensor(np.divide(images[..., None, :, :], self.white, dtype=np.float32))


def read_part(path: Path, part: str, known: Mapping[str, str] | None) -> Array:
    """Read one idx file of images or labels.

    `known` gives the SHA-256 of the content by the file's plain name; None accepts any content.

    Raises: DataError for a damaged file, one of the other part, and unknown content.
    """
    found = read_idx(path)
    if found.array.ndim != _AXES[part]:
        raise damaged(
            path, "axes", f"{part} have {_AXES[part]} axes, the file has {found.array.ndim}"
        )
    if known is not None:
        _check_content(path, found, known)
    return found.array


def plain_name(path: Path) -> str:
    """Return the official name of a file, without `.gz` and with '-' before idx."""
    return path.name.removesuffix(".gz").replace(".idx", "-idx")


def _check_content(path: Path, found: IdxFile, known: Mapping[str, str]) -> None:
    expected = known[plain_name(path)]
    if found.sha256 != expected:
        other = [name for name, digest in known.items() if digest == found.sha256]
        raise DataError(
            "read_idx",
            f"{path.name} is not the official file"
            + (f": it has the content of {other[0]}" if other else ""),
            f"file {path}",
            f"SHA-256 of its content {found.sha256}",
            f"expected {expected}",
            fix="fetch the file again, or use verify=False to accept other data of this format",
        )


def check_pair(images: Path, labels: Path, data: Array, targets: Array, classes: int) -> None:
    """Check that images and labels belong together.

    Raises: DataError when their numbers differ, or for a label that is no class.
    """
    if len(data) != len(targets):
        raise damaged(
            labels, "sizes", f"{len(targets)} labels for the {len(data)} images of {images.name}"
        )
    outside = np.flatnonzero(targets >= classes)
    if outside.size:
        first = int(outside[0])
        raise damaged(
            labels, "data", f"label {targets[first]} of image {first} is not in 0..{classes - 1}"
        )
