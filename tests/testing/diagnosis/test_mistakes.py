"""The list of mistakes: every form does harm, and forms of two names are told apart."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from pellucid.testing.diagnosis.mistakes import NEEDS, changes, factor_mistake
from pellucid.testing.diagnosis.predict import predict
from pellucid.testing.diagnosis.problems import FEATURES, problems

NAMES = ["gx", "gw", "gb", "y"]


@pytest.mark.parametrize("name", NAMES)
def test_every_form_is_wrong_in_some_case(name: str) -> None:
    for change in changes(name):
        found = ((p, predict(name, p, change.way)) for p in problems(0))
        assert any(a is not None and not p.is_right(name, a) for p, a in found), change


@pytest.mark.parametrize("name", NAMES)
def test_forms_of_two_names_differ_in_some_case(name: str) -> None:
    """So a function that knows all features gets one name, never a choice of two."""
    alike: dict[Any, set[str]] = defaultdict(set)
    for change in changes(name):
        key = []
        for problem in problems(0):
            found = predict(name, problem, change.way)
            step = 10 * problem.allowed[name]
            key.append(None if found is None else (found.shape, tuple(np.round(found / step).flat)))
        alike[tuple(key)].add(change.mistake)
    assert [names for names in alike.values() if len(names) > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_forms_are_listed_once(name: str) -> None:
    ways = [tuple(sorted(change.way.items(), key=str)) for change in changes(name)]
    assert len(set(ways)) == len(ways)


def test_what_mistakes_need_is_there() -> None:
    known = {change.mistake for name in NAMES for change in changes(name)}
    assert NEEDS.keys() <= known
    assert set().union(*NEEDS.values()) <= set(FEATURES)


def test_a_mistake_shows_with_what_it_needs_and_nowhere_else() -> None:
    for name in NAMES:
        for change in changes(name):
            needs = NEEDS.get(change.mistake, frozenset())
            # A size that comes out of it shows elsewhere, as a simpler mistake does.
            if not needs or any(key.endswith(("size", "kernel", "count")) for key in change.way):
                continue
            for problem in problems(0):
                found = predict(name, problem, change.way)
                if found is not None and not problem.is_right(name, found):
                    assert problem.features & needs, (change, str(problem.spec))


def test_the_names_of_factors() -> None:
    assert [factor_mistake(f) for f in ("-1", "0", "1/N", "1/(OH OW)", "2")] == [
        "wrong-sign", "all-zero", "mean-for-sum", "mean-for-sum", "wrong-factor"
    ]  # fmt: skip
