"""Files that appear whole or not at all. Not here: what is in them. Next room: checkpoint.py."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pellucid.errors import DataError


def write(op: str, path: Path, data: bytes | str) -> None:
    """Write a file beside its place, to the disk, and only then give it its name; text as UTF-8.

    Raises: DataError in the name of `op` when it cannot be written; then a file that was there
    before is as it was.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write("save", Path(folder, "x.txt"), b"whole")
    ...     Path(folder, "x.txt").read_bytes()
    b'whole'
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(
            op,
            f"{path} cannot be written: {error.strerror}",
            fix="look at the folder, its permissions and the free space",
        ) from error
    finally:  # also for Ctrl-C; after the renaming there is nothing to remove
        with contextlib.suppress(OSError):
            temporary.unlink()
