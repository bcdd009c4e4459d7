"""The idx format of MNIST: bytes with a header that says how many axes there are, and their sizes.

    byte 0, 1     0 0
    byte 2        the dtype code; 8, an unsigned byte, is the only one read here
    byte 3        the number of axes: 3 for images, 1 for labels
    4 each        the sizes, big-endian
    then          the elements in row-major order

Plain or gzip: the first bytes decide, not the name, because some browsers unpack what they fetch.
A header is never believed: memory grows with the bytes that are really there, up to `MAX_BYTES`.
Not here: which files belong together (mnist.py). Next room: images.py.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np

from pellucid.backend import Array
from pellucid.errors import DataError, DTypeError

MAX_BYTES = 1 << 30  # 20 times the largest file of MNIST
MAX_AXES = 8
_CHUNK = 1 << 20
_UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"


class IdxFile(NamedTuple):
    """What an idx file holds, and the SHA-256 of its content after decompression."""

    array: Array
    sha256: str


def read_idx(path: str | os.PathLike[str]) -> IdxFile:
    """Read an idx file of unsigned bytes, plain or gzip.

    Raises: DataError that names the file and the field for everything that does not fit.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            return _read(stream, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(path, "gzip", f"the compressed data are damaged ({error})") from error
    except OSError as error:
        raise DataError(
            "read_idx",
            f"{path.name} cannot be read: {error.strerror}",
            f"file {path}",
            fix="check that the file is there and that you may read it",
        ) from error


def write_idx(path: str | os.PathLike[str], array: Array) -> None:
    """Write unsigned bytes as an idx file, gzip where the name ends in `.gz`.

    The same array gives the same bytes each time: no time and no name go into the file.

    Raises: DTypeError for another dtype than uint8.
    """
    if array.dtype != np.uint8:
        raise DTypeError("write_idx", f"the array is {array.dtype}", fix="convert it to uint8")
    assert 1 <= array.ndim <= MAX_AXES
    header = bytes([0, 0, _UNSIGNED_BYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.tobytes()
    is_gzip = str(path).endswith(".gz")
    Path(path).write_bytes(gzip.compress(content, mtime=0) if is_gzip else content)


def damaged(path: Path, field: str, rule: str) -> DataError:
    """Return the error for one field of a file."""
    return DataError(
        "read_idx",
        f"{path.name}, field '{field}': {rule}",
        f"file {path}",
        fix="fetch or copy the file again; it must be an idx file of unsigned bytes, plain or gzip",
    )


def _read(stream: IO[bytes], path: Path) -> IdxFile:
    magic = _take(stream, 4, path, "magic")
    if magic[:2] != b"\0\0":
        raise damaged(path, "magic", f"it starts with {magic[:2].hex(' ')}, not with 00 00")
    if magic[2] != _UNSIGNED_BYTE:
        raise damaged(path, "dtype", f"code 0x{magic[2]:02x} is not 0x08, unsigned bytes")
    if not 1 <= magic[3] <= MAX_AXES:
        raise damaged(path, "axes", f"{magic[3]} axes; 1 to {MAX_AXES} are read")
    header = _take(stream, 4 * magic[3], path, "sizes")
    sizes = tuple(int(size) for size in np.frombuffer(header, ">u4"))
    if math.prod(max(size, 1) for size in sizes) > MAX_BYTES:
        raise damaged(path, "sizes", f"{sizes} is more than the {MAX_BYTES} bytes that are read")
    content = _elements(stream, sizes, path)
    digest = hashlib.sha256(magic + header)
    digest.update(content)
    # (N H W,) -> (N, H, W)
    return IdxFile(np.frombuffer(content, np.uint8).reshape(sizes), digest.hexdigest())


def _take(stream: IO[bytes], count: int, path: Path, field: str) -> bytes:
    taken = stream.read(count)
    if len(taken) < count:
        raise damaged(path, field, f"the file ends after {len(taken)} of its {count} bytes")
    return taken


def _elements(stream: IO[bytes], sizes: tuple[int, ...], path: Path) -> bytearray:
    """Read what is there, up to one byte more than the sizes say."""
    expected, content = math.prod(sizes), bytearray()
    # The read that finds the end is also the one in which gzip compares its checksum.
    while chunk := stream.read(min(_CHUNK, expected + 1 - len(content))):
        content += chunk
        if len(content) > expected:
            raise damaged(path, "data", f"there are more than the {expected} bytes of {sizes}")
    if len(content) < expected:
        raise damaged(
            path, "data", f"the file ends after {len(content)} of the {expected} bytes of {sizes}"
        )
    return content
