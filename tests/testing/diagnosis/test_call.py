"""How functions are called, and what is seen of what they do besides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.testing.diagnosis.call import Caller
from pellucid.testing.diagnosis.problems import Problem, problems

CASES = {str(problem.spec): problem for problem in problems(0)}


def case(text: str) -> Problem:
    return CASES[text]


def options_of(text: str, **flags: bool) -> dict[str, Any]:
    """What a function gets as options."""
    got: dict[str, Any] = {}

    def backward(gy: Any, x: Any, w: Any, **options: Any) -> Any:
        got.update(options)
        return x, w, gy.sum((0, 2, 3))

    caller = Caller(backward, "backward")
    for name, value in flags.items():
        setattr(caller, name, value)
    caller.attempt(case(text))
    return got


def test_options_are_numbers_where_both_axes_agree() -> None:
    assert options_of("c1 i5x5 o1 k3x3 s2") == {
        "stride": 2, "padding": 0, "dilation": 1, "groups": 1
    }  # fmt: skip
    assert options_of("c1 i5x5 o1 k3x2 s2x1")["stride"] == (2, 1)
    assert options_of("c1 i4x4 o1 k3x3 p1x0")["padding"] == (1, 0)
    assert options_of("c1 i4x4 o1 k3x3 p0:1")["padding"] == ((0, 1), (0, 1))


def test_or_pairs_everywhere() -> None:
    assert options_of("n2 c4 i5x4 o6 k3x2 s2 p1 g2", with_pairs=True) == {
        "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": 2
    }  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [
        lambda gy, x, w, stride: (x, w, stride),
        lambda x, w, gy, stride: (x, w, stride),
        lambda dout, inputs, weights, strides: (inputs, weights, strides),
        lambda w, stride, gy, x, **rest: (x, w, stride),
    ],
)
def test_arrays_by_name_or_by_place(function: Any) -> None:
    problem = case("c1 i5x5 o1 k3x3 s2")
    outcome = Caller(function, "backward").attempt(problem)
    np.testing.assert_array_equal(outcome.results["gx"], problem.x)
    np.testing.assert_array_equal(outcome.results["gw"], problem.w)
    assert outcome.results["gb"] == 2


def test_what_the_parameters_rule_out() -> None:
    caller = Caller(lambda gy, x, w, stride: None, "backward")
    assert caller.lacks(frozenset({"stride", "padding", "groups", "batch"})) == {
        "padding", "groups"
    }  # fmt: skip
    assert Caller(max, "backward").lacks(frozenset({"groups"})) == set()  # no signature


@pytest.mark.parametrize(
    ("returned", "fault", "facts"),
    [
        (None, "returns-none", {"where": "gx, gw, gb"}),
        ((None, 1, 2), "returns-none", {"where": "gx"}),
        (np.ones(3), "wrong-number-of-results", {"count": 1}),
        ((1, 2, 3, 4), "wrong-number-of-results", {"count": 4}),
        ((1,), "wrong-number-of-results", {"count": 1}),
        (("gx", 1, 2), "not-numbers", {"where": "gx", "type": "str"}),
        ((1, 2j, 2), "not-numbers", {"where": "gw", "type": "complex"}),
        ((1, 2, np.nan), "not-finite", {"where": "gb"}),
    ],
)
def test_returns_that_are_no_gradients(returned: Any, fault: str, facts: dict[str, Any]) -> None:
    outcome = Caller(lambda gy, x, w: returned, "backward").attempt(case("c1 i4x4 o1 k3x3"))
    assert (outcome.fault, outcome.facts) == (fault, facts)


def test_changed_inputs_are_seen() -> None:
    def backward(gy: Any, x: Any, w: Any) -> Any:
        gy[0, 0, 0, 0] += 1
        w *= 2
        return x, w, gy.sum((0, 2, 3))

    problem = case("c1 i4x4 o1 k3x3")
    before = problem.w.copy()
    assert Caller(backward, "backward").attempt(problem).changed == ("gy", "w")
    np.testing.assert_array_equal(problem.w, before)


def test_integers_are_seen() -> None:
    outcome = Caller(lambda gy, x, w: (x.astype(int), w, 1), "backward").attempt(
        case("c1 i4x4 o1 k3x3")
    )
    assert outcome.integers == {"gx", "gb"}
    assert outcome.results["gx"].dtype == "float64"


def test_memory_that_was_never_written_is_seen() -> None:
    def backward(gy: Any, x: Any, w: Any) -> Any:
        gx = np.empty_like(x)
        gx[:, :, 1:] = 0
        return gx, np.zeros_like(w), gy.sum((0, 2, 3))

    outcome = Caller(backward, "backward").attempt(case("c1 i4x4 o1 k3x3"))
    assert (outcome.unset, outcome.fault) == (("gx",), None)


def test_errors_are_kept_and_warnings_are_not_errors() -> None:
    def backward(gy: Any, x: Any, w: Any) -> Any:
        np.float64(1) / np.zeros(1)  # a warning, which is an error in these tests
        raise KeyError("x")

    outcome = Caller(backward, "backward").attempt(case("c1 i4x4 o1 k3x3"))
    assert repr(outcome.error) == "KeyError('x')"


def test_ctrl_c_is_not_caught() -> None:
    def backward(gy: Any, x: Any, w: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Caller(backward, "backward").attempt(case("c1 i4x4 o1 k3x3"))


def test_functions_of_planes_are_found_out() -> None:
    def backward(gy: Any, x: Any, w: Any) -> Any:
        (H, W), (KH, KW) = x.shape, w.shape
        return np.zeros((H, W)), np.zeros((KH, KW)), gy.sum()

    caller = Caller(backward, "backward")
    caller.settle(problems(0)[:2])
    assert caller.with_planes
    assert caller.lacks(frozenset({"batch", "padding"})) == {"batch", "padding"}
    outcome = caller.attempt(case("c1 i4x4 o1 k3x3"))
    assert [a.shape for a in outcome.results.values()] == [(1, 1, 4, 4), (1, 1, 3, 3), (1,)]


def test_a_wrong_function_of_arrays_is_not_taken_for_one_of_planes() -> None:
    caller = Caller(lambda gy, x, w: (2 * x, w, gy.sum((0, 2, 3))), "backward")
    caller.settle(problems(0)[:2])
    assert not caller.with_planes


def test_functions_of_pairs_are_found_out() -> None:
    def backward(gy: Any, x: Any, w: Any, stride: Any) -> Any:
        sh, sw = stride
        return sh * x, sw * w, gy.sum((0, 2, 3))

    caller = Caller(backward, "backward")
    caller.settle(problems(0)[:2])
    assert (caller.with_pairs, caller.with_planes) == (True, False)


def test_a_forward_pass_without_bias_gets_it_added() -> None:
    problem = case("c1 i3x3 o2 k2x2")
    caller = Caller(lambda x, w: problem.right["y"] - problem.b[:, None, None], "forward")
    np.testing.assert_array_equal(caller.attempt(problem).results["y"], problem.right["y"])
    caller = Caller(lambda x, w, b: problem.right["y"], "forward")
    np.testing.assert_array_equal(caller.attempt(problem).results["y"], problem.right["y"])
