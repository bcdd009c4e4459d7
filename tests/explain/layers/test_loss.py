"""Losses: L itself, the softmax before it, and the gradient that begins there."""

import numpy as np
import pytest
from explain.layers.checks import agrees_with_op, agrees_with_sympy, close, random, says

import pellucid
from pellucid import nn, ops
from pellucid.errors import ShapeError, UnsupportedError
from pellucid.explain import derive


def test_the_equations():
    says(derive(nn.MSELoss(), (1, 2)), {
        "forward": "L = 1/2 (x1 - t1)^2 + 1/2 (x2 - t2)^2", "grad_input": "dL/dx2 = (x2 - t2)",
    })  # fmt: skip
    says(derive(nn.MSELoss(reduction="sum"), (2,)), {
        "forward": "L = (x1 - t1)^2 + (x2 - t2)^2", "grad_input": "dL/dx2 = 2 (x2 - t2)",
    })  # fmt: skip
    says(derive(nn.CrossEntropyLoss(), (2, 2)), {
        "probabilities": "p22 = exp(x22) / (exp(x21) + exp(x22))",
        "forward": "L = -1/2 t11 log(p11) - 1/2 t12 log(p12) - 1/2 t21 log(p21) - "
        "1/2 t22 log(p22)",
        "grad_input": "dL/dx22 = 1/2 (p22 - t22)",
    })  # fmt: skip
    says(derive(nn.CrossEntropyLoss(reduction="sum"), (1, 2)), {
        "probabilities": "p2 = exp(x2) / (exp(x1) + exp(x2))",
        "forward": "L = -t1 log(p1) - t2 log(p2)",
        "grad_input": "dL/dx2 = p2 - t2",
    })  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_mse_against_the_op_and_sympy(reduction):
    arrays = {"x": random((2, 3), 0), "t": random((2, 3), 1)}
    d = derive(nn.MSELoss(reduction=reduction), (2, 3))
    agrees_with_op(d, lambda x, t: ops.mse_loss(x, t, reduction), **arrays)
    agrees_with_sympy(d, **arrays)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_cross_entropy_against_the_op_and_sympy(reduction):
    d = derive(nn.CrossEntropyLoss(reduction=reduction), (3, 4))
    arrays = {"x": random((3, 4), 0), "t": np.eye(4)[[2, 0, 3]]}
    classes = pellucid.tensor([2, 0, 3])
    agrees_with_op(d, lambda x, t: ops.cross_entropy(x, classes, reduction=reduction), **arrays)
    agrees_with_sympy(d, **arrays)
    p = d.parts["probabilities"].evaluate(x=arrays["x"])
    close(p.sum(axis=1), np.ones(3))
    given = d.grad_input.evaluate(p=p, t=arrays["t"])
    close(given, d.grad_input.evaluate(**arrays))


def test_large_scores_do_not_overflow():
    d = derive(nn.CrossEntropyLoss(), (1, 2))
    arrays = {"x": np.array([[1000.0, 0.0]]), "t": np.array([[0.0, 1.0]])}
    assert d.forward[()].evaluate(**arrays) == 1000.0
    assert d.grad_input.evaluate(**arrays).tolist() == [[1.0, -1.0]]


def test_many_elements_are_added_at_once():
    d = derive(nn.MSELoss(), (100, 1000))
    x, t = random((100, 1000), 0), random((100, 1000), 1)
    L = d.forward[()]
    close(np.array(L.evaluate(x=x, t=t)), ((x - t) ** 2).mean())
    assert L.text(most=2) == (
        "L = 1/100000 (x[1,1] - t[1,1])^2 + ... + 1/100000 (x[100,1000] - t[100,1000])^2"
    )
    assert str(L.terms[-1]) == "1/100000 (x[100,1000] - t[100,1000])^2"


@pytest.mark.parametrize(
    ("layer", "shape", "error", "rule"),
    [
        (nn.MSELoss(reduction="none"), (2,), UnsupportedError,
         "MSELoss with reduction='none' is many losses"),
        (nn.CrossEntropyLoss(label_smoothing=0.1), (2, 3), UnsupportedError,
         "CrossEntropyLoss with weights of classes or label smoothing has no derivation here"),
        (nn.CrossEntropyLoss(), (2, 3, 4), ShapeError,
         "input_shape=(2, 3, 4) does not fit CrossEntropyLoss()"),
    ],
)  # fmt: skip
def test_what_has_no_derivation(layer, shape, error, rule):
    with pytest.raises(error) as raised:
        derive(layer, shape)
    assert str(raised.value).splitlines()[0] == f"derive: {rule}"
