import re

import pytest

import pellucid
from pellucid.autograd import Function
from pellucid.errors import CheckError
from pellucid.testing import adjoint


class LostRow(Function):
    """A product with a matrix whose backward loses one element."""

    @staticmethod
    def forward(ctx, x):
        return x.array * 3

    @staticmethod
    def backward(ctx, gy):
        kept = pellucid.ones_like(gy)
        kept[-1] = 0.0
        return gy * 3 * kept


def test_linear_functions_pass():
    x, w = pellucid.zeros(5, 3), pellucid.zeros(5, 3)
    assert adjoint(lambda x: x * 3, x)
    assert adjoint(lambda x, w: (x * w).sum(0), (x, w), linear_in=(0, 1))


def test_a_lost_element_fails():
    with pytest.raises(CheckError) as caught:
        adjoint(LostRow.apply, pellucid.zeros(6))
    assert re.fullmatch(
        r"adjoint: <f, gy> = -?[0-9]+, but <x, gx> = -?[0-9]+ for input 0\n"
        r"  x \(6,\)    y \(6,\)\n"
        r"  fix: backward is not the transpose of forward in input 0, or f is not linear",
        str(caught.value),
    )


def test_not_linear_fails():
    with pytest.raises(CheckError):
        adjoint(lambda x: x * x, pellucid.zeros(6))
