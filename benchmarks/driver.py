"""The other end of the pipes: starts the two workers with their settings, and asks them.

Only one of them ever runs: a question is sent, and nothing else happens until its answer is there.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from benchmarks.worker import Problem

from pellucid.kernels.conv import ConvSpec

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {
    "pellucid": {"PELLUCID_REQUIRE_NATIVE": "1"},
    # Huge pages under PyTorch's tensors.
    "torch": {"THP_MEM_ALLOC_ENABLE": "1"},
}
THREAD_COUNTS = "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"


class Hold(NamedTuple):
    """A comparison of instruction sets: what it is, and the environment that holds sides to it."""

    meaning: str
    environment: dict[str, str]


INSTRUCTION_SETS = {
    None: Hold("each side takes its own choice", {}),
    "avx2": Hold(
        "AVX2 on both sides, as on a processor that has no more",
        {
            "PELLUCID_ISA": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        },
    ),
}


class Side:
    """One worker process."""

    def __init__(
        self,
        kind: str,
        threads: int,
        isa: str | None = None,
        program: str = "benchmarks.worker",
    ) -> None:
        self.kind = kind
        counts = dict.fromkeys(THREAD_COUNTS, str(threads))
        limits = INSTRUCTION_SETS[isa].environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", program, kind, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | counts | ENVIRONMENT[kind] | limits,
            start_new_session=True,  # Ctrl-C is for conv.py, which then closes the pipes
        )

    def ask(self, command: str, *arguments: Any) -> Any:
        """Return the answer of a worker, for which this process waits."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            pickle.dump((command, arguments), self.process.stdin)
            self.process.stdin.flush()
            worked, answer = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError):
            message = f"the {self.kind} worker ended with status {self.process.wait()}"
            raise RuntimeError(message) from None
        if not worked:
            raise RuntimeError(f"in the {self.kind} worker:\n{answer}")
        return answer

    def close(self) -> None:
        """Let the worker end: its pipe is closed."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Pair:
    """Both workers, with the same number of threads."""

    def __init__(self, threads: int, isa: str | None = None) -> None:
        self.threads, self.isa = threads, isa
        self.ours = Side("pellucid", threads, isa)
        self.theirs = Side("torch", threads, isa)

    def load(self, problem: Problem) -> list[tuple[Side, str]]:
        """Let both make the arrays of a problem; return who can be asked for which layout."""
        return [
            (side, layout)
            for side in (self.ours, self.theirs)
            for layout in side.ask("load", problem)
        ]

    def settings(self) -> dict[str, str]:
        both = {**self.ours.ask("settings"), **self.theirs.ask("settings")}
        return {"instruction sets": INSTRUCTION_SETS[self.isa].meaning, **both}

    def __enter__(self) -> Pair:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for side in (self.ours, self.theirs):
            side.close()


def problem_of(spec: ConvSpec, dtype: str, batch: int | None = None) -> Problem:
    """Return a problem for the workers, with that batch if one is given."""
    if batch is not None:
        spec = replace(spec, batch=min(batch, spec.batch))
    assert all(low == high for low, high in spec.padding), f"PyTorch cannot pad as {spec} says"
    return Problem(
        spec=str(spec),
        dtype=dtype,
        x_shape=spec.x_shape,
        w_shape=spec.w_shape,
        y_shape=spec.y_shape,
        stride=spec.stride,
        padding=tuple(low for low, _ in spec.padding),
        dilation=spec.dilation,
        groups=spec.groups,
    )
