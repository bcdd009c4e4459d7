"""The meetings of one element, against a walk over all of them."""

import numpy as np
import pytest
from explain.problems import draw, integers

from pellucid.explain.algebra import Element
from pellucid.explain.notation import Named, Names
from pellucid.explain.sums import Factor, Place, Sum, fixed, of_input, of_output, of_weight
from pellucid.kernels.conv import ConvSpec


def walk(spec):
    """All (x index, w index, y index) that meet, by the definition."""
    C, O, G = spec.in_channels, spec.out_channels, spec.groups
    for n, o, *window in np.ndindex(*spec.y_shape):
        for c in range(C // G):
            for tap in np.ndindex(*spec.kernel):
                pixel = tuple(
                    i * s + u * d - low
                    for i, s, u, d, (low, _) in zip(
                        window, spec.stride, tap, spec.dilation, spec.padding, strict=True
                    )
                )
                if all(0 <= h < size for h, size in zip(pixel, spec.in_size, strict=True)):
                    x = (n, o // (O // G) * (C // G) + c, *pixel)
                    yield x, (o, c, *tap), (n, o, *window)


def pairs(meetings):
    """The two indices of every meeting, in order."""
    first, second, counts = meetings
    a, b = Factor("a", False, first), Factor("b", False, second)
    return [(a.index(digits), b.index(digits)) for digits in np.ndindex(*counts)]


@pytest.mark.parametrize("number", range(30))
def test_the_meetings_of_every_element(number):
    spec = draw(number, largest=4, seed=1)
    of_x, of_w, of_y = {}, {}, {}
    for x, w, y in walk(spec):
        of_x.setdefault(x, []).append((y, w))
        of_w.setdefault(w, []).append((y, x))
        of_y.setdefault(y, []).append((x, w))
    # x meets y in ascending order of y; the walk goes by y, so all three lists have their order
    for index in np.ndindex(*spec.x_shape):
        assert pairs(of_input(spec, index)) == of_x.get(index, [])
    for index in np.ndindex(*spec.w_shape):
        assert pairs(of_weight(spec, index)) == of_w.get(index, [])
    for index in np.ndindex(*spec.y_shape):
        assert pairs(of_output(spec, index)) == of_y.get(index, [])


def test_addends_are_the_terms_one_by_one():
    """The numbers come from whole index lists at once, the terms one by one: they agree."""
    names = Names({"a": Named((2, 3, 4), "n c w", "N C W", 1, "a", "a"),
                   "b": Named((4, 5), "u v", "U V", 2, "b", "b")}, "textbook")  # fmt: skip
    # a[1, r0, r2] b[r1, r0]: the second runs through its axes the other way round
    a = Factor("a", False, (fixed(1), Place(0, (2, 0, 1)), Place(2, (3, 1))))
    b = Factor("b", False, (Place(1, (0, 3)), Place(0, (4, 2, 2))))
    total = Sum(names, (a, b), (3, 2, 2))
    arrays = {"a": integers((2, 3, 4), 0), "b": integers((4, 5), 1)}
    expected = [
        np.prod([arrays[factor.key][factor.index] for factor in term.factors]) for term in total
    ]
    assert total.addends(arrays).tolist() == expected
    assert str(total[0]) == "a234 b15"
    last = Sum(names, (a, b), (3, 2, 2), Element("b", (0, 0), False, names))
    assert last.addends(arrays).tolist() == [*expected, arrays["b"][0, 0]]
    assert (len(last), str(last[-1]), last.needs()) == (13, "b11", ["a", "b", "b"])
    with pytest.raises(IndexError):
        total[12]


def test_a_million_terms_are_made_when_they_are_looked_at():
    spec = ConvSpec.parse("n64 c1 i128x128 o1 k1x1")
    y, x, counts = of_weight(spec, (0, 0, 0, 0))
    names = Names({"x": Named(spec.x_shape, "n c h w", "N C H W", 2, "x", "x")}, "indices")
    total = Sum(names, (Factor("x", False, x),), counts)
    assert len(total) == 64 * 128 * 128
    assert str(total[len(total) - 1]) == "x[63,0,127,127]"
    assert y[0].values == range(64)
