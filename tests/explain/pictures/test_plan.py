"""Plans: which cells are lit, which part of a large array is drawn, and what is said about it."""

import pytest
from explain.problems import draw

from pellucid.explain import derive
from pellucid.explain.pictures.plan import MOST_NUMBERED, MOST_WINDOWS, Plan

LARGE = derive("n8 c64 i224x224 o64 k7x7 s2 p3")


def plan(expression):
    return Plan(expression.derivation, expression)


def drawn(found):
    """What a plan lights: key, index and number of every cell that is drawn."""
    return {
        (part.key, (*part.lead, *place)): term
        for column in found.columns
        for part in column
        for place, term in found.lit(part).items()
    }


@pytest.mark.parametrize("number", range(60))
def test_what_is_lit_is_what_the_equation_has(number):
    spec = draw(number, seed=7)
    d = derive(spec, transposed=number % 3 == 0)
    for elements in (d.forward, d.grad_input, d.grad_weight, d.grad_bias):
        for k, expression in enumerate(elements):
            found = plan(expression)
            if k > 12:
                break
            if not found.is_whole:
                continue
            terms = [expression.terms[j].factors for j in range(len(expression.terms))]
            expected = {
                (f.key, f.index): j for j, factors in enumerate(terms) for f in factors
                if f.array != "b" or f.gradient
            }  # fmt: skip
            left = expression.left
            assert drawn(found) == {**expected, (left.key, left.index): 0}


def test_terms_have_numbers_while_they_are_few():
    d = derive("c1 i5x5 o1 k3x3")
    assert plan(d.grad_input[0, 0, 2, 2]).numbered
    assert len(d.grad_input[0, 0, 2, 2].terms) == MOST_NUMBERED
    assert not plan(derive("c1 i6x6 o1 k3x3").grad_bias[0]).numbered
    assert not plan(d.forward[0, 0, 0, 0]).numbered


def test_windows_lie_where_they_lie():
    d = derive("c1 i5x5 o1 k3x3 s2 p1")
    found = plan(d.grad_input[0, 0, 1, 1])
    target = found.columns[-1][0]
    windows = [(window.places, window.term) for window in found.windows(target)]
    assert windows == [
        ((range(a, a + 3), range(b, b + 3)), k)
        for k, (a, b) in enumerate([(-1, -1), (-1, 1), (1, -1), (1, 1)])
    ]
    assert found.windows(found.columns[0][0]) == []
    dense = plan(derive("c1 i5x5 o1 k3x3").grad_input[0, 0, 2, 2])
    assert len(dense.total) > MOST_WINDOWS
    assert dense.windows(dense.columns[-1][0]) == []


def test_windows_are_those_of_the_image_and_have_the_first_of_their_terms():
    d = derive("n2 c1 i5x5 o2 k3x3 s2")
    found = plan(d.grad_weight[1, 0, 0, 0])
    assert [part.lead for part in found.columns[1]] == [(0, 0), (1, 0)]
    terms = [[window.term for window in found.windows(part)] for part in found.columns[1]]
    assert terms == [[0, 1, 2, 3], [4, 5, 6, 7]]
    found = plan(d.grad_input[1, 0, 2, 2])
    (target,) = found.columns[-1]
    assert len(found.total) == 8
    assert [window.term for window in found.windows(target)] == [0, 1, 2, 3]


def test_of_a_large_array_the_part_around_the_element_is_drawn():
    found = plan(LARGE.grad_input[0, 1, 100, 222])
    gy, w, gx = (column[0] for column in found.columns)
    assert gy.places == (range(46, 55), range(103, 112))
    assert w.places == (range(7), range(7))
    assert gx.places == (range(96, 105), range(218, 227))
    assert found.left_out("en") == (
        "Only a part is drawn: of $∂L/∂O$ rows 47 to 55 of 112 and columns 104 to 112 of 112; of "
        "$∂L/∂X$ rows 97 to 105 of 224 and columns 219 to 224 of 224; 1 of 64 channels $o$; 6 of "
        "384 terms."
    )
    assert found.left_out("ko").startswith("일부만 그렸다: $∂L/∂O$의 행 47~55(전체 112), 열 ")
    assert found.left_out("ko").endswith("채널 $o$ 64개 가운데 1개; 항 384개 가운데 6개.")


def test_of_a_long_sum_the_first_terms_are_drawn_and_nothing_beside_them():
    found = plan(LARGE.grad_weight[0, 1, 1, 2])
    gy, x, _ = (column[0] for column in found.columns)
    assert len(found.lit(gy)) == len(found.lit(x)) == 25
    assert set(found.lit(gy)) == {(i, j) for i in gy.places[0] for j in gy.places[1]}
    assert "1 of 8 images; 25 of 98,568 terms" in found.left_out("en")
    assert plan(derive("c1 i5x5 o1 k3x3").forward[0, 0, 0, 0]).left_out("en") == ""


def test_channels_stand_under_each_other():
    d = derive("n2 c3 i5x5 o2 k3x3")
    x, w, y = plan(d.forward[1, 1, 0, 0]).columns
    assert [part.lead for part in x] == [(1, 0), (1, 1), (1, 2)]
    assert [part.lead for part in w] == [(1, 0), (1, 1), (1, 2)]
    assert [part.lead for part in y] == [(1, 1)]


def test_without_images_only_the_result_is_drawn():
    found = plan(derive("n0 c1 i5x5 o1 k3x3").grad_weight[0, 0, 0, 0])
    assert [[part.key for part in column] for column in found.columns] == [["gw"]]


def test_uncovered_places():
    found = plan(derive("c1 i6x6 o1 k3x3 s2").grad_input[0, 0, 0, 5])
    target = found.columns[-1][0]
    uncovered = {place for place in [(0, 5), (5, 0), (4, 4)] if found.is_uncovered(target, place)}
    assert uncovered == {(0, 5), (5, 0)}
    assert not any(found.is_uncovered(found.columns[0][0], (k, k)) for k in range(2))
