"""ReLU and the sigmoid: the equations, and that the stated gradients are right."""

import math

import numpy as np
import pytest
from explain.layers.checks import agrees_with_op, agrees_with_sympy, random, says

import pellucid
from pellucid import nn, ops
from pellucid.explain import derive


def test_the_equations():
    says(derive(nn.ReLU(), (1, 2)), {
        "forward": "o2 = max(x2, 0)", "grad_input": "dL/dx2 = dL/do2 [x2 > 0]",
    })  # fmt: skip
    says(derive(nn.Sigmoid(), (1, 2, 1, 1), notation="indices"), {
        "forward": "y[0,1,0,0] = 1 / (1 + exp(-x[0,1,0,0]))",
        "grad_input": "dL/dx[0,1,0,0] = dL/dy[0,1,0,0] y[0,1,0,0] (1 - y[0,1,0,0])",
    })  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "name"),
    [((3,), "x3"), ((1, 3), "x3"), ((2, 3), "x23"), ((1, 1, 3), "x3"), ((1, 1, 1, 3), "x13"),
     ((1, 1, 1, 1, 3), "x113"), ((1, 1, 1, 1, 1, 3), "x1113"), ((1, 12), "x[12]")],
)  # fmt: skip
def test_names_for_any_number_of_axes(shape, name):
    assert str(list(derive(nn.ReLU(), shape).grad_input)[-1].left) == f"dL/d{name}"


@pytest.mark.parametrize(("layer", "op"), [(nn.ReLU(), ops.relu), (nn.Sigmoid(), ops.sigmoid)])
@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 2, 2, 2)])
def test_against_the_op_and_sympy(layer, op, shape):
    arrays = {"x": random(shape, 0), "gy": random(shape, 1)}
    d = derive(layer, shape)
    agrees_with_op(d, op, **arrays)
    agrees_with_sympy(d, **arrays)
    assert repr(derive(op(pellucid.zeros(*shape, requires_grad=True)))) == repr(d)


def test_the_kink_and_numbers_that_are_none():
    """At 0 the gradient is 0, and a NaN passes, as the op has it."""
    arrays = {"x": np.array([0.0, math.nan, math.inf]), "gy": np.array([2.0, 3.0, 4.0])}
    assert derive(nn.ReLU(), (3,)).grad_input.evaluate(**arrays).tolist() == [0, 3, 4]
    agrees_with_op(derive(nn.ReLU(), (3,)), ops.relu, **arrays)


def test_the_sigmoid_from_its_output_or_its_input():
    gx = derive(nn.Sigmoid(), (1,)).grad_input[0]
    assert gx.evaluate(gy=[8.0], y=[0.5]) == gx.evaluate(gy=[8.0], x=[0.0]) == 2.0
    assert gx.evaluate(gy=[1.0], x=[-1000.0]) == 0.0
