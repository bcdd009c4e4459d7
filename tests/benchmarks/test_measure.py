from __future__ import annotations

from math import isnan, nan
from typing import Any

import numpy as np
import pytest
from benchmarks import measure
from benchmarks.driver import problem_of
from benchmarks.measure import Budget, Plan, Turns, alternate, errors, reference
from benchmarks.worker import Problem

from pellucid.kernels.conv import ConvSpec


class Clock:
    """Stands in for a worker: each call takes what the script says, and is written down."""

    def __init__(self, kind: str, seconds: dict[str, float], heard: list[str]) -> None:
        self.kind, self.seconds, self.heard = kind, seconds, heard

    def ask(self, command: str, layout: str, direction: str, count: int) -> list[float]:
        assert command == "time"
        self.heard.append(f"{self.kind} {layout} x{count}")
        return [self.seconds[layout]] * count


class OneThread:
    threads = 1


def candidates(contiguous: float, last: float, heard: list[str]) -> list[tuple[Any, str]]:
    ours = Clock("pellucid", {"channels-last": 0.010}, heard)
    theirs = Clock("torch", {"contiguous": contiguous, "channels-last": last}, heard)
    return [(ours, "channels-last"), (theirs, "contiguous"), (theirs, "channels-last")]


def turns_of(contiguous: float, last: float, heard: list[str]) -> Turns:
    pair: Any = OneThread()
    sides = candidates(contiguous, last, heard)
    return alternate(pair, sides, "forward", Plan(), Budget(0, 1))


def test_the_better_layout_counts_and_a_slow_one_is_left_out_after_four_turns() -> None:
    turns = turns_of(0.030, 0.020, [])
    assert turns.layouts()[0] == ("torch", "channels-last")
    assert turns.ratio().value == pytest.approx(2)
    assert {key: len(times) for key, times in turns.seconds.items()} == {
        ("pellucid", "channels-last"): 15,
        ("torch", "contiguous"): 4,
        ("torch", "channels-last"): 15,
    }


def test_layouts_that_are_near_stay_in_to_the_end() -> None:
    turns = turns_of(0.020, 0.021, [])
    assert turns.layouts()[0] == ("torch", "contiguous")
    assert len(turns.seconds["torch", "channels-last"]) == 15


def test_every_other_turn_runs_in_the_opposite_order() -> None:
    heard: list[str] = []
    turns_of(0.020, 0.020, heard)
    after_preparation = [text.removesuffix(" x1") for text in heard[6:12]]
    one = ["pellucid channels-last", "torch contiguous", "torch channels-last"]
    assert after_preparation == one + one[::-1]


def test_short_calls_are_repeated_until_a_turn_is_long_enough() -> None:
    heard: list[str] = []
    turns_of(0.0009, 0.020, heard)
    assert "torch contiguous x6" in heard
    assert "torch channels-last x1" in heard


def test_unsure_rows_get_more_turns_while_the_run_keeps_to_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(measure.time, "perf_counter", lambda: now[0])
    budget = Budget(seconds=100, rows=4)
    budget.next_row()
    now[0] = 24
    assert budget.is_left()
    now[0] = 26
    assert not budget.is_left()
    budget.next_row()
    assert budget.is_left(), "what the first row took too much, the second has less of"


class Answers:
    """Stands in for a worker that gets one element of each answer wrong, by so much."""

    def __init__(self, kind: str, problem: Problem, wrong: dict[str, float]) -> None:
        self.kind, self.problem, self.wrong = kind, problem, wrong

    def ask(self, command: str, layout: str, direction: str) -> Any:
        assert command == "answer"
        answer = reference(self.problem, direction)
        answer.flat[3] += self.wrong[layout]
        return answer


class Answering:
    """Stands in for both workers; the second has two layouts."""

    threads = 1

    def load(self, problem: Problem) -> list[tuple[Any, str]]:
        assert problem.x_shape[0] == 2, "the check runs on a small batch"
        ours = Answers("pellucid", problem, {"channels-last": 0.5})
        theirs = Answers("torch", problem, {"contiguous": 2.0, "channels-last": nan})
        return [(ours, "channels-last"), (theirs, "contiguous"), (theirs, "channels-last")]


def test_errors_are_those_of_the_worst_layout_and_a_nan_is_one() -> None:
    spec, pair = ConvSpec.parse("n8 c4 i9x9 o6 k3 p1"), Answering()
    found = errors(pair, spec, "float32", ["forward"])  # type: ignore[arg-type]
    problem = problem_of(spec, "float32", batch=2)
    largest = np.abs(reference(problem, "forward")).max()
    largest_sum = reference(problem, "forward", magnitudes=True).max()
    assert largest_sum > largest
    ours = found["forward", "pellucid"]
    assert (ours.of_sum, ours.of_largest) == pytest.approx((0.5 / largest_sum, 0.5 / largest))
    assert isnan(found["forward", "torch"].of_sum)
