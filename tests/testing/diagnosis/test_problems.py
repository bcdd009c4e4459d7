"""The cases: the worked example first, one feature at a time, all features there."""

from __future__ import annotations

import numpy as np

from pellucid.kernels.conv import ConvSpec
from pellucid.testing.diagnosis.problems import (
    ALLOWED,
    FEATURES,
    GROWING,
    RANDOM,
    features,
    problems,
)


def test_the_first_case_is_the_worked_example() -> None:
    first = problems(3)[0]
    assert str(first.spec) == "c1 i5x5 o1 k3x3 s2"
    np.testing.assert_array_equal(first.right["gx"][0, 0, 0], [1, 2, 13, 20, 30])
    assert first.right["gb"] == [1111]


def test_each_feature_comes_with_at_most_one_other_new_one() -> None:
    """So that an error of a function says which feature it does not support."""
    seen: set[str] = set()
    for text in GROWING:
        new = features(ConvSpec.parse(text)) - seen
        assert len(new) <= 2, text
        seen |= new
    assert seen == set(FEATURES)


def test_the_cases_are_small() -> None:
    for problem in problems(0):
        assert problem.spec.macs <= 4000, problem.spec
        assert max(a.size for a in (problem.x, problem.w, problem.gy)) <= 500


def test_a_seed_draws_the_numbers_and_the_last_specs() -> None:
    one, same, other = problems(0), problems(0), problems(1)
    assert one is same
    assert len(one) == len(GROWING) + RANDOM
    assert [str(p.spec) for p in one[:-RANDOM]] == [str(p.spec) for p in other[:-RANDOM]]
    assert [str(p.spec) for p in one] != [str(p.spec) for p in other]
    assert not np.array_equal(one[1].x, other[1].x)


def test_whole_numbers_and_others() -> None:
    kinds = [problem.is_whole for problem in problems(0)]
    assert kinds == [True] * len(GROWING) + [False] * RANDOM
    for problem in problems(0)[:-RANDOM]:
        arrays = (problem.x, problem.w, problem.gy)
        assert all(np.array_equal(a, np.round(a)) and a.all() for a in arrays)


def test_rounding_is_allowed_and_more_is_not() -> None:
    problem = problems(0)[-1]
    right = problem.right["gx"]
    rounded = right.astype("float32").astype("float64")
    assert problem.is_right("gx", right)
    assert problem.is_right("gx", rounded)
    wrong = right.copy()
    wrong[0, 0, 0, 0] += 2 * problem.allowed["gx"]
    assert not problem.is_right("gx", wrong)
    assert not problem.is_right("gx", right[0])
    assert problem.allowed["gx"] <= ALLOWED * 100


def test_the_features_of_a_spec() -> None:
    assert features(ConvSpec.parse("c1 i4x4 o1 k3x3")) == set()
    assert features(ConvSpec.parse("n2 c4 i6x7 o2 k3x2 s2x1 p1:1x1:2 d1x2 g2")) == set(FEATURES) - {
        "stride larger than the kernel", "padding larger than the kernel"
    }  # fmt: skip
    assert "stride larger than the kernel" in features(ConvSpec.parse("c1 i5x5 o1 k2x2 s3"))
    assert "padding larger than the kernel" in features(ConvSpec.parse("c1 i5x5 o1 k1x1 p1"))
