from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from benchmarks import driver, pellucid_side
from benchmarks.driver import Side, problem_of
from benchmarks.measure import DIRECTIONS, reference
from benchmarks.worker import Worker, serve

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
