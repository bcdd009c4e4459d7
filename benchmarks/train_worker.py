"""One of the processes that `train.py` drives: it trains, or applies, one model of one library.

    python -m benchmarks.train_worker pellucid THREADS        (or torch; train.py starts both)

A process has one model for all its life, so that its memory is that of this model alone. Commands
come through the pipe of worker.py; pellucid_training.py and torch_training.py make the step that is
asked for. Weights and data are a function of names and shapes: the same in every process, and none
goes through a pipe.
"""

from __future__ import annotations

import gc
import importlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, prod, sqrt
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from benchmarks.families import by_family
from benchmarks.worker import numbers, work

# Small, so that the first losses can be compared: training is chaotic, and Adam turns the smallest
# difference of a gradient near zero into a whole step. No time depends on it.
LEARNING_RATE = 1e-6
FIRST_STEPS = 3
TOLERANCE = 1e-4  # of the first losses, and of the outputs as a part of the largest
PROFILED_SECONDS = 0.5
TRAINING, INFERENCE = MODES = "training", "inference"
COMPILED = "compiled"
# How each library runs; the best of PyTorch's counts.
VARIANTS = {
    "pellucid": ("channels-last",),
    "torch": ("contiguous", "channels-last", COMPILED),
}
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Step = Callable[[], Any]


class Learner(NamedTuple):
    """A LeNet that is trained on real images (epochs.py)."""

    learn: Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any]], float]  # a step; its loss
    classes: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]  # that it sees in images


@dataclass(frozen=True)
class Job:
    """A model and the images that it is given."""

    model: str
    x_shape: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    classes: int = 1000
    pixels: bool = False  # whether each pixel has a class, and not each image

    def x(self) -> np.ndarray[Any, Any]:
        return numbers(self.x_shape, "float32", 0)

    def target(self) -> np.ndarray[Any, Any]:
        N, _, H, W = self.x_shape
        shape = (N, H, W) if self.pixels else (N,)
        return np.random.default_rng(1).integers(0, self.classes, shape)


def weights(
    shapes: Mapping[str, tuple[int, ...]], first_seed: int = 0
) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Yield an array for each parameter: He's normal numbers; ones and zeros for vectors."""
    for seed, (name, shape) in enumerate(shapes.items(), first_seed):
        if len(shape) > 1:
            scale = np.float32(sqrt(2 / prod(shape[1:])))
            yield name, numbers(shape, "float32", seed) * scale
        else:
            yield name, np.full(shape, name.endswith("weight"), np.float32)


class Library(Protocol):
    """What a side can be asked for."""

    def settings(self) -> dict[str, str]:
        """Say what is measured."""

    def prepare(self, job: Job, variant: str, mode: str) -> Step:
        """Make the model with its data, and return one step of it."""

    def learner(self, seed: int, rate: float) -> Learner:
        """Make a LeNet with the weights of a seed, and Adam of a rate."""

    def by_op(self, step: Step, count: int) -> tuple[dict[str, float], float]:
        """Take so many steps under a profiler; return each op's own seconds, and all of them."""

    def as_numbers(self, answer: Any) -> list[float]:
        """Return the loss that a step of training returned, or some of what a model gave."""


class Worker:
    """The commands: each method is one, with the arguments that come through the pipe."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.steps: dict[tuple[str, str], Step] = {}

    def settings(self) -> dict[str, str]:
        return self.library.settings()

    def start(self, job: Job, variant: str, mode: str) -> tuple[list[float], int | None]:
        """Make everything and take the first steps.

        Return the losses, or outputs, and the bytes of resident memory that the steps took at most
        above what the process had before them; None where nobody tells.
        """
        step = self.steps[variant, mode] = self.library.prepare(job, variant, mode)
        gc.collect()
        before = forget_peak()
        answers = [self.library.as_numbers(step()) for _ in range(FIRST_STEPS)]
        peak = None if before is None else memory("VmHWM") - before
        return [number for answer in answers for number in answer], peak

    def time(self, variant: str, mode: str, count: int) -> list[float]:
        """Return the seconds of so many steps."""
        step, seconds = self.steps[variant, mode], []
        for _ in range(count):
            began = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - began)
        return seconds

    def families(self, variant: str, mode: str) -> dict[str, float]:
        """Return the seconds of each family of ops in a step, its profiler's own work included."""
        step = self.steps[variant, mode]
        (once,) = self.time(variant, mode, 1)
        count = ceil(PROFILED_SECONDS / once)
        self.library.by_op(step, 1)  # a profiler's first use takes its time
        ops, whole = self.library.by_op(step, count)
        return by_family({op: spent / count for op, spent in ops.items()}, whole / count)


def memory(name: str) -> int:
    """Return bytes of the process: VmRSS is what is resident, VmHWM the most that ever was."""
    found = re.search(rf"^{name}:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)
    assert found, name
    return 1024 * int(found[1])


def forget_peak() -> int | None:
    """Let the peak begin anew, and return what is resident now; None where that cannot be done."""
    try:
        CLEAR.write_text("5")
        return memory("VmRSS")
    except OSError:
        return None


def make(kind: str, threads: int) -> Worker:
    return Worker(importlib.import_module(f"benchmarks.{kind}_training").Library(threads))


if __name__ == "__main__":
    work(make)
