"""What `pellucid train` shows: a line for each epoch, and on a terminal a bar that moves.

Next room: info.py.
"""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from pellucid.training import BatchDone, EpochDone, Trainer
from pellucid.training.trainer import Event


class Display:
    """Shows the events of a trainer while its `with` block runs.

    Anywhere but on a terminal it prints plain lines, and nothing that moves.
    """

    def __init__(self, console: Console, trainer: Trainer) -> None:
        self.console = console
        self._trainer = trainer
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}", style="bold"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[what]}"),
            TextColumn("loss {task.fields[loss]:.4f}"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[left]} left"),
            console=console,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task(
            "", total=1, visible=False, epoch="", what="", loss=0.0, rate="", left=""
        )
        self._begin = self._phase_begin = time.monotonic()
        self._begin_share = trainer.share
        self._phase = (-1, False)
        self._images = 0

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self._bar.stop()

    def show(self, event: Event) -> None:
        """Move the bar, or print the line of an epoch."""
        if isinstance(event, EpochDone):
            say(self.console, epoch_line(event, self._trainer.epochs))
        else:
            self._move(event)

    def _move(self, event: BatchDone) -> None:
        now = time.monotonic()
        if self._phase != (event.epoch, event.training):
            self._phase = event.epoch, event.training
            self._phase_begin, self._images = now, 0
        else:  # the first batch of a phase only starts the clock
            self._images += event.images
        passed = now - self._phase_begin
        self._bar.update(
            self._task,
            visible=True,
            total=event.batches,
            completed=event.batch,
            epoch=f"{event.epoch}/{self._trainer.epochs}",
            what="batches" if event.training else "test batches",
            loss=event.loss,
            rate=f"{self._images / passed:,.0f} images/s" if self._images else "",
            left=clock(self._seconds_left(now)),
        )

    def _seconds_left(self, now: float) -> float:
        """Judge by how long the training has taken so far in this session."""
        done = self._trainer.share - self._begin_share
        return (now - self._begin) * (1 - self._trainer.share) / done if done else 0.0


def epoch_line(event: EpochDone, epochs: int) -> str:
    """Return the line of an epoch.

    >>> epoch_line(EpochDone(3, 0.25, 0.125, 0.9875), epochs=20)
    'epoch  3/20  train loss 0.2500  test loss 0.1250  test accuracy 98.75 %'
    """
    return (
        f"epoch {event.epoch:>{len(str(epochs))}}/{epochs}  train loss {event.train_loss:.4f}  "
        f"test loss {event.test_loss:.4f}  test accuracy {100 * event.test_accuracy:.2f} %"
    )


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds.

    >>> clock(65.7)
    '1:05'
    """
    return f"{seconds // 60:.0f}:{seconds % 60 // 1:02.0f}"


def say(console: Console, text: str) -> None:
    """Print a text as it is: no colours of its own, no line breaks that it does not have."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)
