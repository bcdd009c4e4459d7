"""The equations of ops: read, written again to the letter, and their gradients."""

import pytest

from pellucid.explain.equation import Equation
from pellucid.ops.conv import Conv, ConvGradBias, ConvGradInput, ConvGradWeight
from pellucid.ops.conv_transpose import ConvTranspose
from pellucid.ops.linear import Linear, LinearGradInput, LinearGradWeight, MatMul

CONV = Equation.parse(Conv.equation)
TRANSPOSED = Equation.parse(ConvTranspose.equation)


@pytest.mark.parametrize(
    "op",
    [
        Conv,
        ConvGradInput,
        ConvGradWeight,
        ConvGradBias,
        ConvTranspose,
        Linear,
        LinearGradInput,
        LinearGradWeight,
        MatMul,
    ],
)
def test_an_equation_is_written_as_it_was_read(op):
    assert str(Equation.parse(op.equation)) == op.equation


def test_the_gradients_of_a_convolution_are_the_equations_of_the_ops():
    """Derived from `Conv.equation`, they are what the ops that compute them say of themselves."""
    assert str(CONV.gradient("x")) == ConvGradInput.equation.replace("bx[c] + ", "")
    assert str(CONV.gradient("w")) == ConvGradWeight.equation
    assert str(CONV.gradient("b")) == ConvGradBias.equation


def test_the_gradients_of_a_transposed_convolution():
    """Its gradient by x is a convolution of gy, as `Conv.equation` says in other letters."""
    assert str(TRANSPOSED.gradient("x")) == (
        "gx[n,c,i,j] = sum[o,u,v] gy[n, o, i*sh + u*dh - ph, j*sw + v*dw - pw] * w[c,o,u,v]"
    )
    assert str(TRANSPOSED.gradient("w")) == (
        "gw[c,o,u,v] = sum[n,i,j] gy[n, o, i*sh + u*dh - ph, j*sw + v*dw - pw] * x[n,c,i,j]"
    )
    assert str(TRANSPOSED.gradient("b")) == "gb[o] = sum[n,h,w] gy[n,o,h,w]"


def test_the_gradients_of_a_gradient_are_the_other_two():
    """The three functions of ops/conv.py are closed under differentiation (docs/maths.md, 8)."""
    gx = CONV.gradient("x")
    assert str(gx.gradient("gy")) == (
        "ggy[n,o,i,j] = sum[c,u,v] ggx[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw] * w[o,c,u,v]"
    )
    assert str(gx.gradient("w")) == (
        "gw[o,c,u,v] = sum[n,i,j] ggx[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw] * gy[n,o,i,j]"
    )


def test_the_gradients_of_a_product():
    linear = Equation.parse(Linear.equation)
    assert [str(linear.gradient(name)) for name in "xwb"] == [
        "gx[n,i] = sum[o] gy[n,o] * w[o,i]",
        "gw[o,i] = sum[n] gy[n,o] * x[n,i]",
        "gb[o] = sum[n] gy[n,o]",
    ]


@pytest.mark.parametrize(
    ("axes", "forward", "by_x", "by_w", "by_b"),
    [
        (1, "y[n,o,j] = b[o] + sum[c,v] x[n, c, j*sw + v*dw - pw] * w[o,c,v]",
         "gx[n,c,w] = sum[o,v,j: w = j*sw + v*dw - pw] gy[n,o,j] * w[o,c,v]",
         "gw[o,c,v] = sum[n,j] gy[n,o,j] * x[n, c, j*sw + v*dw - pw]",
         "gb[o] = sum[n,j] gy[n,o,j]"),
        (3, "y[n,o,k,i,j] = b[o] + sum[c,t,u,v] x[n, c, k*sd + t*dd - pd, i*sh + u*dh - ph, "
         "j*sw + v*dw - pw] * w[o,c,t,u,v]",
         "gx[n,c,d,h,w] = sum[o,t,u,v,k,i,j: d = k*sd + t*dd - pd, h = i*sh + u*dh - ph, "
         "w = j*sw + v*dw - pw] gy[n,o,k,i,j] * w[o,c,t,u,v]",
         "gw[o,c,t,u,v] = sum[n,k,i,j] gy[n,o,k,i,j] * x[n, c, k*sd + t*dd - pd, "
         "i*sh + u*dh - ph, j*sw + v*dw - pw]",
         "gb[o] = sum[n,k,i,j] gy[n,o,k,i,j]"),
    ],
)  # fmt: skip
def test_other_numbers_of_axes(axes, forward, by_x, by_w, by_b):
    equation = CONV.with_axes(axes)
    assert str(equation) == forward
    assert [str(equation.gradient(name)) for name in "xwb"] == [by_x, by_w, by_b]
    for name in "xwb":
        assert CONV.gradient(name).with_axes(axes) == equation.gradient(name)
        assert TRANSPOSED.gradient(name).with_axes(axes) == TRANSPOSED.with_axes(axes).gradient(
            name
        )


def test_numbers_in_place_of_parameters():
    numbers = {"sw": 3, "dw": 2, "pw": -1}
    equation = CONV.with_axes(1).gradient("x").with_numbers(numbers)
    assert str(equation) == "gx[n,c,w] = sum[o,v,j: w = 3*j + 2*v + 1] gy[n,o,j] * w[o,c,v]"
    assert equation.text() == ("dL/dx[n,c,w] = sum[o,v,j: w = 3 j + 2 v + 1] dL/dy[n,o,j] w[o,c,v]")
    assert equation.latex() == (
        r"\frac{\partial L}{\partial x_{n,c,w}} = \sum_{\substack{o,v,j \\ w = 3 j + 2 v + 1}} "
        r"\frac{\partial L}{\partial y_{n,o,j}} w_{o,c,v}"
    )
    plain = CONV.with_axes(1).with_numbers({"sw": 1, "dw": 1, "pw": 0})
    assert plain.text() == "y[n,o,j] = b[o] + sum[c,v] x[n, c, j + v] w[o,c,v]"
    assert plain.latex() == r"y_{n,o,j} = b_{o} + \sum_{c,v} x_{n,c,j + v} w_{o,c,v}"
