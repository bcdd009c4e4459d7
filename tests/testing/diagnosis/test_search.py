"""The search: single mistakes, two at once, with a factor, in part, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from pellucid.backend import Array
from pellucid.testing.diagnosis.mistakes import changes
from pellucid.testing.diagnosis.predict import predict
from pellucid.testing.diagnosis.problems import Problem, problems
from pellucid.testing.diagnosis.search import Sample, explain

PROBLEMS = problems(0)


def samples(name: str, make: Callable[[Problem], Array | None]) -> list[Sample]:
    """What a function returned that makes these arrays."""
    made = [(problem, make(problem)) for problem in PROBLEMS]
    return [Sample(problem, array) for problem, array in made if array is not None]


def by_way(name: str, way: dict[str, Any]) -> list[Sample]:
    return samples(name, lambda problem: predict(name, problem, way))


def found(name: str, given: Sequence[Sample]) -> tuple[str, ...]:
    explanation = explain(name, given)
    return () if explanation is None else explanation.mistakes


@pytest.mark.parametrize("name", ["gx", "gw", "gb", "y"])
def test_right_arrays_are_not_explained(name: str) -> None:
    assert explain(name, samples(name, lambda p: p.right[name])) is None
    assert explain(name, samples(name, lambda p: p.right[name].astype("float32"))) is None
    assert explain(name, []) is None


@pytest.mark.parametrize(
    "step", [pytest.param(8, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["gx", "gw", "gb", "y"])
def test_every_form_of_every_mistake_is_found(name: str, step: int) -> None:
    for change in changes(name)[::step]:
        given = by_way(name, dict(change.way))
        explanation = explain(name, given)
        assert explanation is not None, change
        assert explanation.mistakes == (change.mistake,)
        # Some fail where C and O differ, or H and W, and then two names may be possible.
        assert explanation.alternatives == () or len(given) < len(PROBLEMS), change


@pytest.mark.parametrize(
    ("name", "way", "names"),
    [
        ("gx", {"h.flip": "yes", "w.flip": "yes", "h.stride": "one", "w.stride": "one"},
         {"kernel-not-flipped", "stride-ignored"}),
        ("gw", {"images": "last", "h.dilation": "one", "w.dilation": "one"},
         {"batch-not-summed", "dilation-ignored"}),
        ("gx", {"h.low": "zero", "w.low": "zero", "groups": "channels interleaved"},
         {"padding-on-wrong-side", "groups-mixed"}),
        ("gx", {"h.flip": "yes", "w.flip": "yes", "factor": "-1"},
         {"kernel-not-flipped", "wrong-sign"}),
        ("gw", {"h.stride": "one", "w.stride": "one", "factor": "1/N"},
         {"stride-ignored", "mean-for-sum"}),
    ],
)  # fmt: skip
def test_two_at_once(name: str, way: dict[str, Any], names: set[str]) -> None:
    assert set(found(name, by_way(name, way))) == names


def test_factors() -> None:
    def times(factor: Callable[[Problem], float]) -> list[Sample]:
        return samples("gx", lambda p: factor(p) * p.right["gx"])

    assert found("gx", times(lambda p: 1.01)) == ("wrong-factor",)
    assert found("gx", times(lambda p: 1 / p.spec.kernel[0])) == ("wrong-factor",)
    assert found("gx", times(lambda p: 1 / p.spec.batch)) == ("mean-for-sum",)
    explanation = explain("gx", times(lambda p: 1.01))
    assert explanation is not None
    assert explanation.changes[0].form == "1.01"


def test_a_factor_of_single_numbers_is_no_explanation() -> None:
    """Of a gb with one channel, everything is a multiple."""
    given = [
        Sample(p, p.right["gb"] + 1 + np.arange(len(p.right["gb"])))
        for p in PROBLEMS
        if p.spec.out_channels == 1
    ]
    assert found("gb", given) == ("not-recognised",)


def test_other_shapes() -> None:
    assert found("gw", samples("gw", lambda p: p.right["gw"].reshape(len(p.w), -1))) == (
        "wrong-shape",
    )
    assert found("gb", samples("gb", lambda p: p.right["gb"][None])) == ("wrong-shape",)
    assert found("gw", samples("gw", lambda p: -p.right["gw"].ravel())) == (
        "wrong-sign", "wrong-shape"
    )  # fmt: skip


def test_few_digits() -> None:
    assert found("gx", samples("gx", lambda p: p.right["gx"].astype("float16"))) in {
        ("low-precision",)
    }


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("gw", lambda p: 0.01 * p.w),  # a weight decay
        ("gw", lambda p: 1e-4),
        ("gx", lambda p: -1e-4 * p.x),
        ("gb", lambda p: 1e-3),
    ],
)
def test_a_small_thing_that_is_added_is_no_rounding(
    name: str, added: Callable[[Problem], Any]
) -> None:
    assert found(name, samples(name, lambda p: p.right[name] + added(p))) == ("not-recognised",)


def test_one_mistake_in_part_of_the_cases() -> None:
    def make(problem: Problem) -> Array | None:
        array = predict("gx", problem, {"h.flip": "yes", "w.flip": "yes"})
        assert array is not None
        return np.sort(array) if problem.spec.batch > 1 else array

    explanation = explain("gx", samples("gx", make))
    assert explanation is not None
    assert (explanation.mistakes, explanation.beyond) == (("kernel-not-flipped",), "batch")


def test_nothing_explains() -> None:
    explanation = explain("gx", samples("gx", lambda p: -np.sort(-p.right["gx"])))
    assert explanation is not None
    assert explanation.mistakes == ("not-recognised",)
    assert (explanation.way, explanation.beyond) == (None, "")
    assert explanation.first.problem is PROBLEMS[0]
    assert 40 < explanation.wrong <= explanation.tried == len(PROBLEMS)


def test_what_the_failing_cases_share() -> None:
    def make(problem: Problem) -> Array:
        right = problem.right["gx"]
        return np.sort(right) if problem.spec.groups > 1 else right

    explanation = explain("gx", samples("gx", make))
    assert explanation is not None
    assert explanation.shared == ("input channels", "output channels", "groups")


def test_names_that_too_few_cases_leave_open() -> None:
    """With one image, one channel and one window, a mean over what is one shows nothing."""
    problem = PROBLEMS[1]
    explanation = explain("gw", [Sample(problem, problem.right["gw"][:, :, ::-1, ::-1])])
    assert explanation is not None
    assert explanation.mistakes == ("result-flipped",)
    explanation = explain("gb", [Sample(problem, problem.gy[:, :, -1].sum((0, 2)))])
    assert explanation is not None
    assert set(explanation.alternatives) | set(explanation.mistakes) >= {
        "space-not-summed", "window-missing"
    }  # fmt: skip


def test_nan_and_infinity_are_survived() -> None:
    assert found("gx", samples("gx", lambda p: p.right["gx"] + 1e308)) == ("not-recognised",)
