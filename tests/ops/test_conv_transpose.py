"""Transposed convolution: the gradient of a convolution, run forward, and its own gradients."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid import ops
from pellucid.testing import adjoint, gradgradcheck

OPTIONS = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (2, 3), "dilation": (2, 1), "padding": (2, 1)},
    {"groups": 2, "stride": 3},
    {"stride": 4, "dilation": 2},
]


def integers(shape: tuple[int, ...], seed: int) -> pellucid.Tensor:
    draw = np.random.default_rng(seed).integers(-4, 5, shape)
    return pellucid.tensor(draw, "float64", requires_grad=True)


@pytest.mark.parametrize("size", [(9, 10), (10, 11), (11, 12)])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_transpose_of_the_convolution(options, size):
    """<conv(x), y> = <x, conv_transpose(y)>, exactly, for every leftover."""
    x = integers((3, 4, *size), 0)
    w = integers((6, 4 // options.get("groups", 1), 3, 2), 1)
    there = ops.conv2d(x, w, **options)
    y = integers(there.shape, 2)
    plain = ops.conv_transpose2d(y, w, **options)
    leftover = tuple(n - back for n, back in zip(size, plain.shape[2:], strict=True))
    back = ops.conv_transpose2d(y, w, output_padding=leftover, **options)
    assert back.shape == x.shape
    assert (there * y).sum().item() == (x * back).sum().item()
    (gx,) = pellucid.autograd.grad(there, x, y)
    assert np.array_equal(back.array, gx.array)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_adjoint_identity_is_exact(options):
    x, w = pellucid.zeros(3, 4, 4, 5), pellucid.zeros(4, 3, 3, 2)
    assert adjoint(lambda x, w: ops.conv_transpose2d(x, w, **options), (x, w), linear_in=(0, 1))


def test_element_by_element():
    """Two pixels, three taps, stride 2: they meet in the middle, and two rows are theirs alone."""
    x, w = integers((1, 1, 2), 0), integers((1, 1, 3), 1)
    b = pellucid.tensor([5.0], "float64")
    (x1, x2), (w1, w2, w3) = x.array[0, 0], w.array[0, 0]
    y = ops.conv_transpose1d(x, w, b, stride=2, output_padding=1)
    assert y[0, 0].tolist() == [
        5 + x1 * w1, 5 + x1 * w2, 5 + x1 * w3 + x2 * w1, 5 + x2 * w2, 5 + x2 * w3, 5,
    ]  # fmt: skip


def test_only_needed_gradients_are_computed(monkeypatch):
    from pellucid.kernels import conv as kernels

    calls = []
    for name in ("forward", "grad_input", "grad_weight", "grad_bias"):
        real = getattr(kernels, name)
        monkeypatch.setattr(
            kernels,
            name,
            lambda *a, real=real, name=name, **options: calls.append(name) or real(*a, **options),
        )
    tensors = [pellucid.randn(2, 3, 4, 4), pellucid.randn(3, 2, 3, 3), pellucid.zeros(2)]
    for k, wanted in enumerate(["forward", "grad_weight", "grad_bias"]):
        given = [x.detach().requires_grad_(i == k) for i, x in enumerate(tensors)]
        calls.clear()
        ops.conv_transpose2d(*given, stride=2).sum().backward()
        assert calls == ["grad_input", wanted]


def test_the_graph_names_it():
    x = pellucid.ones(1, 1, 2, 2, requires_grad=True)
    node = ops.conv_transpose2d(x, pellucid.ones(1, 1, 2, 2)).grad_fn
    assert type(node).__name__ == "ConvTranspose"
    assert type(node).equation.startswith("y[n,o,h,w] = b[o] + sum[c,u,v,i,j: ")


def test_third_order_of_a_nonlinear_net():
    x = pellucid.randn(1, 1, 2, 2, dtype="float64", requires_grad=True)
    w = pellucid.randn(1, 2, 2, 2, dtype="float64", requires_grad=True)
    b = pellucid.randn(2, dtype="float64", requires_grad=True)

    def slope(x, w, b):
        y = (ops.conv_transpose2d(x, w, b, stride=2, output_padding=1) ** 3).sum()
        return pellucid.autograd.grad(y, (x, w, b), create_graph=True)

    assert gradgradcheck(slope, (x, w, b))
