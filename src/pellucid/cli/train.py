"""`pellucid train`: start or resume a run, show it, and stop cleanly where a signal says so.

Not here: what training is (training/). Next room: progress.py.
"""

from __future__ import annotations

import math
import shlex
import signal
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import typer
from rich.console import Console

from pellucid.cli.progress import Display, clock, say
from pellucid.errors import ArgumentError
from pellucid.training import Run, choose
from pellucid.training.build import described
from pellucid.training.folder import PROFILE


class Signals:
    """Holds back the first SIGINT (Ctrl-C) or SIGTERM of a `with` block, so that a step can end.

    `received` is its number, or None; a second one acts as without this block.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._hold)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self.__exit__(None, None, None)


def train(
    resume: Path | None, out: Path | None, data_dir: Path | None, profile: bool, **given: Any
) -> None:
    """Train as the options say; None is an option that was not given."""
    console = Console()
    folder = None if data_dir is None else str(data_dir)
    run = None
    try:
        if resume is None:
            run = Run.start(choose(data_dir=folder, **given), out)
        else:
            _check_out(out, resume)
            run = Run.resume(resume, folder, **given)
        _introduce(console, run)
        stopped = _train(console, run, profile)
        if stopped is None:
            _conclude(console, run, run.finish(), profile)
            return
    except KeyboardInterrupt:
        stopped = signal.SIGINT
    if run is not None:
        command = shlex.join(["pellucid", "train", "--resume", str(run.folder)])
        say(console, f"Interrupted. Go on, as if nothing had happened, with\n  {command}")
    raise typer.Exit(128 + stopped)


def _check_out(out: Path | None, resume: Path) -> None:
    if out not in (None, resume):
        raise ArgumentError(
            "train",
            f"--out is {out}, but --resume goes on in {resume}",
            fix="leave --out out",
        )


def _introduce(console: Console, run: Run) -> None:
    settings, trainer = run.settings, run.trainer
    (x, _), classes = run.data[0], len(run.data.classes)
    parameters = sum(p.numel() for p in trainer.model.parameters())
    say(
        console,
        f"{settings.data}: {len(run.data):,} training images, {len(run.test_data):,} test images, "
        f"{described(x.shape)}, {classes} classes\n"
        f"{settings.model}: {parameters:,} parameters; {settings.optimizer}, "
        f"learning rate up to {settings.lr:g}, batches of {settings.batch_size}, "
        f"seed {settings.seed}\n"
        f"folder: {run.folder}",
    )
    if trainer.epoch or trainer.batch:
        say(console, f"resuming after batch {trainer.batch} of epoch {trainer.epoch + 1}")


def _train(console: Console, run: Run, profile: bool) -> int | None:
    """Train to the end, or to the first signal, which is returned when all is saved."""
    with Signals() as signals, Display(console, run.trainer) as display:
        for event in run.events(profile):
            display.show(event)
            if signals.received is not None:
                run.save()
                return signals.received
    return None


def _conclude(console: Console, run: Run, report: Path, profile: bool) -> None:
    last = run.trainer.history[-1]
    recognised = f"{100 * last.test_accuracy:.2f} % of the test images recognised"
    say(
        console,
        f"{_failed(last.train_loss, run.settings.lr)}{recognised}, in {clock(run.seconds)}\n"
        f"report: {report}" + (f"\nprofile: {run.folder / PROFILE}" if profile else ""),
    )


def _failed(loss: float, lr: float) -> str:
    """What to say first of a training that came to no number."""
    if math.isfinite(loss):
        return ""
    return (
        f"The training failed: its loss is {loss:g}, as the steps were too large. Try a smaller "
        f"--lr than {lr:g}.\n"
    )
