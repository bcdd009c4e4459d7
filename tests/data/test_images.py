"""Labelled images: scaling, and files that do not belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data import ImageDataset, read_idx, write_idx
from pellucid.data.images import IMAGES, LABELS, check_pair, plain_name, read_part
from pellucid.errors import DataError

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
FIX = "fetch or copy the file again; it must be an idx file of unsigned bytes, plain or gzip"


def test_samples_and_batches_are_scaled_to_one() -> None:
    data = ImageDataset(PIXELS, np.array([3, 1, 0, 2], np.uint8), "abcd", white=16)
    x, y = data[1]
    assert (x.shape, x.dtype, y, type(y)) == ((1, 2, 3), pellucid.float32, 1, int)
    assert np.array_equal(x.array[0], PIXELS[1] / np.float32(16))
    xs, ys = data.read_batch([3, 1])
    assert (xs.shape, xs.dtype, ys.dtype) == ((2, 1, 2, 3), pellucid.float32, pellucid.int64)
    assert np.array_equal(xs.array[1], x.array)
    assert ys.tolist() == [2, 1]
    assert data.classes == ("a", "b", "c", "d")
    assert (data.data.shape, data.data.dtype) == ((4, 2, 3), pellucid.uint8)
    assert data.targets.tolist() == [3, 1, 0, 2]
    with pytest.raises(IndexError):
        data[4]


def test_white_is_exactly_one() -> None:
    x, _ = ImageDataset(np.full((1, 2, 2), 255, np.uint8), np.zeros(1, np.uint8), "a")[0]
    assert (x.array == 1).all()


@pytest.mark.parametrize(
    "name", ["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", "t10k-labels-idx1-ubyte.gz"]
)
def test_names(name: str) -> None:
    assert plain_name(Path("folder") / name) == "t10k-labels-idx1-ubyte"


def message(call: Any, *args: Any) -> str:
    with pytest.raises(DataError) as caught:
        call(*args)
    return str(caught.value)


def test_a_file_of_the_other_part(tmp_path: Path) -> None:
    path = tmp_path / "train-labels-idx1-ubyte"
    write_idx(path, PIXELS)
    assert message(read_part, path, LABELS, None) == (
        "read_idx: train-labels-idx1-ubyte, field 'axes': labels have 1 axes, the file has 3\n"
        f"  file {path}\n  fix: {FIX}"
    )
    write_idx(path, PIXELS[:, 0, 0])
    assert "images have 3 axes, the file has 1\n" in message(read_part, path, IMAGES, None)


def test_the_content_must_be_the_official_one_unless_any_is_accepted(tmp_path: Path) -> None:
    official, other = tmp_path / "train-images-idx3-ubyte", tmp_path / "t10k-images.idx3-ubyte.gz"
    write_idx(official, PIXELS)
    write_idx(other, PIXELS + 1)
    right, wrong = read_idx(official).sha256, read_idx(other).sha256
    known = {"train-images-idx3-ubyte": right, "t10k-images-idx3-ubyte": "0" * 64}
    assert np.array_equal(read_part(official, IMAGES, known), PIXELS)
    assert np.array_equal(read_part(other, IMAGES, None), PIXELS + 1)
    fix = "  fix: fetch the file again, or use verify=False to accept other data of this format"
    assert message(read_part, other, IMAGES, known) == (
        "read_idx: t10k-images.idx3-ubyte.gz is not the official file\n"
        f"  file {other}    SHA-256 of its content {wrong}    expected {'0' * 64}\n{fix}"
    )
    write_idx(other, PIXELS)
    assert message(read_part, other, IMAGES, known) == (
        "read_idx: t10k-images.idx3-ubyte.gz is not the official file: it has the content of "
        "train-images-idx3-ubyte\n"
        f"  file {other}    SHA-256 of its content {right}    expected {'0' * 64}\n{fix}"
    )


def test_images_and_labels_must_belong_together() -> None:
    images, labels = Path("in/train-images-idx3-ubyte"), Path("in/train-labels-idx1-ubyte")
    targets = np.array([0, 9, 3, 1], np.uint8)
    check_pair(images, labels, PIXELS, targets, 10)
    assert message(check_pair, images, labels, PIXELS[:3], targets, 10) == (
        "read_idx: train-labels-idx1-ubyte, field 'sizes': 4 labels for the 3 images of "
        f"train-images-idx3-ubyte\n  file {labels}\n  fix: {FIX}"
    )
    assert message(check_pair, images, labels, PIXELS, targets, 9) == (
        "read_idx: train-labels-idx1-ubyte, field 'data': label 9 of image 1 is not in 0..8\n"
        f"  file {labels}\n  fix: {FIX}"
    )
