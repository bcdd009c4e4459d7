"""The oracle against what stands above it: the worked example, and the definition of a gradient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from kernels.conv.problems import OTHERS, conv_specs, integers

from pellucid.kernels.conv import reference
from pellucid.kernels.conv.spec import ConvSpec


def literal_forward(x, w, b, spec):
    """The forward equation with one number at a time, for two axes."""
    y = np.zeros(spec.y_shape)
    (sh, sw), (dh, dw), ((ph, _), (pw, _)) = spec.stride, spec.dilation, spec.padding
    H, W = spec.in_size
    C, per_group = spec.w_shape[1], spec.out_channels // spec.groups
    for n, o, i, j in np.ndindex(y.shape):
        y[n, o, i, j] = b[o]
        for c, u, v in itertools.product(range(C), *map(range, spec.kernel)):
            h, k = i * sh + u * dh - ph, j * sw + v * dw - pw
            if 0 <= h < H and 0 <= k < W:
                y[n, o, i, j] += x[n, o // per_group * C + c, h, k] * w[o, c, u, v]
    return y


@pytest.mark.parametrize(
    "text",
    [
        "c1 i5x5 o1 k3x3 s2",
        "n2 c3 i6x7 o2 k3x2 p0:2x1:0",
        "n2 c4 i6x5 o6 k2x3 s2x1 p1x2 d1x2 g2",
        "n1 c2 i8x9 o2 k3x2 s2x1 p-1:1x-2",
    ],
)
def test_forward_is_the_equation_number_by_number(text):
    spec = ConvSpec.parse(text)
    x, w, b = (integers(s, k) for k, s in enumerate((spec.x_shape, spec.w_shape, spec.b_shape)))
    assert np.array_equal(reference.forward(x, w, b, spec), literal_forward(x, w, b, spec))


def small(spec: ConvSpec) -> bool:
    return np.prod(spec.x_shape) <= 60 and np.prod(spec.w_shape) <= 60


def check_gradients_by_basis(spec: ConvSpec) -> None:
    """dL/de for L = sum(y gy) is the L of a unit at e, because y is linear in x, in w and in b."""
    x, w, gy = (integers(s, k) for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape)))
    gx, gw = reference.grad_input(gy, w, spec), reference.grad_weight(gy, x, spec)
    gb = reference.grad_bias(gy, spec)
    for at in np.ndindex(spec.x_shape):
        unit = np.zeros(spec.x_shape)
        unit[at] = 1
        assert gx[at] == (reference.forward(unit, w, None, spec) * gy).sum()
    for at in np.ndindex(spec.w_shape):
        unit = np.zeros(spec.w_shape)
        unit[at] = 1
        assert gw[at] == (reference.forward(x, unit, None, spec) * gy).sum()
    for at in np.ndindex(spec.b_shape):
        unit = np.zeros(spec.b_shape)
        unit[at] = 1
        assert gb[at] == (reference.forward(0 * x, w, unit, spec) * gy).sum()


@settings(max_examples=30, deadline=None)
@given(conv_specs().filter(small))
def test_gradients_are_the_derivatives_of_drawn_specs(spec):
    check_gradients_by_basis(spec)


@pytest.mark.parametrize("spec", [s for s in OTHERS if small(s)], ids=str)
def test_gradients_are_the_derivatives(spec):
    check_gradients_by_basis(spec)


def test_float32_is_computed_in_float64_and_rounded_once():
    spec = ConvSpec.parse("c3 i9x9 o2 k3x3 p1")
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in (spec.x_shape, spec.w_shape))
    exact = reference.forward(x.astype(np.float64), w.astype(np.float64), None, spec)
    y = reference.forward(x, w, None, spec)
    assert y.dtype == np.float32
    assert np.array_equal(y, exact.astype(np.float32))
