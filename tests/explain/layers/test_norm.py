"""Batch normalisation: every step, three ways back in training, one in evaluation."""

import numpy as np
import pytest
from explain.layers.checks import agrees_with_op, agrees_with_sympy, close, random, says

import pellucid
from pellucid import nn, ops
from pellucid.errors import ShapeError
from pellucid.explain import derive


def test_the_equations_in_training():
    says(derive(nn.BatchNorm1d(2), (2, 2)), {
        "mean": "m2 = 1/2 x12 + 1/2 x22",
        "variance": "v2 = 1/2 (x12 - m2)^2 + 1/2 (x22 - m2)^2",
        "scale": "s2 = 1 / sqrt(v2 + eps)",
        "normalised": "z22 = (x22 - m2) s2",
        "forward": "o22 = w2 z22 + b2",
        "grad_input": "dL/dx22 = w2 s2 dL/do22 - 1/2 w2 s2 dL/db2 - 1/2 w2 s2 z22 dL/dw2",
        "grad_weight": "dL/dw2 = dL/do12 z12 + dL/do22 z22",
        "grad_bias": "dL/db2 = dL/do12 + dL/do22",
    })  # fmt: skip


def test_the_equations_in_evaluation_and_without_parameters():
    says(derive(nn.BatchNorm2d(1, affine=False).eval(), (1, 1, 1, 2)), {
        "scale": "s1 = 1 / sqrt(v1 + eps)",
        "normalised": "z12 = (x12 - m1) s1",
        "forward": "o12 = z12",
        "grad_input": "dL/dx12 = s1 dL/do12",
        "grad_weight": "dL/dw1 = dL/do11 z11 + dL/do12 z12",
        "grad_bias": "dL/db1 = dL/do11 + dL/do12",
    })  # fmt: skip
    assert str(derive(nn.BatchNorm1d(1, bias=False), (2, 1)).forward[0, 0]) == "o11 = w1 z11"
    untracked = nn.BatchNorm1d(1, track_running_stats=False).eval()
    assert "mean" in derive(untracked, (2, 1)).parts


@pytest.mark.parametrize("shape", [(4, 2), (3, 2, 2), (2, 2, 2, 3)])
def test_training_against_the_op_and_sympy(shape):
    layer = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(2)
    arrays = {"x": random(shape, 0), "w": random((2,), 1), "b": random((2,), 2),
              "gy": random(shape, 3)}  # fmt: skip

    def op(x, w, b):
        return ops.batch_norm(x, None, None, w, b, training=True)

    d = derive(layer, shape)
    agrees_with_op(d, op, **arrays)
    if len(shape) < 4:
        agrees_with_sympy(d, **arrays)
    x = pellucid.tensor(arrays["x"], "float64")
    w, b = (pellucid.tensor(arrays[name], "float64", requires_grad=True) for name in "wb")
    assert repr(derive(op(x, w, b))) == repr(d)
    close(d.parts["mean"].evaluate(x=arrays["x"]), arrays["x"].mean((0, *range(2, len(shape)))))
    close(d.parts["variance"].evaluate(x=arrays["x"]), arrays["x"].var((0, *range(2, len(shape)))))


def test_the_layer_is_left_as_it_is():
    layer = nn.BatchNorm1d(2)
    derive(layer, (4, 2)).grad_input[0, 0].evaluate(
        x=random((4, 2), 0), w=np.ones(2), gy=random((4, 2), 1)
    )
    assert layer.num_batches_tracked.item() == 0


def test_evaluation_against_the_op_and_sympy():
    shape, m, v = (3, 2), random((2,), 4), random((2,), 5) ** 2
    arrays = {"x": random(shape, 0), "w": random((2,), 1), "b": random((2,), 2),
              "gy": random(shape, 3), "m": m, "v": v}  # fmt: skip
    d = derive(nn.BatchNorm1d(2).eval(), shape)
    agrees_with_op(d, lambda x, w, b, m, v: ops.batch_norm(x, m, v, w, b), **arrays)
    agrees_with_sympy(d, **arrays)


@pytest.mark.parametrize(
    ("layer", "shape", "fix"),
    [(nn.BatchNorm2d(3), (2, 3), "give (N C H W)"), (nn.BatchNorm1d(3), (2, 4), "give C=3"),
     (nn.BatchNorm1d(3), (2, 3, 1, 1), "give (N C or N C W)")],
)  # fmt: skip
def test_shapes_that_do_not_fit(layer, shape, fix):
    with pytest.raises(ShapeError) as raised:
        derive(layer, shape)
    assert str(raised.value) == (f"derive: input_shape={shape} does not fit {layer}\n  fix: {fix}")
