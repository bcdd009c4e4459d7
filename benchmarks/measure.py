"""One shape on both sides: checked against float64, then timed turn and turn about."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from math import ceil, prod
from statistics import median
from typing import Any, get_args

import numpy as np
from benchmarks.bootstrap import Ratio, ratio_of_medians
from benchmarks.driver import Pair, Side, problem_of
from benchmarks.networks import class_of
from benchmarks.worker import Problem

from pellucid.backend import Array
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, Direction

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
CHECKED_BATCH = 2
# Of the largest sum of |x| |w| behind an element of the answer: what either side may err.
TOLERANCE = {"float32": 2e-6, "float64": 1e-14}
# Of the largest element of the answer: what pellucid promises too. Long sums of numbers of both
# signs, as in grad_weight, come out small: PyTorch would not hold it.
OWN_TOLERANCE = {"float32": 5e-6, "float64": 1e-13}
# PyTorch's threads spin for about a millisecond after a call before they sleep.
SETTLE_SECONDS = 0.002
# After these turns, a layout of PyTorch that is slower than its other one by this is left out.
LAYOUT_TURNS, LAYOUT_MARGIN = 4, 1.1


@dataclass(frozen=True)
class Plan:
    """How long to measure: turns until the interval is narrow, but no fewer and no more."""

    turns: int = 15
    most_turns: int = 60
    width: float = 0.06
    turn_seconds: float = 0.005  # short calls are repeated within a turn until it lasts this long


# What a row can tell beside what was measured.
DERIVED = ("gflops", "gbytes", "wrong")
QUICK = Plan(turns=3, most_turns=3, turn_seconds=0.002)


class Budget:
    """The time of a whole run, so many rows: each may have its part, and what others left of it."""

    def __init__(self, seconds: float, rows: int) -> None:
        self.seconds, self.rows = seconds, rows
        self.began, self.begun = time.perf_counter(), 0

    def next_row(self) -> None:
        self.begun += 1

    def is_left(self) -> bool:
        """Whether the row in hand may have more turns than it must."""
        return time.perf_counter() - self.began < self.seconds * self.begun / self.rows


@dataclass(frozen=True)
class Error:
    """The largest error, as part of the largest sum of magnitudes and of the largest element."""

    of_sum: float
    of_largest: float


@dataclass(frozen=True)
class Row:
    """What was measured for one shape and direction."""

    spec: str
    kind: str
    direction: str
    dtype: str
    threads: int
    flops: int
    ours_ms: float
    torch_ms: float
    layout: str
    other_layout_ms: float | None
    ratio: Ratio
    turns: int
    algorithm: str
    peak_gflops: float | None
    bytes: int
    copy_gbytes: float
    our_error: Error
    torch_error: Error

    @property
    def gflops(self) -> float:
        """Of the direct count, whatever the algorithm."""
        return self.flops / self.ours_ms / 1e6

    @property
    def gbytes(self) -> float:
        """GB/s, if each of the three arrays is read or written once."""
        return self.bytes / self.ours_ms / 1e6

    @property
    def wrong(self) -> bool:
        """Whether an answer is not what it should be; a NaN is not."""
        errors = self.our_error.of_sum, self.torch_error.of_sum
        held = all(error <= TOLERANCE[self.dtype] for error in errors)
        return not (held and self.our_error.of_largest <= OWN_TOLERANCE[self.dtype])

    def as_dict(self) -> dict[str, Any]:
        derived = {name: getattr(self, name) for name in DERIVED}
        return asdict(self) | derived

    @staticmethod
    def from_dict(numbers: dict[str, Any]) -> Row:
        """Return the row that `as_dict` wrote down."""
        measured = {name: value for name, value in numbers.items() if name not in DERIVED}
        measured["ratio"] = Ratio(**measured["ratio"])
        for name in ("our_error", "torch_error"):
            measured[name] = Error(**measured[name])
        return Row(**measured)


def reference(problem: Problem, direction: str, magnitudes: bool = False) -> Array:
    """Return the answer in float64, by im2col, to the numbers that the workers have.

    With `magnitudes`, to their absolute values: the sums of |x| |w|.
    """
    wide = (array.astype(np.float64) for array in problem.arrays().values())
    x, w, gy = (np.abs(array) if magnitudes else array for array in wide)
    spec = ConvSpec.parse(problem.spec)
    if direction == "forward":
        return conv.forward(x, w, None, spec, algorithm="im2col")
    if direction == "grad_input":
        return conv.grad_input(gy, w, spec, algorithm="im2col")
    return conv.grad_weight(gy, x, spec, algorithm="im2col")


def errors(
    pair: Pair, spec: ConvSpec, dtype: str, directions: list[str]
) -> dict[tuple[str, str], Error]:
    """Return the errors on a small batch, by direction and side; the worst of a side's layouts."""
    problem = problem_of(spec, dtype, CHECKED_BATCH)
    sides = pair.load(problem)
    found = {}
    for direction in directions:
        right = reference(problem, direction)
        largest = float(np.abs(right).max())
        largest_sum = float(reference(problem, direction, magnitudes=True).max())
        wrong: dict[str, list[float]] = {}
        for side, layout in sides:
            answer = side.ask("answer", layout, direction).reshape(right.shape)
            wrong.setdefault(side.kind, []).append(float(np.abs(answer - right).max()))
        for kind, by_layout in wrong.items():
            worst = float(np.max(by_layout))  # a NaN if there is one
            found[direction, kind] = Error(worst / largest_sum, worst / largest)
    return found


class Turns:
    """The alternation: each turn gives one time of each of the candidates."""

    def __init__(self, pair: Pair, candidates: list[tuple[Side, str]], direction: str) -> None:
        self.pair, self.direction, self.candidates = pair, direction, candidates
        self.seconds: dict[tuple[str, str], list[float]] = {
            (side.kind, layout): [] for side, layout in candidates
        }
        self.counts: dict[tuple[str, str], int] = {}

    def prepare(self, turn_seconds: float) -> None:
        """Learn how many calls make a turn; the first calls of all do not count."""
        for side, layout in self.candidates:
            side.ask("time", layout, self.direction, 1)
            once = min(side.ask("time", layout, self.direction, 2))
            self.counts[side.kind, layout] = min(1000, ceil(turn_seconds / once))

    def take(self) -> None:
        """Time everyone once, in turn; every other time in the opposite order."""
        done = len(next(iter(self.seconds.values())))
        for side, layout in self.candidates[:: -1 if done % 2 else 1]:
            if self.pair.threads > 1:
                time.sleep(SETTLE_SECONDS)
            key = side.kind, layout
            self.seconds[key].append(
                median(side.ask("time", layout, self.direction, self.counts[key]))
            )

    def drop_slow_layout(self) -> None:
        """Leave PyTorch's slower layout out, where the difference is plain."""
        by_layout = {key: median(self.seconds[key]) for key in self.layouts()}
        least = min(by_layout.values())
        self.candidates = [
            (side, layout)
            for side, layout in self.candidates
            if by_layout.get((side.kind, layout), 0) <= LAYOUT_MARGIN * least
        ]

    def layouts(self) -> list[tuple[str, str]]:
        """Return PyTorch's keys, the better layout of those that are still in first."""
        in_play = {(side.kind, layout) for side, layout in self.candidates}
        keys = [key for key in self.seconds if key[0] == "torch"]
        return sorted(keys, key=lambda key: (key not in in_play, median(self.seconds[key] or [0])))

    def ours(self) -> list[float]:
        (key,) = (key for key in self.seconds if key[0] == "pellucid")
        return self.seconds[key]

    def ratio(self) -> Ratio:
        return ratio_of_medians(self.seconds[self.layouts()[0]], self.ours())


def alternate(
    pair: Pair, sides: list[tuple[Side, str]], direction: str, plan: Plan, budget: Budget
) -> Turns:
    """Take turns until the interval is narrow or the time is over."""
    turns = Turns(pair, sides, direction)
    turns.prepare(plan.turn_seconds)
    for done in range(1, plan.most_turns + 1):
        turns.take()
        if done == LAYOUT_TURNS:
            turns.drop_slow_layout()
        due = done >= plan.turns and (done - plan.turns) % 5 == 0
        if due and (turns.ratio().width <= plan.width or not budget.is_left()):
            break
    return turns


def bytes_of(problem: Problem) -> int:
    """Return the bytes of x, w and y together: what any algorithm must read and write."""
    elements = sum(prod(s) for s in (problem.x_shape, problem.w_shape, problem.y_shape))
    return elements * np.dtype(problem.dtype).itemsize


def measure(
    pair: Pair, spec: ConvSpec, dtype: str, directions: list[str], plan: Plan, budget: Budget
) -> list[Row]:
    """Return a row for each direction, after the check."""
    error = errors(pair, spec, dtype, directions)
    problem = problem_of(spec, dtype)
    sides = pair.load(problem)
    algorithms = pair.ours.ask("algorithms", problem)
    copy = pair.ours.ask("copy", pair.threads)
    rows = []
    for direction in directions:
        budget.next_row()
        peak = pair.ours.ask("peak", dtype, pair.threads)
        turns = alternate(pair, sides, direction, plan, budget)
        better, *others = turns.layouts()
        other = others[0] if others else None
        rows.append(
            Row(
                spec=str(spec),
                kind=class_of(spec),
                direction=direction,
                dtype=dtype,
                threads=pair.threads,
                flops=spec.flops,
                ours_ms=1e3 * median(turns.ours()),
                torch_ms=1e3 * median(turns.seconds[better]),
                layout=better[1],
                other_layout_ms=1e3 * median(turns.seconds[other]) if other else None,
                ratio=turns.ratio(),
                turns=len(turns.ours()),
                algorithm=algorithms[direction],
                peak_gflops=peak,
                bytes=bytes_of(problem),
                copy_gbytes=copy,
                our_error=error[direction, "pellucid"],
                torch_error=error[direction, "torch"],
            )
        )
    return rows
