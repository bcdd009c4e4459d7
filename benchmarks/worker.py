"""One of the two processes that `conv.py` drives: it computes for one library, and only when told.

    python -m benchmarks.worker pellucid THREADS        (or torch; conv.py starts both)

Commands come through stdin and answers go through stdout, pickled; between commands the process is
blocked in a read. pellucid_side.py and torch_side.py make arrays from a problem and return the
calls to be timed. The two are never in one process: two thread pools steal each other's cores.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO, Protocol

import numpy as np
from benchmarks.peak import copy_gbytes, fma_gflops

Call = Callable[[], Any]
# As many random numbers as are made; larger arrays repeat them. A prime, so that no two pixels or
# channels hold the same ones.
RANDOM_NUMBERS = 1_048_573


@dataclass(frozen=True)
class Problem:
    """A spec and a dtype, for a process that does not know pellucid."""

    spec: str
    dtype: str
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return x, w and gy in C order: the same numbers in every process."""
        shapes = {"x": self.x_shape, "w": self.w_shape, "gy": self.y_shape}
        return {
            name: numbers(shape, self.dtype, seed)
            for seed, (name, shape) in enumerate(shapes.items())
        }


def numbers(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray[Any, Any]:
    count = min(prod(shape), RANDOM_NUMBERS)
    block = np.random.default_rng(seed).standard_normal(count, np.float32)
    return np.resize(block, shape).astype(dtype, copy=False)


class Side(Protocol):
    """What a side can be asked for."""

    layouts: tuple[str, ...]

    def settings(self) -> dict[str, str]:
        """Say what is measured."""

    def algorithms(self, problem: Problem) -> dict[str, str]:
        """Return what computes each direction, where the library tells."""

    def calls(self, problem: Problem, layout: str) -> tuple[dict[str, Call], Call]:
        """Return the call of each direction, and one that changes the weights."""

    def as_array(self, answer: Any) -> np.ndarray[Any, Any]:
        """Return what a call has returned, as an array."""


class Worker:
    """The commands: each method is one, with the arguments that come through the pipe."""

    def __init__(self, library: Side) -> None:
        self.library = library
        self.loaded: dict[str, tuple[dict[str, Call], Call]] = {}

    def settings(self) -> dict[str, str]:
        return self.library.settings()

    def algorithms(self, problem: Problem) -> dict[str, str]:
        return self.library.algorithms(problem)

    def load(self, problem: Problem) -> tuple[str, ...]:
        """Make the arrays of a problem, in every layout, in place of those there; name them."""
        self.loaded = {}
        layouts = self.library.layouts
        self.loaded = {layout: self.library.calls(problem, layout) for layout in layouts}
        gc.collect()
        return layouts

    def answer(self, layout: str, direction: str) -> np.ndarray[Any, Any]:
        """Return the result of one direction."""
        return self.library.as_array(self.loaded[layout][0][direction]())

    def time(self, layout: str, direction: str, count: int) -> list[float]:
        """Return the seconds of so many calls, with other weights in each.

        What a call returns is let go within its time. Short calls are preceded by one that does not
        count, so that memory is near and threads are awake; a long one outweighs that.
        """
        directions, change_weights = self.loaded[layout]
        call, seconds = directions[direction], []
        if count > 1:
            call()
        for _ in range(count):
            change_weights()
            began = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - began)
        return seconds

    def peak(self, dtype: str, threads: int) -> float | None:
        """Return the GFLOP/s of fused multiply-adds in registers, at this moment."""
        return fma_gflops(dtype, threads)

    def copy(self, threads: int) -> float:
        """Return the GB/s of copied memory, at this moment."""
        return copy_gbytes(threads)


def serve(worker: Any, commands: BinaryIO, answers: BinaryIO) -> None:
    """Do what is asked until the pipe is closed; what goes wrong is an answer too."""
    while True:
        try:
            name, arguments = pickle.load(commands)
        except EOFError:
            return
        try:
            reply = True, getattr(worker, name)(*arguments)
        except Exception:
            reply = False, traceback.format_exc()
        pickle.dump(reply, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def work(make: Callable[[str, int], Any]) -> None:
    """Be a worker, made for the library and the threads that the command line names."""
    kind, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not print there
    gc.disable()
    serve(make(kind, threads), sys.stdin.buffer, answers)


def make(kind: str, threads: int) -> Worker:
    return Worker(importlib.import_module(f"benchmarks.{kind}_side").Library(threads))


if __name__ == "__main__":
    work(make)
