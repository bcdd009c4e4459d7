"""The folder of a run: how it is made without touching another one, and what is written into it.

    settings.json             what the run depends on
    metrics.jsonl             a line for each epoch
    checkpoint.safetensors    where the training is, until the run is finished
    model.safetensors         the model, when it is; with report.html and its pictures
    profile.txt, profile.json where the time of some steps went, if that was asked for

Not here: what a checkpoint holds (checkpoint.py). Next room: run.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path

from pellucid.errors import ArgumentError, DataError
from pellucid.files import write
from pellucid.training.settings import Settings
from pellucid.training.trainer import EpochDone

RUNS = "runs"  # where folders are numbered when none is named
SETTINGS, METRICS = "settings.json", "metrics.jsonl"
CHECKPOINT, MODEL, REPORT = "checkpoint.safetensors", "model.safetensors", "report.html"
PROFILE, TRACE = "profile.txt", "profile.json"


def new_folder(settings: Settings, out: str | Path | None = None) -> Path:
    """Return a new folder with the settings in it: `out`, or the next free one of `runs/`.

    Raises: ArgumentError where `out` is there and not empty, DataError when the folder cannot be
    made or written; then nothing new is left on the disk.
    """
    folder = _next_free(settings.data) if out is None else Path(out)
    _check_empty(folder)
    with _made(folder):
        write("train", folder / SETTINGS, json.dumps(asdict(settings), indent=2) + "\n")
    return folder


def _next_free(data: str) -> Path:
    return next(path for k in count(1) if not (path := Path(RUNS, f"{data}-{k}")).exists())


def _check_empty(folder: Path) -> None:
    if (folder / SETTINGS).exists():
        raise ArgumentError(
            "train",
            f"there is a run in {folder} already",
            fix=f"name another folder, or go on with: pellucid train --resume {folder}",
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise ArgumentError(
            "train", f"the folder {folder} is not empty", fix="name a new or an empty one"
        )


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; take away again what was made if the block fails."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                "train",
                f"the folder {folder} cannot be made: {error.strerror}",
                fix="name a folder that can be written with --out",
            ) from error
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):
                path.rmdir()
        raise


def read_settings(folder: Path, op: str = "train") -> Settings:
    """Return the settings of the run in a folder, for an operation that errors name.

    Raises: DataError where there is none, or one that cannot be read.
    """
    path = folder / SETTINGS
    if not path.is_file():
        raise DataError(
            op,
            f"there is no run in {folder}: it has no {SETTINGS}",
            fix="give the folder of a run, such as runs/digits-1",
        )
    try:
        return Settings(**json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except (TypeError, ValueError):
        problem = "does not hold the settings of a run"
    raise DataError(op, f"{path} {problem}", fix="start a new run with pellucid train")


def write_metrics(folder: Path, history: Sequence[EpochDone]) -> None:
    """Write a line of JSON for each epoch."""
    lines = [json.dumps(epoch._asdict()) + "\n" for epoch in history]
    write("train", folder / METRICS, "".join(lines))
