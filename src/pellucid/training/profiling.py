"""measured: some steps of a training under `pellucid.profiler`, and the files that come of it.

Next room: run.py, whose `events` may pass through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from pellucid.files import write
from pellucid.profiler import profile
from pellucid.training.folder import PROFILE, TRACE
from pellucid.training.trainer import BatchDone, Event

# The first steps make buffers and choose algorithms, and say little of those that follow.
WARM_UP, STEPS = 2, 10


def measured(events: Iterator[Event], folder: Path) -> Iterator[Event]:
    """Pass the events of a training on, and write what 10 of its first steps took into `folder`.

    An epoch of fewer batches is measured to its end.

    Raises: DataError when the files cannot be written.
    """
    found, steps, event = profile(), 0, next(events, None)
    if event is None:  # resumed behind its last epoch
        return
    while isinstance(event, BatchDone) and event.batch < event.batches and steps < STEPS:
        yield event
        measuring = event.batch >= WARM_UP
        with found if measuring else nullcontext():
            event = next(events)
        steps += measuring
    if steps:
        _write(found, steps, folder)
    yield event
    yield from events


def _write(found: profile, steps: int, folder: Path) -> None:
    head = f"{steps} training steps, {1e3 * found.seconds / max(steps, 1):.1f} ms each\n\n"
    write("train", folder / PROFILE, f"{head}{found}\n")
    found.export_chrome_trace(folder / TRACE)
