"""The elements of an array by index: what is in range, what is refused, and whole arrays."""

import numpy as np
import pytest

from pellucid.errors import IndexingError
from pellucid.explain import derive

D = derive("n2 c1 i5x6 o3 k3x3 s2")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ((0, 0, 0, 6),
         "grad_input: w=6 is not from 0 to 5\n"
         "  n 0 .. 1, c 0 .. 0, h 0 .. 4, w 0 .. 5    n2 c1 i5x6 o3 k3x3 s2\n"
         "  fix: index it as grad_input[n,c,h,w], counted from 0"),
        ((0, 1, 0, 0),
         "grad_input: c=1 is not from 0 to 0\n"
         "  n 0 .. 1, c 0 .. 0, h 0 .. 4, w 0 .. 5    n2 c1 i5x6 o3 k3x3 s2\n"
         "  fix: index it as grad_input[n,c,h,w], counted from 0"),
        ((0, 0, -1, 0),
         "grad_input: h=-1 is not from 0 to 4\n"
         "  n 0 .. 1, c 0 .. 0, h 0 .. 4, w 0 .. 5    n2 c1 i5x6 o3 k3x3 s2\n"
         "  fix: index it as grad_input[n,c,h,w], counted from 0"),
        ((0, 2),
         "grad_input: 2 indices for the 4 axes of grad_input\n"
         "  n 0 .. 1, c 0 .. 0, h 0 .. 4, w 0 .. 5    n2 c1 i5x6 o3 k3x3 s2\n"
         "  fix: index it as grad_input[n,c,h,w], counted from 0"),
        (0,
         "grad_input: 1 index for the 4 axes of grad_input\n"
         "  n 0 .. 1, c 0 .. 0, h 0 .. 4, w 0 .. 5    n2 c1 i5x6 o3 k3x3 s2\n"
         "  fix: index it as grad_input[n,c,h,w], counted from 0"),
        ((0, 0, 1.0, 0),
         "grad_input: h=1.0 is not a whole number\n"
         "  n 0 .. 1, c 0 .. 0, h 0 .. 4, w 0 .. 5    n2 c1 i5x6 o3 k3x3 s2\n"
         "  fix: index it as grad_input[n,c,h,w], counted from 0"),
    ],
)  # fmt: skip
def test_indices_outside(index, message):
    with pytest.raises(IndexingError) as raised:
        D.grad_input[index]
    assert str(raised.value) == message


def test_an_empty_axis_has_no_index():
    with pytest.raises(IndexingError, match="n=0 is not there, since the axis is empty") as raised:
        derive("n0 c1 i5 o1 k3").forward[0, 0, 0]
    assert "  n none, o 0 .. 0, j 0 .. 2    n0 c1 i5 o1 k3\n" in str(raised.value)


def test_numpy_integers_are_indices():
    at = np.argmax([0, 0, 1]), np.int8(2)
    assert str(D.grad_weight[0, 0, at[0], at[1]].left) == "dL/dw133"
    assert str(D.grad_bias[np.int64(2)].left) == "dL/db3"


def test_all_elements_in_order():
    assert [str(e.left) for e in D.grad_weight][:4] == ["dL/dw111", "dL/dw112", "dL/dw113",
                                                        "dL/dw121"]  # fmt: skip
    assert len(list(D.grad_weight)) == len(D.grad_weight) == 27
    assert (D.forward.shape, D.forward.letters) == ((2, 3, 2, 2), ["n", "o", "i", "j"])


def test_a_whole_array():
    d, w, gy = derive("c1 i3 o1 k2"), np.array([[[1, 2]]]), np.array([[[10, 100]]])
    assert d.grad_input.evaluate(w=w, gy=gy).tolist() == [[[10.0, 120.0, 200.0]]]
    assert derive("n0 c1 i3 o1 k2").forward.evaluate().shape == (0, 1, 2)
