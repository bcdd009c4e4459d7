"""The names of elements, word for word."""

import pytest

from pellucid.errors import ArgumentError
from pellucid.explain import derive
from pellucid.explain.notation import Named, Names


def named(spec, notation="textbook", **options):
    """The first name of x, w, b, y in text, and of the gradient by x in LaTeX."""
    names = derive(spec, notation=notation, **options).names
    first = {key: (0,) * len(array.shape) for key, array in names.arrays.items()}
    texts = [names.text(key, first[key], gradient=False) for key in "xwby"]
    return [*texts, names.latex("x", first["x"], gradient=True)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("c1 i5x5 o1 k3x3 s2", ["x11", "w11", "b", "o11", r"\frac{\partial L}{\partial x_{11}}"]),
        ("c1 i9 o1 k3", ["x1", "w1", "b", "o1", r"\frac{\partial L}{\partial x_{1}}"]),
        ("c2 i5x5 o1 k3x3", ["x111", "w111", "b", "o11", r"\frac{\partial L}{\partial x_{111}}"]),
        ("c1 i5x5 o2 k3x3", ["x11", "w111", "b1", "o111", r"\frac{\partial L}{\partial x_{11}}"]),
        ("c2 i5x5 o2 k3x3 g2", ["x111", "w111", "b1", "o111",
                                r"\frac{\partial L}{\partial x_{111}}"]),
        ("n2 c1 i5x5 o1 k3", ["x111", "w11", "b", "o111", r"\frac{\partial L}{\partial x_{111}}"]),
        ("c1 i10x1 o1 k1x1", ["x[1,1]", "w[1,1]", "b", "o[1,1]",
                              r"\frac{\partial L}{\partial x_{1,1}}"]),
        ("c1 i2x2x2 o1 k1x1x1", ["x111", "w111", "b", "o111",
                                 r"\frac{\partial L}{\partial x_{111}}"]),
        ("c1 i5x5 o10 k3x3", ["x[1,1]", "w[1,1,1]", "b[1]", "o[1,1,1]",
                              r"\frac{\partial L}{\partial x_{1,1}}"]),
        ("n0 c1 i5 o1 k3", ["x11", "w1", "b", "o11", r"\frac{\partial L}{\partial x_{11}}"]),
    ],
)  # fmt: skip
def test_textbook_names(spec, expected):
    assert named(spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("c1 i5x5 o1 k3x3", ["x[0,0,0,0]", "w[0,0,0,0]", "b[0]", "y[0,0,0,0]",
                             r"\frac{\partial L}{\partial x_{0,0,0,0}}"]),
        ("c1 i5 o1 k3", ["x[0,0,0]", "w[0,0,0]", "b[0]", "y[0,0,0]",
                         r"\frac{\partial L}{\partial x_{0,0,0}}"]),
    ],
)  # fmt: skip
def test_names_by_indices(spec, expected):
    assert named(spec, "indices") == expected


def test_a_place_is_counted_as_the_notation_counts():
    names = Names({"x": Named((1, 1, 12), "n c w", "N C W", 1, "x", "x")}, "textbook")
    assert names.text("x", (0, 0, 11), gradient=False) == "x[12]"
    assert names.position(11) == 12
    assert Names(names.arrays, "indices").position(11) == 11


def test_the_letters_of_a_transposed_convolution():
    names = derive("c2 i5x5 o3 k2x2", transposed=True).names
    assert {key: (a.letters, a.sizes, a.shape) for key, a in names.arrays.items()} == {
        "x": ("n c i j", "N C H W", (1, 3, 4, 4)),
        "w": ("c o u v", "C O/G KH KW", (3, 2, 2, 2)),
        "b": ("o", "O", (2,)),
        "y": ("n o h w", "N O OH OW", (1, 2, 5, 5)),
    }


def test_an_unknown_notation():
    with pytest.raises(ArgumentError) as raised:
        derive("c1 i5 o1 k3", notation="python")
    assert str(raised.value) == (
        "explain: there is no notation 'python'\n  fix: use one of textbook, indices"
    )
