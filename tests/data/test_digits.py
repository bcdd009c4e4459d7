"""The digits that come with the package: all of them, split as the README there says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid.data import Digits, read_idx
from pellucid.data import digits as module
from pellucid.errors import DataError


def test_sizes_and_values() -> None:
    for train, count in ((True, 1442), (False, 355)):
        digits = Digits(train)
        assert len(digits) == count
        x, y = digits.read_batch(range(count))
        assert (x.shape, x.dtype, y.dtype) == ((count, 1, 8, 8), pellucid.float32, pellucid.int64)
        assert x.array.min() == 0
        assert x.array.max() == 1
        assert np.array_equal(np.unique(x.array * 16), np.arange(17))
        assert digits.classes == tuple("0123456789")


def test_the_split_is_stratified() -> None:
    # What the source says of its classes, 0 to 9.
    source = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    train, test = (np.bincount(Digits(part).targets.array) for part in (True, False))
    assert np.array_equal(train + test, source)
    assert np.array_equal(test, source // 5)


def test_no_image_is_on_both_sides() -> None:
    train, test = ({image.tobytes() for image in Digits(part).data.array} for part in (True, False))
    assert len(train) == 1442
    assert len(test) == 355
    assert not train & test


def test_the_first_image_is_that_of_the_source() -> None:
    x, y = Digits()[0]
    assert y == 0
    assert (x.array[0, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert (x.array[0, 7] * 16).tolist() == [0, 0, 6, 13, 10, 0, 0, 0]


def test_a_damaged_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in module.FOLDER.glob("*.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        assert read_idx(path).sha256 == module._SHA256[path.name.removesuffix(".gz")]
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    Digits()
    broken = tmp_path / "train-labels-idx1-ubyte.gz"
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz, field 'gzip'"):
        Digits()


def test_files_are_small_and_attributed() -> None:
    assert sum(path.stat().st_size for path in module.FOLDER.iterdir()) < 60_000
    readme = (module.FOLDER / "README.md").read_text(encoding="utf-8")
    assert "E. Alpaydin and C. Kaynak" in readme
    assert "CC BY 4.0" in readme
