"""Steps by number, and what a view refuses."""

import numpy as np
import pytest

from pellucid.errors import ArgumentError, ShapeError
from pellucid.explain import derive, view
from pellucid.explain.views.base import drawn

D = derive("n2 c1 i4 o1 k2")


def test_steps_are_a_sequence():
    steps = view(D, "scatter").steps
    assert (len(steps), steps.shape) == (6, (2, 1, 3))
    assert [step.at for step in steps] == [(n, 0, j) for n in range(2) for j in range(3)]
    assert steps[-1].at == (1, 0, 2)
    assert [step.at for step in steps[1:3]] == [(0, 0, 1), (0, 0, 2)]
    assert [add.text() for add in steps[4].adds] == [
        "dL/dx22 += dL/do22 w1", "dL/dx23 += dL/do22 w2",
    ]  # fmt: skip
    with pytest.raises(IndexError):
        steps[6]


def test_a_large_problem_makes_one_step_at_once():
    seen = view(derive("n8 c4 i224x224 o4 k3x3 s2 p1"), "scatter")
    assert len(seen.steps) == 8 * 4 * 112 * 112
    assert len(seen.steps[5000].adds) == 36


def test_what_a_view_refuses():
    with pytest.raises(ArgumentError) as raised:
        view(D, "matrix")
    assert str(raised.value) == (
        "explain: there is no view 'matrix'\n"
        "  fix: use one of scatter, gather, phases, windows, correlation"
    )
    with pytest.raises(ArgumentError, match="gather is made of gy and w, but gy is not given"):
        view(D, "gather").evaluate(w=np.ones((1, 1, 2)))
    with pytest.raises(ShapeError, match=r"w has the shape \(2,\)"):
        view(D, "gather").evaluate(w=np.ones(2), gy=np.ones((2, 1, 3)))
    with pytest.raises(ArgumentError, match="there is no language 'fr'"):
        view(D, "gather").text("fr")


def test_a_table_is_aligned():
    assert list(drawn([["a", "bc", ""], ["def", "g", "h"]])) == ["    a    bc", "    def  g   h"]
