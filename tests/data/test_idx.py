"""The idx reader: what was written comes back, and whatever does not fit is named."""

from __future__ import annotations

import gzip
import hashlib
import struct
import tempfile
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pellucid.data import read_idx, write_idx
from pellucid.errors import DataError, DTypeError

BYTES = arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4, min_side=0, max_side=5))
LABELS = struct.pack(">4BI", 0, 0, 8, 1, 3) + bytes([7, 2, 1])


def read_bytes(content: bytes, name: str = "file") -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_idx(path).array


@given(BYTES, st.sampled_from(["a.gz", "a"]))
def test_what_was_written_is_read(array: np.ndarray, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_idx(path, array)
        found = read_idx(path)
        first = path.read_bytes()
        write_idx(path, array)
        assert path.read_bytes() == first
    content = gzip.decompress(first) if name == "a.gz" else first
    assert found.array.dtype == np.uint8
    assert np.array_equal(found.array, array)
    assert found.array.shape == array.shape
    assert found.array.flags.writeable
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_the_bytes_are_those_of_the_format() -> None:
    assert read_bytes(LABELS).tolist() == [7, 2, 1]
    images = struct.pack(">4B3I", 0, 0, 8, 3, 1, 2, 2) + bytes([1, 2, 3, 4])
    assert read_bytes(images).tolist() == [[[1, 2], [3, 4]]]
    assert read_bytes(gzip.compress(images), "no-suffix").tolist() == [[[1, 2], [3, 4]]]
    assert read_bytes(images, "unpacked-by-the-browser.gz").shape == (1, 2, 2)


@given(BYTES, st.booleans(), st.data())
def test_every_truncation_is_an_error(array: np.ndarray, pack: bool, data: st.DataObject) -> None:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    content = header + array.tobytes()
    content = gzip.compress(content, mtime=0) if pack else content
    end = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(DataError, match=r"field '(magic|sizes|data|gzip)'"):
        read_bytes(content[:end])


@given(BYTES, st.binary(min_size=1, max_size=40))
def test_every_surplus_is_an_error(array: np.ndarray, more: bytes) -> None:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    with pytest.raises(DataError, match="field 'data': there are more than"):
        read_bytes(header + array.tobytes() + more)
    with pytest.raises(DataError, match="field 'data': there are more than"):
        read_bytes(gzip.compress(header + array.tobytes() + more))


@given(st.integers(0, len(gzip.compress(LABELS, mtime=0)) - 1), st.integers(1, 255))
def test_a_changed_byte_of_gzip_never_gives_other_numbers(place: int, change: int) -> None:
    content = bytearray(gzip.compress(LABELS, mtime=0))
    content[place] ^= change
    with suppress(DataError):  # the time stamp, for example, may be any
        assert read_bytes(bytes(content)).tolist() == [7, 2, 1]


@given(st.binary(max_size=64), st.booleans())
def test_any_bytes_are_numbers_or_a_data_error(content: bytes, idx_like: bool) -> None:
    with suppress(DataError):
        read_bytes((b"\0\0\x08" if idx_like else b"") + content)


FIX = "fetch or copy the file again; it must be an idx file of unsigned bytes, plain or gzip"
BROKEN = [
    (b"", "field 'magic': the file ends after 0 of its 4 bytes"),
    (b"\0\0\x08", "field 'magic': the file ends after 3 of its 4 bytes"),
    (b"<!DOCTYPE html>", "field 'magic': it starts with 3c 21, not with 00 00"),
    (b"\0\0\x0d\x01\0\0\0\x01", "field 'dtype': code 0x0d is not 0x08, unsigned bytes"),
    (b"\0\0\x08\x00", "field 'axes': 0 axes; 1 to 8 are read"),
    (b"\0\0\x08\xff", "field 'axes': 255 axes; 1 to 8 are read"),
    (b"\0\0\x08\x03\0\0\0\x01\0", "field 'sizes': the file ends after 5 of its 12 bytes"),
    (
        struct.pack(">4B3I", 0, 0, 8, 3, 0, 0xFFFFFFFF, 0xFFFFFFFF),
        "field 'sizes': (0, 4294967295, 4294967295) is more than the 1073741824 bytes "
        "that are read",
    ),
    (
        struct.pack(">4BI", 0, 0, 8, 1, 1 << 30),
        "field 'data': the file ends after 0 of the 1073741824 bytes of (1073741824,)",
    ),
    (LABELS[:-1], "field 'data': the file ends after 2 of the 3 bytes of (3,)"),
    (LABELS + b"\0", "field 'data': there are more than the 3 bytes of (3,)"),
    (
        gzip.compress(LABELS)[:-9],
        "field 'gzip': the compressed data are damaged "
        "(Compressed file ended before the end-of-stream marker was reached)",
    ),
    (
        gzip.compress(LABELS) + b"junk",
        "field 'gzip': the compressed data are damaged (Not a gzipped file (b'ju'))",
    ),
    (
        gzip.compress(LABELS)[:-8] + b"\0\0\0\0" + gzip.compress(LABELS)[-4:],
        "field 'gzip': the compressed data are damaged "
        f"(CRC check failed 0x0 != {hex(zlib.crc32(LABELS))})",
    ),
    (
        gzip.compress(LABELS[:8] + bytes(50_000_000)),
        "field 'data': there are more than the 3 bytes of (3,)",
    ),
]


@pytest.mark.parametrize(("content", "rule"), BROKEN, ids=[rule[:40] for _, rule in BROKEN])
def test_messages(content: bytes, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value) == (
        f"read_idx: train-images-idx3-ubyte, {rule}\n  file {path}\n  fix: {FIX}"
    )


@pytest.mark.parametrize("pack", [False, True])
def test_memory_grows_with_the_file_and_not_with_its_header(tmp_path: Path, pack: bool) -> None:
    lie = struct.pack(">4BI", 0, 0, 8, 1, 1 << 30) + bytes(1000)
    bomb = struct.pack(">4BI", 0, 0, 8, 1, 1000) + bytes(100_000_000)
    for content in (lie, bomb):
        path = tmp_path / "file"
        path.write_bytes(gzip.compress(content, 1) if pack else content)
        tracemalloc.start()
        try:
            with pytest.raises(DataError, match="field 'data'"):
                read_idx(path)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "labels")
    assert str(caught.value) == (
        f"read_idx: labels cannot be read: No such file or directory\n  file {tmp_path / 'labels'}"
        "\n  fix: check that the file is there and that you may read it"
    )


def test_only_bytes_are_written(tmp_path: Path) -> None:
    with pytest.raises(DTypeError) as caught:
        write_idx(tmp_path / "file", np.zeros(3))
    assert str(caught.value) == ("write_idx: the array is float64\n  fix: convert it to uint8")
    assert not (tmp_path / "file").exists()
