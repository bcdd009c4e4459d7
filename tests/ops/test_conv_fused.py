"""Convolution with ReLU against its parts: no bit differs, whichever algorithm computes."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

import pellucid
from pellucid import nn, ops
from pellucid.kernels import conv as kernels
from pellucid.kernels.conv.spec import ConvSpec
from pellucid.kernels.layout import as_channels_last

rng = np.random.default_rng(2)
SHAPES = {
    "winograd": ((2, 32, 16, 16), (32, 32, 3, 3), {"padding": 1}),
    "lanewise": ((2, 16, 9, 9), (16, 1, 3, 3), {"padding": 1, "groups": 16}),
    "direct": ((3, 3, 11, 9), (8, 3, 5, 5), {"stride": 2, "padding": 2}),
    "pointwise": ((2, 7, 5, 5), (17, 7, 1, 1), {}),
}


def run(op, shapes, dtype, second):
    x_shape, w_shape, options = SHAPES[shapes]
    drawn = np.random.default_rng(4)
    x, w, b = (drawn.standard_normal(s).astype(dtype) for s in (x_shape, w_shape, w_shape[:1]))
    x[0, 0, 2, 2] = np.nan
    leaves = [pellucid.Tensor(a, requires_grad=True) for a in (x, w, b)]
    y = op(*leaves, **options)
    gy = pellucid.Tensor(drawn.standard_normal(y.shape).astype(dtype))
    gradients = pellucid.autograd.grad(y, leaves, gy, create_graph=second)
    found = [y, *gradients]
    if second:
        found += pellucid.autograd.grad((gradients[0] * gradients[0]).sum(), leaves[1])
    return [a.detach().numpy() for a in found]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("second", [True, False])
def test_as_its_parts(shapes, dtype, second):
    parts = run(lambda *given, **options: ops.relu(ops.conv2d(*given, **options)), shapes, dtype,
                second)  # fmt: skip
    for found, wanted in zip(run(ops.conv2d_relu, shapes, dtype, second), parts, strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)
        assert found.strides == wanted.strides


@pytest.mark.parametrize("algorithm", kernels.ALGORITHMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ceiling", [inf, 6, 0.5])
def test_every_algorithm(algorithm, dtype, ceiling):
    for x_shape, w_shape, options in SHAPES.values():
        x, w, b = (
            (4 * rng.standard_normal(s)).astype(dtype) for s in (x_shape, w_shape, w_shape[:1])
        )
        x[0, 0, 2, 2] = np.nan
        spec = ConvSpec.from_shapes(x_shape, w_shape, **options)
        if kernels.ALGORITHMS[algorithm].refuses(spec, "forward", x.dtype):
            continue
        for given in (x, as_channels_last(x)):
            y = kernels.forward(given, w, b, spec, algorithm)
            assert (y < 0).any()
            assert (y > 6).any()
            assert np.isnan(y).any()
            found = kernels.forward(given, w, b, spec, algorithm, ceiling=ceiling)
            np.testing.assert_array_equal(found, np.clip(y, 0, ceiling), strict=True)
            assert found.strides == y.strides
            packed = kernels.PackedWeights(w, spec, algorithm)
            again = kernels.forward(given, packed, b, spec, ceiling=ceiling)
            np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize("border", ["zeros", "reflect"])
def test_a_layer(border):
    layer = nn.Conv2d(3, 5, 3, padding=1, padding_mode=border)
    x = pellucid.randn(2, 3, 6, 6)
    y = layer.with_relu(x)
    np.testing.assert_array_equal(y.detach().numpy(), layer(x).relu().detach().numpy())
    assert y.grad_fn.name == "ConvReLU"
