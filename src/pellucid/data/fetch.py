"""Downloads: one file from the first of several places that gives the right content.

pooch does the transfer and rich draws the progress; both come with the extra `app` and are imported
only when a download begins. A file appears under its name only when it is whole and checked.
Not here: what the right content is (mnist.py). Next room: README.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.errors import DataError, UnsupportedError

if TYPE_CHECKING:
    from rich.progress import Progress

_CHUNK = 1 << 16


def fetch(urls: Sequence[str], target: Path, check: Callable[[Path], object]) -> None:
    """Download `target` from the first of `urls` whose content `check` does not refuse.

    Raises: DataError with what went wrong at each place, after which nothing new is left on the
    disk; UnsupportedError without the extra `app`.
    """
    new_folders = [p for p in (target.parent, *target.parent.parents) if not p.exists()]
    failures = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            failure = _fetch_one(url, target, check)
            if failure is None:
                return
            failures.append(f"{url}: {failure}")
    except OSError as error:
        failures.append(f"{target.parent}: {error.strerror}")
    finally:
        for folder in new_folders:
            with suppress(OSError):  # with a file in it, it stays
                folder.rmdir()
    raise DataError(
        "download",
        f"{target.name} could not be fetched",
        *failures,
        fix=f"try again later, or put the file into {target.parent} by other means",
    )


def _fetch_one(url: str, target: Path, check: Callable[[Path], object]) -> str | None:
    """Download the file under another name, check it and move it; return what went wrong."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
        path = Path(folder) / target.name
        try:
            _transfer(url, path)
        except OSError as error:  # all errors of the network are OSErrors
            return str(error)
        try:
            check(path)
        except DataError as error:
            return str(error).splitlines()[0]
        path.replace(target)
    return None


def _transfer(url: str, path: Path) -> None:
    try:
        import pooch  # type: ignore[import-untyped]  # noqa: PLC0415  in the extra `app`, as the next two
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import Progress  # noqa: PLC0415
    except ImportError as error:
        raise UnsupportedError(
            "download",
            f"fetching {path.name} needs the extra 'app' ({error.name} is not installed)",
            fix='pip install "pellucid[app]"',
        ) from None
    with Progress(console=Console(stderr=True)) as progress:
        bar = _Bar(progress, path.name)
        pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK)(url, str(path), None)


class _Bar:
    """A task of rich's progress display, with the four names that pooch uses."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    @property
    def total(self) -> float | None:
        """The number of bytes to come."""
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def update(self, count: int) -> None:
        """Count bytes that have come."""
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        """Start to count again."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """Do nothing: the display ends with its context."""
