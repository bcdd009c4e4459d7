"""Linear: its gradients are ops like any, and only those that are needed are computed."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.ops.linear import Linear, LinearGradInput, LinearGradWeight
from pellucid.profiler import profile
from pellucid.testing import gradcheck, gradgradcheck


def tensors(*shapes: tuple[int, ...]) -> list[pellucid.Tensor]:
    generator = np.random.default_rng(0)
    return [pellucid.tensor(generator.normal(size=s), requires_grad=True) for s in shapes]


@pytest.mark.parametrize("bias", [True, False])
def test_each_function_is_the_gradient_of_the_other_two(bias):
    x, w, gy = tensors((4, 3), (5, 3), (4, 5))
    for check in (gradcheck, gradgradcheck):
        assert check(LinearGradInput.apply, (gy, w))
        assert check(lambda gy, x: LinearGradWeight.apply(gy, x, bias), (gy, x))


@pytest.mark.parametrize("needed", range(1, 8))
def test_only_what_is_needed_is_computed(needed):
    need_x, need_w, need_b = (bool(needed >> k & 1) for k in range(3))
    x, w, b = tensors((4, 3), (5, 3), (5,))
    for t, need in ((x, need_x), (w, need_w), (b, need_b)):
        t.requires_grad = need
    (gy,) = tensors((4, 5))
    with profile() as found:
        Linear.apply(x, w, b).backward(gy.detach())
    inner = [e.name for e in found.events if e.depth and e.phase == "backward"]
    assert inner == ["LinearGradInput"] * need_x + (
        ["LinearGradWeight"] if need_w else ["Sum"] * need_b
    )
    g = gy.detach().numpy()
    exact = g @ w.detach().numpy(), g.T @ x.detach().numpy(), g.sum(0)
    for t, need, wanted in zip((x, w, b), (need_x, need_w, need_b), exact, strict=True):
        assert np.allclose(t.grad.numpy(), wanted) if need else t.grad is None


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_no_images_or_no_outputs(shape):
    N, O = shape
    x, w, b = (pellucid.zeros(*s, requires_grad=True) for s in ((N, 2), (O, 2), (O,)))
    Linear.apply(x, w, b).sum().backward()
    assert [t.grad.tolist() for t in (x, w, b)] == [np.zeros(t.shape).tolist() for t in (x, w, b)]


def test_the_gradient_of_the_bias_is_summed_in_float64():
    gy = np.full((100_000, 1), 0.1, np.float32)
    x, w, b = pellucid.zeros(100_000, 1), pellucid.zeros(1, 1), pellucid.zeros(1)
    w.requires_grad = b.requires_grad = True
    Linear.apply(x, w, b).backward(pellucid.from_numpy(gy))
    assert b.grad.item() == np.float32(gy.sum(dtype=np.float64))
    assert b.grad.item() != np.cumsum(gy)[-1], "the test can fail"
