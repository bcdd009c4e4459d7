"""Run: one training in a folder of its own, from which it can go on after any interruption.

Only the checkpoint counts when a run is resumed: it is written whole or not at all, and all else
in the folder can be made from it again. Not here: the loop (trainer.py), what the report shows
(report.py). Next room: replay.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.checkpoint import Checkpoint, save
from pellucid.data import ImageDataset
from pellucid.errors import ArgumentError, DataError
from pellucid.files import write
from pellucid.nn import Conv2d
from pellucid.training.build import load_data, make_trainer
from pellucid.training.evaluation import Evaluation, evaluate
from pellucid.training.folder import (
    CHECKPOINT,
    MODEL,
    REPORT,
    new_folder,
    read_settings,
    write_metrics,
)
from pellucid.training.profiling import measured
from pellucid.training.replay import Replay, Weights, replay
from pellucid.training.report import Outcome, make_report
from pellucid.training.settings import Settings, option
from pellucid.training.trainer import EpochDone, Event, Trainer

# How much a crash can cost at most; the end of an epoch is saved too.
CHECKPOINT_SECONDS = 30.0


class Run:
    """A trainer, its settings and data, and the folder that keeps what comes of them.

    `Run.start` makes a new folder, `Run.resume` goes on in an old one. Then `events()` trains, and
    `finish()` writes the model and the report.

    >>> import tempfile
    >>> from pellucid.training import choose
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = Run.start(choose("digits", epochs=1, batch_size=100), f"{folder}/run")
    ...     event = next(run.events())
    >>> event.batch, event.batches, event.images
    (1, 15, 100)
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        trainer: Trainer,
        data: ImageDataset,
        test_data: ImageDataset,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.trainer = trainer
        self.data = data
        self.test_data = test_data
        self.seconds = 0.0

    @classmethod
    def start(cls, settings: Settings, out: str | Path | None = None) -> Run:
        """Return a new run in the folder `out`, or in the next free one of `runs/`.

        Raises: DataError or ArgumentError for settings that cannot be trained, and for a folder
        that is not empty or cannot be written; then nothing new is left on the disk.
        """
        trainer, data, test_data = _prepare(settings)
        return cls(settings, new_folder(settings, out), trainer, data, test_data)

    @classmethod
    def resume(cls, folder: str | Path, data_dir: str | None = None, **given: Any) -> Run:
        """Return the run of a folder as it was when it was last saved.

        `data_dir` may be another one than before; the other options that are given (not None) must
        be those of the run.

        Raises: DataError for a folder without a run, or one that cannot be read; ArgumentError for
        a run that is finished, and for options that are not those of the run.
        """
        folder = Path(folder)
        settings = read_settings(folder)
        for name, value in given.items():
            if value not in (None, getattr(settings, name)):
                raise ArgumentError(
                    "train",
                    f"{option(name)} is {value}, but the run in {folder} has "
                    f"{getattr(settings, name)}",
                    fix=f"leave {option(name)} out, or start a new run without --resume",
                )
        saved = folder / CHECKPOINT
        if (folder / REPORT).exists() and not saved.exists():
            raise ArgumentError(
                "train",
                f"the run in {folder} is finished, there is nothing to resume",
                fix="start a new run without --resume",
            )
        settings = settings if data_dir is None else replace(settings, data_dir=data_dir)
        run = cls(settings, folder, *_prepare(settings))
        if saved.exists():
            run._restore(saved)
        return run

    def _restore(self, path: Path) -> None:
        trainer, checkpoint = self.trainer, Checkpoint.load(path)
        if set(checkpoint.metadata) != {"trainer", "seconds"}:
            raise DataError(
                "train", f"{path} is not the checkpoint of a run", fix="start without --resume"
            )
        checkpoint.restore(trainer.model, trainer.optimizer, trainer.scheduler)
        trainer.load_state_dict(checkpoint.metadata["trainer"])
        self.seconds = checkpoint.metadata["seconds"]
        write_metrics(self.folder, trainer.history)

    def events(self, profile: bool = False) -> Iterator[Event]:
        """Train to the end, and yield after each batch and each epoch.

        The state is saved at the end of each epoch and every 30 seconds. Whoever leaves the loop
        before its end calls `save()` to lose nothing. With `profile`, 10 of the first steps are
        measured, and profile.txt and profile.json say what they took (profiling.py).
        """
        saved = before = time.monotonic()
        events = self.trainer.events()
        for event in measured(events, self.folder) if profile else events:
            now = time.monotonic()
            self.seconds += now - before
            before = now
            if isinstance(event, EpochDone) or now - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = now
            yield event

    def save(self) -> None:
        """Write where the training is; `Run.resume` goes on from there to the same bits.

        Raises: DataError when it cannot be written; the last checkpoint is still there then.
        """
        trainer = self.trainer
        Checkpoint.capture(
            trainer.model,
            trainer.optimizer,
            trainer.scheduler,
            epoch=trainer.epoch,
            batch=trainer.batch,
            metadata={"trainer": trainer.state_dict(), "seconds": self.seconds},
        ).save(self.folder / CHECKPOINT)
        write_metrics(self.folder, trainer.history)

    def finish(self) -> Path:
        """Write the model, the pictures and the report, and return the path of the report.

        Raises: DataError when one cannot be written, UnsupportedError without the extra `app`; the
        run can be resumed then.
        """
        trainer, found = self.trainer, self.trainer.evaluation
        if found is None:  # it was interrupted after its last epoch
            found = Evaluation(trainer.classes)
            for _ in evaluate(trainer.model, trainer.test_loader, found):
                pass
        save(trainer.model.state_dict(), self.folder / MODEL)
        outcome = Outcome(
            self.settings, trainer.history, found, trainer.model, len(self.data), self.test_data,
            self.seconds, self._last_batch(),
        )  # fmt: skip
        for name, content in make_report(outcome).items():
            write("train", self.folder / name, content)
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        return self.folder / REPORT

    def _last_batch(self) -> Replay | None:
        """Pass the last batch through the model once more; None where it has no convolution."""
        model = self.trainer.model
        if not any(isinstance(layer, Conv2d) for layer in model.modules()):
            return None
        return replay(self.settings, self.data, Weights(model.state_dict(), None))


def _prepare(settings: Settings) -> tuple[Trainer, ImageDataset, ImageDataset]:
    data, test_data = (load_data(settings, train) for train in (True, False))
    return make_trainer(settings, data, test_data), data, test_data
