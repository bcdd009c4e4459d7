"""Training beside PyTorch: whole steps of whole models, forward, loss, backward and Adam.

    python -m benchmarks.train                              every model; about ten minutes
    python -m benchmarks.train --inference                  the same models applied, not trained
    python -m benchmarks.train --models 'lenet|resnet18' --threads 1,2 --alternations 30
    python -m benchmarks.train --models 'lenet b1$' --alternations 3 --out /tmp/train   does it run?

Run from the root of the repository, on a machine with nothing else to do. How it measures, and how
to read what it prints, stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from benchmarks.conv import cores, load, machine, remarks
from benchmarks.driver import INSTRUCTION_SETS, Side
from benchmarks.measure import Budget, Plan, alternate
from benchmarks.record import replace
from benchmarks.train_report import Row, line, page
from benchmarks.train_worker import COMPILED, INFERENCE, TOLERANCE, TRAINING, VARIANTS, Job

RESULTS = Path(__file__).parent / "results"
TURN_SECONDS = 0.1  # short steps are repeated within a turn until it lasts this long

# What is measured, and how many times as long PyTorch is to take for a step.
JOBS = {
    "lenet b144": (Job("lenet", (144, 1, 28, 28), classes=10), 3.5),
    "lenet b1": (Job("lenet", (1, 1, 28, 28), classes=10), 2.5),
    "resnet20 b128 32x32": (Job("resnet20", (128, 3, 32, 32), classes=10), 2.0),
    "resnet18 b8 224x224": (Job("resnet18", (8, 3, 224, 224)), 2.2),
    "mobilenet_v2 b8 224x224": (Job("mobilenet_v2", (8, 3, 224, 224), {"dropout": 0.0}), 1.7),
    "vgg11 b16 64x64": (Job("vgg11", (16, 3, 64, 64), {"dropout": 0.0}), 2.0),
    "unet b4 128x128": (Job("unet", (4, 1, 128, 128), classes=2, pixels=True), 1.9),
}
INFERENCE_TARGET = 1.8


class Processes:
    """One for pellucid and one for each variant of PyTorch, each with the model and its data."""

    def __init__(self, job: Job, mode: str, threads: int, isa: str | None) -> None:
        self.job, self.mode, self.threads, self.isa = job, mode, threads, isa
        self.sides: list[tuple[Side, str]] = []
        self.answers: dict[tuple[str, str], list[float]] = {}
        self.memory: dict[tuple[str, str], int | None] = {}
        self.left_out: list[str] = []

    def start(self, kind: str, variant: str) -> None:
        """Start a process and let it take its first steps; a compiler may fail."""
        side = Side(kind, self.threads, self.isa, "benchmarks.train_worker")
        self.sides.append((side, variant))
        try:
            answers, peak = side.ask("start", self.job, variant, self.mode)
        except RuntimeError as error:
            if variant != COMPILED:
                raise
            self.leave_out(variant, str(error).strip().splitlines()[-1][:200])
        else:
            self.answers[kind, variant], self.memory[kind, variant] = answers, peak

    def leave_out(self, variant: str, why: str) -> None:
        (side,) = (side for side, other in self.sides if (side.kind, other) == ("torch", variant))
        side.close()
        self.sides.remove((side, variant))
        self.left_out.append(f"{variant}: {why}")

    def compare(self) -> list[str]:
        """Return which variants give other numbers than we do; a NaN agrees with nothing.

        A compiler that is alone in that is left out.
        """
        ours, *rest = (np.array(self.answers[side.kind, variant]) for side, variant in self.sides)
        names = [variant for _, variant in self.sides[1:]]
        errors = [np.abs(theirs - ours).max() / np.abs(theirs).max() for theirs in rest]
        far = {
            name: f"differs by {error:.1e}"
            for name, error in zip(names, errors, strict=True)
            if not error <= TOLERANCE
        }
        if list(far) == [COMPILED]:
            self.leave_out(COMPILED, f"it {far.pop(COMPILED)} from the others")
        return [f"{name} {how}" for name, how in far.items()]

    def least_memory(self, kind: str) -> int | None:
        """Return what the most modest variant takes."""
        known = [peak for (other, _), peak in self.memory.items() if other == kind]
        return min((peak for peak in known if peak is not None), default=None)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for side, _ in self.sides:
            side.close()


def measure(name: str, options: argparse.Namespace, threads: int) -> Row:
    """Return the row of one model: everyone starts, agrees, and is then timed in turns."""
    (job, target), mode = JOBS[name], options.mode
    with Processes(job, mode, threads, options.isa) as processes:
        for kind, variants in VARIANTS.items():
            for variant in variants:
                tell(f"{name}, {mode}: the first steps of {kind}, {variant}")
                processes.start(kind, variant)
        wrong = processes.compare()
        row = Row(
            name=name,
            mode=mode,
            threads=threads,
            target=target if mode == TRAINING else INFERENCE_TARGET,
            our_bytes=processes.least_memory("pellucid"),
            torch_bytes=processes.least_memory("torch"),
            remarks=processes.left_out,
            wrong=wrong,
        )
        return row if wrong else profiled(timed(row, processes, options.alternations), processes)


def timed(row: Row, processes: Any, alternations: int) -> Row:
    """Return the row with its times; `processes` are those that take turns."""
    tell(f"{row.name}, {row.mode}: {alternations} turns")
    plan = Plan(alternations, alternations, turn_seconds=TURN_SECONDS)
    turns = alternate(processes, processes.sides, row.mode, plan, Budget(0, 1))
    keys = turns.layouts()
    return row.with_times(
        ours_ms=1e3 * median(turns.ours()),
        torch_ms={variant: 1e3 * median(turns.seconds[key]) for key in keys for variant in key[1:]},
        ratio=turns.ratio(),
        turns=len(turns.ours()),
    )


def profiled(row: Row, processes: Any) -> Row:
    """Return the row with where its steps go, of PyTorch's in its best variant that names ops."""
    best = next(variant for variant, _ in row.variants() if variant != COMPILED)
    (ours, own), *others = processes.sides
    (theirs,) = (side for side, variant in others if variant == best)
    tell(f"{row.name}, {row.mode}: where the time goes")
    return row.with_families(
        best, ours.ask("families", own, row.mode), theirs.ask("families", best, row.mode)
    )


def tell(text: str) -> None:
    """Say what happens, to those who wait."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default="", metavar="REGEX", help=f"of {', '.join(JOBS)}")
    parser.add_argument("--threads", default=str(cores()), help=f"counts, default {cores()}")
    parser.add_argument("--alternations", type=int, default=15, metavar="N", help="default 15")
    parser.add_argument("--inference", action="store_true", help="apply the models instead")
    isas = [isa for isa in INSTRUCTION_SETS if isa]
    parser.add_argument("--isa", choices=isas, help="see benchmarks/README.md")
    parser.add_argument("--out", type=Path, help="what the names of the pages begin with")
    options = parser.parse_args()
    options.mode = INFERENCE if options.inference else TRAINING
    options.out = options.out or RESULTS / ("inference" if options.inference else "train")
    return options


def settings_of(options: argparse.Namespace, threads: int) -> dict[str, str]:
    """Return what the page says about the machine, the command and both libraries."""
    found = machine() | {"command": shlex.join(sys.argv[1:]), "threads": str(threads)}
    found["instruction sets"] = INSTRUCTION_SETS[options.isa].meaning
    for kind in VARIANTS:
        side = Side(kind, threads, options.isa, "benchmarks.train_worker")
        found |= side.ask("settings")
        side.close()
    return found


def run(options: argparse.Namespace, threads: int) -> list[Row]:
    """Measure what was asked for, and write the page anew after each row."""
    settings, above = settings_of(options, threads), remarks(quick=False, load_before=load())
    names = [name for name in JOBS if re.search(options.models, name)]
    out = options.out.with_name(f"{options.out.name}-{threads}-threads.md")
    rows: list[Row] = []
    for name in names:
        rows.append(measure(name, options, threads))
        tell(line(rows[-1]))
        replace(out, page(settings, rows, len(names), above))
    print("\n" + page(settings, rows, len(names), above))
    return rows


def main() -> int:
    options, rows = arguments(), []
    try:
        for threads in options.threads.split(","):
            rows += run(options, int(threads))
    except KeyboardInterrupt:
        print("interrupted; the rows so far are in the page")
    return 0 if rows and not any(row.wrong for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
