"""One of the processes that `epochs.py` drives: LeNet on MNIST, in one library, an epoch at a time.

    python -m benchmarks.epochs_worker pellucid THREADS        (or torch; epochs.py starts both)

Which images a step has, and what the weights begin from, is a function of the seed and the epoch:
the same in both processes. Next room: pellucid_training.py and torch_training.py.
"""

from __future__ import annotations

import gzip
import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.train_worker import Learner, Library
from benchmarks.worker import work

BATCH, RATE = 144, 1e-3
TEST_BATCH = 1000
HEADERS = {"images": 16, "labels": 8}  # bytes of an idx file before its elements


def read(folder: str, part: str, kind: str) -> np.ndarray[Any, Any]:
    """Return the bytes of one of the four files, plain or gzip."""
    path = Path(folder) / f"{part}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
    content = path.read_bytes() if path.exists() else gzip.decompress(_zipped(path).read_bytes())
    return np.frombuffer(content, np.uint8, offset=HEADERS[kind])


def _zipped(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


class Worker:
    """The commands: each method is one, with the arguments that come through the pipe."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.data: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        self.learner: Learner | None = None

    def settings(self) -> dict[str, str]:
        return self.library.settings()

    def load(self, folder: str) -> None:
        """Read the images, as numbers from 0 to 1, and their classes."""
        for part in ("train", "t10k"):
            images = read(folder, part, "images").reshape(-1, 1, 28, 28)
            x = images.astype(np.float32) / np.float32(255)
            self.data[part] = x, read(folder, part, "labels").astype(np.int64)

    def begin(self, seed: int) -> None:
        """Begin anew, from the weights of a seed."""
        self.learner = self.library.learner(1000 * seed, RATE)

    def epoch(self, seed: int, epoch: int) -> tuple[float, float]:
        """Return the seconds of an epoch, with the choice of its images, and its mean loss."""
        assert self.learner
        x, target = self.data["train"]
        began = time.perf_counter()
        order = np.random.default_rng((seed, epoch)).permutation(len(x))
        losses = []
        for k in range(0, len(x), BATCH):
            some = order[k : k + BATCH]
            losses.append(self.learner.learn(x[some], target[some]))
        return time.perf_counter() - began, float(np.mean(losses))

    def accuracy(self) -> float:
        """Return the share of the test images whose class is found."""
        assert self.learner
        x, target = self.data["t10k"]
        right = 0
        for k in range(0, len(x), TEST_BATCH):
            found = self.learner.classes(x[k : k + TEST_BATCH])
            right += int((found == target[k : k + TEST_BATCH]).sum())
        return right / len(x)


def make(kind: str, threads: int) -> Worker:
    return Worker(importlib.import_module(f"benchmarks.{kind}_training").Library(threads))


if __name__ == "__main__":
    work(make)
