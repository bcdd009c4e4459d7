"""Expressions: their text and LaTeX word for word, their numbers, and what they refuse."""

import numpy as np
import pytest
from explain.problems import integers

import pellucid
from pellucid.errors import ArgumentError, ShapeError
from pellucid.explain import derive

EXAMPLE = derive("c1 i5x5 o1 k3x3 s2")
BY_INDICES = derive("n2 c4 i5x5 o2 k3x3 s2 g2", notation="indices")


@pytest.mark.parametrize(
    ("expression", "text", "latex"),
    [
        (EXAMPLE.grad_input[0, 0, 0, 2], "dL/dx13 = dL/do11 w13 + dL/do12 w11",
         r"\frac{\partial L}{\partial x_{13}} = \frac{\partial L}{\partial o_{11}} w_{13} + "
         r"\frac{\partial L}{\partial o_{12}} w_{11}"),
        (EXAMPLE.grad_bias[0], "dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22",
         r"\frac{\partial L}{\partial b} = \frac{\partial L}{\partial o_{11}} + "
         r"\frac{\partial L}{\partial o_{12}} + \frac{\partial L}{\partial o_{21}} + "
         r"\frac{\partial L}{\partial o_{22}}"),
        (BY_INDICES.grad_input[1, 3, 0, 2],
         "dL/dx[1,3,0,2] = dL/dy[1,1,0,0] w[1,1,0,2] + dL/dy[1,1,0,1] w[1,1,0,0]",
         r"\frac{\partial L}{\partial x_{1,3,0,2}} = \frac{\partial L}{\partial y_{1,1,0,0}} "
         r"w_{1,1,0,2} + \frac{\partial L}{\partial y_{1,1,0,1}} w_{1,1,0,0}"),
        (derive("c1 i4 o1 k1 s2").grad_input[0, 0, 1], "dL/dx2 = 0",
         r"\frac{\partial L}{\partial x_{2}} = 0"),
        (derive("c1 i12 o1 k1").forward[0, 0, 11], "o[12] = x[12] w[1] + b",
         "o_{12} = x_{12} w_{1} + b"),
    ],
)  # fmt: skip
def test_text_and_latex(expression, text, latex):
    assert expression.text() == str(expression) == text
    assert expression.latex() == latex


def test_a_long_sum_leaves_terms_out_of_the_middle():
    o11 = EXAMPLE.forward[0, 0, 0, 0]
    assert len(o11.terms) == 10
    assert o11.text(most=10) == o11.text()
    assert o11.text(most=3) == "o11 = x11 w11 + x12 w12 + ... + b"
    assert o11.text(most=1) == "o11 = x11 w11 + ..."
    assert o11.latex(most=2) == r"o_{11} = x_{11} w_{11} + \cdots + b"


def test_terms_are_products_of_elements():
    terms = EXAMPLE.grad_input[0, 0, 0, 2].terms
    assert [str(term) for term in terms] == ["dL/do11 w13", "dL/do12 w11"]
    gy, w = terms[0].factors
    assert (gy.array, gy.index, gy.gradient, gy.key) == ("y", (0, 0, 0, 0), True, "gy")
    assert (w.array, w.index, w.gradient, w.key) == ("w", (0, 0, 0, 2), False, "w")
    assert (str(gy), gy.latex()) == ("dL/do11", r"\frac{\partial L}{\partial o_{11}}")
    assert terms[-1].text() == "dL/do12 w11"
    assert terms[1].latex() == r"\frac{\partial L}{\partial o_{12}} w_{11}"


def test_the_numbers():
    x, w = integers((1, 1, 5, 5), 0), integers((1, 1, 3, 3), 1)
    gy, b = np.array([[[[1, 10], [100, 1000]]]]), np.array([0.5])
    o11 = EXAMPLE.forward[0, 0, 0, 0]
    assert o11.evaluate(x=x, w=w, b=b) == (x[0, 0, :3, :3] * w[0, 0]).sum() + 0.5
    assert o11.addends(x=x, w=w, b=b)[-1] == 0.5
    gw = EXAMPLE.grad_weight[0, 0, 0, 0]
    assert gw.addends(x=x, gy=gy).tolist() == [
        x[0, 0, 0, 0], 10 * x[0, 0, 0, 2], 100 * x[0, 0, 2, 0], 1000 * x[0, 0, 2, 2],
    ]  # fmt: skip
    assert gw.evaluate(x=x, gy=gy, w=w) == gw.addends(x=x, gy=gy).sum()
    assert derive("c1 i4 o1 k1 s2").grad_input[0, 0, 1].evaluate(w=[[[2]]], gy=[[[3, 4]]]) == 0.0


def test_tensors_count_as_arrays_and_float32_is_computed_in_float64():
    gy = pellucid.tensor([[[[1e8, 1.0], [1.0, -1e8]]]])
    assert gy.dtype == np.float32
    assert EXAMPLE.grad_bias[0].evaluate(gy=gy) == 2.0


def test_the_sum_is_not_rounded_on_its_way():
    gy = np.array([[[[1e100, 1.0], [-1e100, 1.0]]]])
    assert EXAMPLE.grad_bias[0].evaluate(gy=gy) == 2.0


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ({"w": np.ones((1, 1, 3, 3))}, ArgumentError,
         "evaluate: dL/dx11 is made of gy and w, but gy is not given\n"
         "  fix: give gy= as an array or a tensor"),
        ({"dy": 1, "w": 1}, ArgumentError,
         "evaluate: dL/dx11 has no array 'dy'\n"
         "  fix: give some of x, gx, w, gw, b, gb, y, gy"),
        ({"gy": np.ones((1, 1, 2, 2)), "w": np.ones((3, 3))}, ShapeError,
         "evaluate: w has the shape (3, 3), but the problem has (1, 1, 3, 3)\n"
         "  w (O=1, C/G=1, KH=3, KW=3)\n"
         "  fix: reshape w"),
    ],
)  # fmt: skip
def test_what_evaluate_refuses(arrays, error, message):
    with pytest.raises(error) as raised:
        EXAMPLE.grad_input[0, 0, 0, 0].evaluate(**arrays)
    assert str(raised.value) == message


def test_a_prompt_shows_the_equation_and_its_terms():
    d = derive("c1 i5x5 o1 k3x3 s2")
    assert repr(d.grad_input[0, 0, 0, 2]) == "<dL/dx13 = dL/do11 w13 + dL/do12 w11>"
    assert repr(d.grad_input[0, 0, 0, 2].terms) == "<terms dL/do11 w13, dL/do12 w11>"
    assert repr(d.forward[0, 0, 0, 0].terms) == (
        "<terms x11 w11, x12 w12, x13 w13, x21 w21, x22 w22, x23 w23, ... (10)>"
    )
    assert len(repr(derive("c1 i224x224 o1 k3x3").grad_bias[0])) < 1500
    assert repr(d.general()) == d.general().text()
    assert repr(d.matrix("grad_bias")) == d.matrix("grad_bias").text()
