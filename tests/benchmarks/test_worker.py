from __future__ import annotations

import io
import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmarks import driver, peak, pellucid_side
from benchmarks.driver import Pair, Side, problem_of
from benchmarks.measure import DIRECTIONS, QUICK, Budget, measure, reference
from benchmarks.worker import Worker, serve
from kernels.conv.native import needs_native

from pellucid.kernels.conv import ConvSpec

SPEC = ConvSpec.parse("n8 c6 i9x7 o4 k3x2 s2x1 p1x0 g2")


def test_our_side_gives_the_right_answers() -> None:
    worker, problem = Worker(pellucid_side.Library(1)), problem_of(SPEC, "float64", batch=2)
    assert worker.load(problem) == ("channels-last",)
    for direction in DIRECTIONS:
        answer = worker.answer("channels-last", direction)
        np.testing.assert_allclose(answer, reference(problem, direction), atol=1e-12)


def test_each_call_is_timed_with_other_weights() -> None:
    worker = Worker(pellucid_side.Library(1))
    worker.load(problem_of(SPEC, "float32"))
    before = worker.answer("channels-last", "forward")
    seconds = worker.time("channels-last", "forward", 3)
    assert len(seconds) == 3
    assert all(second > 0 for second in seconds)
    np.testing.assert_array_equal(worker.answer("channels-last", "forward"), -before)


def test_what_goes_wrong_is_an_answer_and_the_worker_goes_on() -> None:
    commands = io.BytesIO(pickle.dumps(("time", ("no layout", "forward", 1))))
    commands.seek(0, io.SEEK_END)
    commands.write(pickle.dumps(("settings", ())))
    commands.seek(0)
    answers = io.BytesIO()
    serve(Worker(pellucid_side.Library(1)), commands, answers)
    answers.seek(0)
    worked, report = pickle.load(answers)
    assert not worked
    assert "KeyError: 'no layout'" in report
    worked, settings = pickle.load(answers)
    assert worked
    assert settings["numpy"] == np.__version__


def test_a_side_is_a_process_that_answers_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(driver.ENVIRONMENT, "pellucid", {})
    side = Side("pellucid", threads=1)
    try:
        assert side.ask("load", problem_of(SPEC, "float32")) == ("channels-last",)
        assert side.ask("answer", "channels-last", "forward").shape == SPEC.y_shape
        with pytest.raises(RuntimeError, match="has no attribute 'dance'"):
            side.ask("dance")
    finally:
        side.close()
    assert side.process.returncode == 0


class Twins:
    """Both workers are pellucid's; the second has PyTorch's name."""

    threads = 1

    def __init__(self) -> None:
        self.ours, self.theirs = Side("pellucid", 1, "avx2"), Side("pellucid", 1)
        self.theirs.kind = "torch"

    load = Pair.load


@needs_native
def test_a_row_knows_its_algorithm_its_bytes_and_both_limits() -> None:
    pair: Any = Twins()
    wide = ConvSpec.parse("n2 c16 i12x12 o16 k3 p1")
    try:
        forward, grad_weight = measure(
            pair, wide, "float32", ["forward", "grad_weight"], QUICK, Budget(0, 2)
        )
        (thin,) = measure(pair, SPEC, "float64", ["forward"], QUICK, Budget(0, 1))
    finally:
        pair.ours.close()
        pair.theirs.close()
    assert (forward.algorithm, grad_weight.direction) == ("winograd", "grad_weight")
    assert thin.algorithm == "direct"
    assert forward.bytes == 4 * (2 * 16 * 144 + 16 * 16 * 9 + 2 * 16 * 144)
    assert thin.bytes == 8 * (8 * 6 * 63 + 4 * 3 * 6 + 8 * 4 * 30)
    assert forward.copy_gbytes > 0.1
    assert forward.peak_gflops
    assert not forward.wrong
    assert not thin.wrong


def test_copies_are_shared_among_threads() -> None:
    source, target = peak._memory()
    target.fill(0)
    assert peak.copy_gbytes(3) > 0.1
    assert np.array_equal(source, target)


def test_settings_name_the_instruction_sets_that_are_compared() -> None:
    assert list(driver.INSTRUCTION_SETS) == [None, "avx2"]
    assert driver.INSTRUCTION_SETS["avx2"].environment["PELLUCID_ISA"] == "avx2"
    pair = object.__new__(Pair)
    pair.isa = "avx2"
    pair.ours = pair.theirs = SimpleNamespace(ask=lambda _: {"engine": "native"})  # type: ignore
    assert pair.settings() == {
        "instruction sets": "AVX2 on both sides, as on a processor that has no more",
        "engine": "native",
    }
