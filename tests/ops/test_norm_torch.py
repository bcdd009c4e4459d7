"""Batch normalisation against PyTorch: both orders, and the running statistics."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

F = torch.nn.functional
rng = np.random.default_rng(3)
SHAPES = [(6, 3), (4, 3, 5), (3, 3, 4, 5), (2, 3, 2, 3, 2)]
WEIGHT, BIAS = rng.standard_normal(3), rng.standard_normal(3)
MEAN, VAR = rng.standard_normal(3), rng.random(3) + 0.3


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_orders(shape, training):
    x = rng.standard_normal(shape) * 2 + 3

    def ours(x, weight=None, bias=None):
        running = pellucid.tensor(MEAN), pellucid.tensor(VAR)
        return ops.batch_norm(x, *running, weight, bias, training, 0.3, 1e-3)

    def theirs(x, weight=None, bias=None):
        running = torch.tensor(MEAN), torch.tensor(VAR)
        return F.batch_norm(x, *running, weight, bias, training, 0.3, 1e-3)

    assert_like_torch(ours, theirs, x, WEIGHT, BIAS, tolerance=1e-9)
    assert_like_torch(ours, theirs, x, WEIGHT, tolerance=1e-9)
    assert_like_torch(ours, theirs, x, tolerance=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0])
def test_running_statistics_move_in_place(momentum, dtype):
    ours = [pellucid.tensor(v.astype(dtype)) for v in (MEAN, VAR)]
    theirs = [torch.tensor(v.astype(dtype)) for v in (MEAN, VAR)]
    arrays = [v.array for v in ours]
    for _ in range(3):
        x = rng.standard_normal((4, 3, 5)).astype(dtype)
        ops.batch_norm(pellucid.Tensor(x), *ours, training=True, momentum=momentum)
        F.batch_norm(torch.tensor(x), *theirs, training=True, momentum=momentum)
    for found, wanted, array in zip(ours, theirs, arrays, strict=True):
        assert found.array is array
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-7)


def test_gradients_of_an_evaluation_are_those_of_its_own_statistics():
    x, weight = rng.standard_normal((4, 3, 5)), pellucid.tensor(WEIGHT, requires_grad=True)
    running = pellucid.tensor(MEAN), pellucid.tensor(VAR)
    y = ops.batch_norm(pellucid.Tensor(x), *running, weight)
    wanted = (y.detach().numpy() / WEIGHT[:, None]).sum(axis=(0, 2))
    ops.batch_norm(pellucid.Tensor(x), *running, training=True, momentum=0.9)
    y.sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), wanted, rtol=1e-12)


def test_an_empty_batch_leaves_the_running_statistics():
    ours, theirs = (
        [make(v) for v in (MEAN, VAR)] for make in (pellucid.tensor, torch.tensor)
    )  # fmt: skip
    y = ops.batch_norm(pellucid.zeros(0, 3, 4, dtype="float64"), *ours, training=True)
    wanted = F.batch_norm(torch.zeros(0, 3, 4, dtype=torch.float64), *theirs, training=True)
    assert y.shape == tuple(wanted.shape)
    for found, expected in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_one_value_for_each_channel_is_refused_as_in_pytorch():
    with pytest.raises(ValueError, match="more than 1 value"):
        F.batch_norm(torch.zeros(1, 3), None, None, training=True)
    with pytest.raises(pellucid.errors.ShapeError, match="one value"):
        ops.batch_norm(pellucid.zeros(1, 3), None, None, training=True)
    ops.batch_norm(pellucid.zeros(1, 3), pellucid.zeros(3), pellucid.ones(3))


def test_statistics_of_many_float32_values_far_from_zero():
    x = (rng.standard_normal((64, 2, 32, 32)) + 100).astype("float32")
    y = ops.batch_norm(pellucid.Tensor(x), None, None, training=True).numpy()
    exact = x.astype(float) - x.mean(axis=(0, 2, 3), keepdims=True, dtype=float)
    exact /= np.sqrt((exact**2).mean(axis=(0, 2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, exact, atol=1e-5)
