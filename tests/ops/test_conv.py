"""Convolution through autograd: the worked example, the adjoint identity, 'same' padding."""

import numpy as np
import pytest

import pellucid
from pellucid import ops
from pellucid.testing import adjoint, gradgradcheck


def test_worked_example_element_by_element():
    """Input 5x5, kernel 3x3, stride 2: the equations of the study note, written out."""
    rng = np.random.default_rng(0)
    x, w, b, g = (rng.integers(-9, 10, shape) for shape in [(5, 5), (3, 3), (1,), (2, 2)])
    tx, tw = (pellucid.tensor(a[None, None], "float64", requires_grad=True) for a in (x, w))
    tb = pellucid.tensor(b, "float64", requires_grad=True)
    y = ops.conv2d(tx, tw, tb, stride=2)
    y.backward(pellucid.tensor(g[None, None], "float64"))

    x11, x12, x13 = x[0, :3]
    w11, w12, w13 = w[0]
    (g11, g12), (g21, g22) = g
    o11 = x11 * w11 + x12 * w12 + x13 * w13 + (x[1:3, :3] * w[1:]).sum() + b[0]
    assert y[0, 0, 0, 0].item() == o11
    assert y[0, 0, 0, 1].item() == (x[:3, 2:] * w).sum() + b[0]  # o12 starts at x13
    assert y[0, 0, 1, 0].item() == (x[2:, :3] * w).sum() + b[0]  # o21 at x31
    assert y[0, 0, 1, 1].item() == (x[2:, 2:] * w).sum() + b[0]  # o22 at x33
    first_row = [g11 * w11, g11 * w12, g11 * w13 + g12 * w11, g12 * w12, g12 * w13]
    assert tx.grad[0, 0, 0].tolist() == first_row
    centre = g11 * w[2, 2] + g12 * w[2, 0] + g21 * w[0, 2] + g22 * w[0, 0]
    assert tx.grad[0, 0, 2, 2].item() == centre
    gw11 = g11 * x11 + g12 * x13 + g21 * x[2, 0] + g22 * x[2, 2]
    assert tw.grad[0, 0, 0, 0].item() == gw11
    assert tb.grad.tolist() == [g11 + g12 + g21 + g22]


OPTIONS = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (2, 3), "dilation": (2, 1), "padding": ((0, 3), (2, 1))},
    {"groups": 2, "stride": 3},
    {"padding": "same", "stride": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_adjoint_identity_is_exact(options):
    x, w = pellucid.zeros(3, 4, 9, 10), pellucid.zeros(6, 4 // options.get("groups", 1), 3, 2)
    assert adjoint(lambda x, w: ops.conv2d(x, w, **options), (x, w), linear_in=(0, 1))


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [5, 6, 7])
def test_same_padding_has_the_size_of_the_stride(size, stride):
    x, w = pellucid.zeros(1, 1, size), pellucid.zeros(1, 1, 4)
    assert ops.conv1d(x, w, padding="same", stride=stride, dilation=2).shape[2] == -(
        -size // stride
    )


def test_only_needed_gradients_are_computed(monkeypatch):
    from pellucid.kernels import conv as kernels

    calls = []
    for name in ("grad_input", "grad_weight", "grad_bias"):
        real = getattr(kernels, name)
        monkeypatch.setattr(
            kernels,
            name,
            lambda *a, real=real, name=name, **options: calls.append(name) or real(*a, **options),
        )
    x, w = pellucid.randn(2, 1, 5, 5), pellucid.randn(3, 1, 3, 3)
    ops.conv2d(x, w.requires_grad_()).sum().backward()
    assert calls == ["grad_weight"]
    calls.clear()
    ops.conv2d(x.requires_grad_(), w.detach()).sum().backward()
    assert calls == ["grad_input"]
    calls.clear()
    b = pellucid.zeros(3, requires_grad=True)
    ops.conv2d(x.detach(), w.detach(), b).sum().backward()
    assert calls == ["grad_bias"]


def test_third_order_of_a_nonlinear_net():
    x = pellucid.randn(1, 1, 4, 4, dtype="float64", requires_grad=True)
    w = pellucid.randn(2, 1, 2, 2, dtype="float64", requires_grad=True)

    def slope(x, w):
        y = (ops.conv2d(x, w, stride=2) ** 3).sum()
        return pellucid.autograd.grad(y, (x, w), create_graph=True)

    assert gradgradcheck(slope, (x, w))
