"""Linear: the sums, and the matrix products that they are."""

import numpy as np
import pytest
from explain.layers.checks import agrees_with_op, agrees_with_sympy, close, random, says

import pellucid
from pellucid import nn
from pellucid.errors import ShapeError
from pellucid.explain import derive
from pellucid.ops import linear


def test_the_equations():
    says(derive(nn.Linear(3, 2), (2, 3)), {
        "forward": "o22 = x21 w21 + x22 w22 + x23 w23 + b2",
        "grad_input": "dL/dx23 = dL/do21 w13 + dL/do22 w23",
        "grad_weight": "dL/dw23 = dL/do12 x13 + dL/do22 x23",
        "grad_bias": "dL/db2 = dL/do12 + dL/do22",
    })  # fmt: skip
    d = derive(nn.Linear(3, 2, bias=False), (2, 3), notation="indices")
    says(d, {
        "forward": "y[1,1] = x[1,0] w[1,0] + x[1,1] w[1,1] + x[1,2] w[1,2]",
        "grad_input": "dL/dx[1,2] = dL/dy[1,0] w[0,2] + dL/dy[1,1] w[1,2]",
        "grad_weight": "dL/dw[1,2] = dL/dy[0,1] x[0,2] + dL/dy[1,1] x[1,2]",
    })  # fmt: skip
    assert "Y = X W^T\n" in d.general().text()
    assert "grad_bias" not in d.parts


def test_the_sums_are_matrix_products():
    d = derive(nn.Linear(4, 3), (5, 4))
    x, w, gy = random((5, 4), 0), random((3, 4), 1), random((5, 3), 2)
    close(d.grad_input.evaluate(gy=gy, w=w), gy @ w)
    close(d.grad_weight.evaluate(gy=gy, x=x), gy.T @ x)
    general = d.general().text()
    for formula in ("dL/dX = dL/dY W\n", "dL/dW = (dL/dY)^T X\n", "dL/dX = dL/dY W^T\n",
                    "dL/dW = X^T dL/dY\n"):  # fmt: skip
        assert f"      {formula}" in general
    (plane,) = derive(nn.Linear(4, 3), (5, 4)).matrix("grad_weight").planes
    assert (plane.name, len(plane.rows), len(plane.rows[0])) == ("dL/dW", 3, 4)


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (5, 2)])
def test_against_the_op_and_sympy(shape):
    d = derive(nn.Linear(shape[1], 3), shape)
    x, w, b = random(shape, 0), random((3, shape[1]), 1), random((3,), 2)
    arrays = {"x": x, "w": w, "b": b, "gy": random((shape[0], 3), 3)}
    agrees_with_op(d, linear, **arrays)
    agrees_with_sympy(d, **arrays)


def test_of_a_tensor():
    layer = nn.Linear(3, 2, bias=False)
    d = derive(layer(pellucid.zeros(4, 3)))
    assert repr(d) == "<derivation of Linear (3 -> 2), x (4, 3)>" == f"<derivation of {d.title}>"
    assert list(d.parts) == ["forward", "grad_input", "grad_weight"]
    frozen = nn.Linear(3, 2)
    frozen.bias.requires_grad = False
    assert "grad_bias" in derive(frozen(pellucid.zeros(4, 3))).parts


def test_a_shape_that_does_not_fit():
    with pytest.raises(ShapeError) as raised:
        derive(nn.Linear(3, 2), (4, 5))
    assert str(raised.value) == (
        f"derive: input_shape=(4, 5) does not fit {nn.Linear(3, 2)}\n  fix: give N and I=3"
    )


def test_an_empty_batch():
    d = derive(nn.Linear(3, 2), (0, 3))
    assert str(d.grad_bias[0]) == "dL/db1 = 0"
    assert np.array_equal(d.grad_weight.evaluate(x=np.ones((0, 3)), gy=np.ones((0, 2))),
                          np.zeros((2, 3)))  # fmt: skip
