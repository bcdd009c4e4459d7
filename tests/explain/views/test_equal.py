"""All views of a gradient are equal: term by term, and in numbers, to the oracle of the kernels."""

import numpy as np
import pytest
from explain.problems import blocks, draw, integers

from pellucid.explain import derive
from pellucid.explain.views import VIEWS, view
from pellucid.kernels.conv import reference

OF_X, OF_W = ("scatter", "gather", "phases"), ("windows", "correlation")


def added(seen):
    """Every term that a view adds, as (index of its element, its factors), in a fixed order."""
    adds = [add for step in seen.steps for add in step.adds]
    assert all(add.target.array == seen.target.array for add in adds)
    return sorted((add.target.index, str(add.term)) for add in adds)


def expected(elements):
    """Every term of the equations, likewise; the bias of a transposed forward pass is no view's."""
    terms = ((e.left.index, term) for e in elements for term in e.terms)
    return sorted((index, str(term)) for index, term in terms if len(term.factors) > 1)


def test_there_are_no_other_views():
    assert set(VIEWS) == {*OF_X, *OF_W}


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("transposed", [False, True])
def test_all_views_add_the_same_terms(number, transposed):
    d = derive(draw(number, largest=4, seed=3), transposed=transposed)
    for name in OF_X:
        assert added(view(d, name)) == expected(d.spread), name
    for name in OF_W:
        assert added(view(d, name)) == expected(d.grad_weight), name


def agree(spec):
    """Hold the arrays that the views compute, exactly, to the oracle."""
    x, w, gy = integers(spec.x_shape, 1), integers(spec.w_shape, 2), integers(spec.y_shape, 3)
    gx, gw = reference.grad_input(gy, w, spec), reference.grad_weight(gy, x, spec)
    d, t = derive(spec), derive(spec, transposed=True)
    for name in OF_X:
        assert np.array_equal(view(d, name).evaluate(gy=gy, w=w), gx), name
        assert np.array_equal(view(t, name).evaluate(x=gy, w=w), gx), name
    for name in OF_W:
        assert np.array_equal(view(d, name).evaluate(gy=gy, x=x), gw), name
        assert np.array_equal(view(t, name).evaluate(x=gy, gy=x), gw), name


@pytest.mark.parametrize("numbers", blocks(1000, size=100, slow=1))
def test_all_views_give_the_numbers_of_the_oracle(numbers):
    for number in numbers:
        spec = draw(number)
        try:
            agree(spec)
        except Exception as error:
            raise AssertionError(f"draw({number}) = {spec}") from error


@pytest.mark.parametrize("name", [*OF_X, *OF_W])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_problem_has_a_text(name, lang):
    for number in range(60):
        for transposed in (False, True):
            text = view(derive(draw(number, seed=4), transposed=transposed), name).text(lang)
            assert text
            assert "{" not in text
