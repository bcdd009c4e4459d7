"""Losses against PyTorch, over every combination of options."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

F = torch.nn.functional
rng = np.random.default_rng(4)
REDUCTIONS = ("mean", "sum", "none")
WEIGHT = rng.random(4) + 0.5
# Shapes of x, each with its class indices and class probabilities
SHAPES = [(4,), (6, 4), (5, 4, 3), (2, 4, 2, 3)]


def classes(shape):
    return rng.integers(0, 4, shape[:1] + shape[2:] if len(shape) > 1 else ())


def both(array):
    """A constant for ours and one for theirs."""
    return (None, None) if array is None else (pellucid.Tensor(array), torch.tensor(array))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_class_indices(shape, reduction):
    x, target = rng.standard_normal(shape) * 3, classes(shape)
    some_ignored = np.where(rng.random(target.shape) < 0.3, -100, target)
    for weight, smoothing, (indices, ignore_index) in itertools.product(
        (None, WEIGHT), (0.0, 0.2, 1.0), ((target, -100), (some_ignored, -100), (target, 1))
    ):
        (w, theirs_w), (t, theirs_t) = both(weight), both(np.asarray(indices))
        assert_like_torch(
            lambda x, t=t, w=w, i=ignore_index, s=smoothing: ops.cross_entropy(
                x, t, w, i, reduction, s
            ),
            lambda x, t=theirs_t, w=theirs_w, i=ignore_index, s=smoothing: F.cross_entropy(
                x, t, w, ignore_index=i, reduction=reduction, label_smoothing=s
            ),
            x,
        )
        assert_like_torch(
            lambda x, t=t, w=w, i=ignore_index: ops.nll_loss(x, t, w, i, reduction),
            lambda x, t=theirs_t, w=theirs_w, i=ignore_index: F.nll_loss(
                x, t, w, ignore_index=i, reduction=reduction
            ),
            x,
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_class_probabilities(shape, reduction):
    x, target = rng.standard_normal(shape) * 3, rng.random(shape)
    for weight, smoothing in itertools.product((None, WEIGHT), (0.0, 0.2)):
        w, theirs_w = both(weight)
        assert_like_torch(
            lambda x, t, w=w, s=smoothing: ops.cross_entropy(x, t, w, -100, reduction, s),
            lambda x, t, w=theirs_w, s=smoothing: F.cross_entropy(
                x, t, w, reduction=reduction, label_smoothing=s
            ),
            x,
            target,
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy(reduction):
    x, target = rng.standard_normal((5, 4)) * 3, rng.random((5, 4))
    weights = (None, rng.random(4), rng.random((5, 1)))
    for weight, pos_weight in itertools.product(weights, (None, WEIGHT)):
        (w, theirs_w), (p, theirs_p) = both(weight), both(pos_weight)
        assert_like_torch(
            lambda x, t, w=w, p=p: ops.binary_cross_entropy_with_logits(x, t, w, reduction, p),
            lambda x, t, w=theirs_w, p=theirs_p: F.binary_cross_entropy_with_logits(
                x, t, w, reduction=reduction, pos_weight=p
            ),
            x,
            target,
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_regressions(reduction):
    x, target = rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
    target[0] = x[0]
    for ours, theirs in ((ops.mse_loss, F.mse_loss), (ops.l1_loss, F.l1_loss)):
        assert_like_torch(
            lambda x, t, f=ours: f(x, t, reduction),
            lambda x, t, f=theirs: f(x, t, reduction=reduction),
            x,
            target,
        )


def test_large_logits_and_impossible_classes():
    """Confident rows, rows with a class ruled out, and rows that are all wrong."""
    x = np.array([[1e4, 0.0, -1e4], [-np.inf, 0.0, 1.0], [0.0, -1e3, 1e3]])
    for target in ([0, 1, 0], [2, 2, 2], [1, 2, -100]):
        ours, theirs = pellucid.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y = ops.cross_entropy(ours, pellucid.tensor(target), reduction="none")
        wanted = F.cross_entropy(theirs, torch.tensor(target), reduction="none")
        np.testing.assert_allclose(y.detach().numpy(), wanted.detach().numpy(), rtol=1e-12)
        y.sum().backward()
        wanted.sum().backward()
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-12, atol=1e-300)


def test_nothing_to_average_is_nan():
    for target in (torch.full((3,), -100), torch.zeros(0, dtype=torch.int64)):
        x = np.zeros((len(target), 4))
        wanted = F.cross_entropy(torch.tensor(x), target)
        found = ops.cross_entropy(pellucid.Tensor(x), pellucid.Tensor(target.numpy()))
        assert np.isnan(wanted.item())
        assert np.isnan(found.item())


def test_binary_cross_entropy_keeps_its_gradient_in_both_tails():
    x = np.array([-800.0, -40.0, 40.0, 800.0])
    for value, exact in ((0.0, np.exp(-40.0)), (1.0, -np.exp(-40.0))):
        logits = pellucid.Tensor(x, requires_grad=True)
        target = pellucid.Tensor(np.full(4, value))
        ops.binary_cross_entropy_with_logits(logits, target, reduction="sum").backward()
        place = 1 if value == 0 else 2
        np.testing.assert_allclose(logits.grad.numpy()[place], exact, rtol=1e-12)
        assert np.isfinite(logits.grad.numpy()).all()
