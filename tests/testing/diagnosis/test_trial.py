"""All cases of one function: what it supports, and what it does besides."""

from __future__ import annotations

from typing import Any

import numpy as np
from testing.backwards import windows

from pellucid.testing.diagnosis.call import Caller
from pellucid.testing.diagnosis.problems import FEATURES, problems
from pellucid.testing.diagnosis.trial import Trial, said


def tried(function: Any) -> Trial:
    trial = Trial(Caller(function, "backward"))
    trial.run(problems(0), None)
    return trial


def refusing(refuses: Any, error: type[Exception] = ValueError) -> Any:
    def backward(gy, x, w, stride, padding, dilation, groups):
        if refuses(gy, x, w, stride, padding, dilation, groups):
            raise error("no")
        return windows(gy, x, w, stride, padding, dilation, groups)

    return backward


def test_everything_is_supported() -> None:
    trial = tried(refusing(lambda *arguments: False))
    assert set(trial.supported) == set(FEATURES) - {"low and high padding"}
    assert list(trial.unsupported) == ["low and high padding"]
    assert trial.faults == []


def test_one_feature_is_refused() -> None:
    trial = tried(refusing(lambda gy, x, w, s, p, d, groups: groups > 1))
    assert trial.unsupported["groups"] == "ValueError: no"
    assert "groups" not in trial.supported
    assert trial.faults == []
    trial = tried(refusing(lambda gy, x, w, *options: len(x) > 1))
    assert {"batch", "low and high padding"} == set(trial.unsupported)


def test_a_feature_that_fails_in_some_cases_is_tried_on() -> None:
    def odd_kernels_alone(gy, x, w, stride, padding, dilation, groups):
        return padding not in {0, (0, 0)} and w.shape[2] == 3 and stride == 1

    trial = tried(refusing(odd_kernels_alone))
    assert "padding" in trial.supported
    assert list(trial.unsupported) == ["low and high padding"]


def test_two_new_features_are_told_apart_by_later_cases() -> None:
    trial = tried(refusing(lambda gy, x, w, *options: len(w) > 1))
    assert "output channels" in trial.unsupported
    assert {"input channels", "unequal channels"} <= set(trial.supported)
    trial = tried(refusing(lambda gy, x, w, *options: x.shape[1] != gy.shape[1]))
    assert "unequal channels" in trial.unsupported
    assert {"input channels", "output channels", "groups"} <= set(trial.supported)


def test_everything_is_refused() -> None:
    trial = tried(refusing(lambda *arguments: True))
    assert [(f.mistake, f.facts) for f in trial.faults] == [("raises", {"error": "ValueError: no"})]
    assert trial.outcomes == []


def test_a_combination_is_refused() -> None:
    def both(gy, x, w, stride, padding, dilation, groups):
        return groups > 1 and padding not in {0, (0, 0)}

    assert [f.mistake for f in tried(refusing(both)).faults] == ["raises"]
    assert tried(refusing(both, NotImplementedError)).faults == []


def test_a_function_that_remembers() -> None:
    total: dict[Any, Any] = {}

    def backward(gy, x, w, stride, padding, dilation, groups):
        gx, gw, gb = windows(gy, x, w, stride, padding, dilation, groups)
        total[w.shape] = total.get(w.shape, 0) + gw
        return gx, total[w.shape].copy(), gb

    trial = tried(backward)
    assert [(f.mistake, f.facts) for f in trial.faults] == [
        ("changes-between-calls", {"where": "gw"})
    ]
    assert trial.samples("gw") == []
    assert len(trial.samples("gx")) == len(trial.outcomes)


def test_rounding_that_differs_from_call_to_call_is_no_mistake() -> None:
    calls: list[int] = []

    def backward(gy, x, w):
        calls.append(1)
        gx, gw, gb = windows(gy, x, w, 1, 0, 1, 1)
        return gx * (1 + 1e-7 * len(calls)), gw, gb

    assert tried(backward).faults == []


def test_results_in_another_order_are_sorted() -> None:
    trial = tried(lambda gy, x, w: windows(gy, x, w, 1, 0, 1, 1)[::-1])
    assert [(f.mistake, f.facts) for f in trial.faults] == [
        ("results-exchanged", {"order": "gb, gw, gx"})
    ]
    assert all(s.problem.is_right("gx", s.found) for s in trial.samples("gx"))


def test_integers_say_nothing_of_other_numbers() -> None:
    def backward(gy, x, w):
        gx, gw, gb = windows(gy, x, w, 1, 0, 1, 1)
        return gx.astype(int), gw, gb

    trial = tried(backward)
    assert [(f.mistake, f.facts) for f in trial.faults] == [("integer-dtype", {"where": "gx"})]
    assert all(s.problem.is_whole for s in trial.samples("gx"))
    assert not all(s.problem.is_whole for s in trial.samples("gw"))


def test_a_fault_is_told_once_with_its_smallest_case() -> None:
    def backward(gy, x, w):
        found = windows(gy, x, w, 1, 0, 1, 1)
        x += 1
        return found

    (fault,) = tried(backward).faults
    assert (fault.mistake, fault.facts) == ("inputs-modified", {"arrays": "x"})
    assert str(fault.problem.spec) == "c1 i4x4 o1 k3x3"


def test_a_return_value_that_cannot_be_read_ends_the_trial() -> None:
    calls: list[int] = []

    def backward(gy, x, w):
        calls.append(1)

    assert [f.mistake for f in tried(backward).faults] == ["returns-none"]
    assert len(calls) < 10


def test_errors_in_words() -> None:
    assert said(ValueError("one\ntwo")) == "ValueError: one"
    assert said(KeyError()) == "KeyError"
    assert said(ValueError("a" * 90)) == f"ValueError: {'a' * 80}..."
    assert said(np.exceptions.AxisError("off")) == "AxisError: off"
