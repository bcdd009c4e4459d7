"""Batch normalisation layers: which statistics are used, how they move, and what is counted."""

import copy

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, ShapeError


def batch(seed, shape=(8, 3, 4, 5)):
    return np.random.default_rng(seed).normal(2.0, 3.0, shape)


def per_channel(x):
    return x.mean((0, 2, 3)), x.var((0, 2, 3)), x.var((0, 2, 3), ddof=1)


def test_training_normalises_the_batch_and_moves_the_running_statistics():
    layer, x = nn.BatchNorm2d(3, momentum=0.25, dtype="float64"), batch(0)
    y = layer(pellucid.tensor(x)).array
    mean, biased, unbiased = per_channel(x)
    np.testing.assert_allclose(per_channel(y)[0], 0, atol=1e-12)
    np.testing.assert_allclose(per_channel(y)[1], biased / (biased + 1e-5), rtol=1e-9)
    np.testing.assert_allclose(layer.running_mean.array, 0.25 * mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.array, 0.75 + 0.25 * unbiased, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 1


def test_evaluation_uses_the_running_statistics_and_leaves_them():
    layer, x = nn.BatchNorm2d(3, eps=0.1, dtype="float64").eval(), batch(1)
    layer.running_mean.copy_(np.array([1.0, 2, 3]))
    layer.running_var.copy_(np.array([4.0, 5, 6]))
    layer.weight.detach().copy_(np.array([7.0, 8, 9]))
    layer.bias.detach().copy_(np.array([0.0, 1, 2]))
    before = copy.deepcopy(layer.state_dict())
    wanted = [
        w * (x[:, c] - m) / np.sqrt(v + 0.1) + b
        for c, (m, v, w, b) in enumerate([(1, 4, 7, 0), (2, 5, 8, 1), (3, 6, 9, 2)])
    ]
    np.testing.assert_allclose(layer(pellucid.tensor(x)).array, np.stack(wanted, 1), rtol=1e-12)
    assert {n: t.tolist() for n, t in layer.state_dict().items()} == {
        n: t.tolist() for n, t in before.items()
    }


def test_momentum_none_keeps_the_plain_mean_of_all_batches():
    layer = nn.BatchNorm2d(3, momentum=None, dtype="float64")
    batches = [batch(seed) for seed in range(3)]
    for x in batches:
        layer(pellucid.tensor(x))
    means, _, variances = zip(*map(per_channel, batches), strict=True)
    np.testing.assert_allclose(layer.running_mean.array, np.mean(means, 0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.array, np.mean(variances, 0), rtol=1e-12)
    assert layer.num_batches_tracked.item() == 3


def test_without_running_statistics_evaluation_uses_the_batch():
    layer = nn.BatchNorm2d(3, track_running_stats=False, dtype="float64")
    x = pellucid.tensor(batch(0))
    y = layer(x)
    assert layer.eval()(x).tolist() == y.tolist()
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_state():
    assert list(nn.BatchNorm2d(3).state_dict()) == [
        "weight", "bias", "running_mean", "running_var", "num_batches_tracked",
    ]  # fmt: skip
    assert [n for n, _ in nn.BatchNorm1d(3, affine=False).named_parameters()] == []
    assert [n for n, _ in nn.BatchNorm1d(3, bias=False).named_parameters()] == ["weight"]
    assert not any(b.requires_grad for b in nn.BatchNorm2d(3).buffers())
    layer = nn.BatchNorm2d(3).double()
    assert layer.num_batches_tracked.dtype == pellucid.int64
    assert layer.running_mean.dtype == pellucid.float64


def test_reset():
    layer = nn.BatchNorm2d(3)
    fresh = {name: t.tolist() for name, t in layer.state_dict().items()}
    assert fresh == {
        "weight": [1.0] * 3, "bias": [0.0] * 3, "running_mean": [0.0] * 3,
        "running_var": [1.0] * 3, "num_batches_tracked": 0,
    }  # fmt: skip
    layer(pellucid.tensor(batch(0)).float())
    layer.weight.detach().fill_(5.0)
    layer.reset_parameters()
    assert {name: t.tolist() for name, t in layer.state_dict().items()} == fresh


def test_what_fails_is_not_counted():
    layer = nn.BatchNorm2d(3)
    with pytest.raises(ShapeError):
        layer(pellucid.ones(2, 4, 3, 3))
    assert layer.num_batches_tracked.item() == 0


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5)])
def test_features_and_one_axis(shape):
    x = np.random.default_rng(0).normal(size=shape)
    axes = (0, 2)[: len(shape) - 1]
    y = nn.BatchNorm1d(3, dtype="float64")(pellucid.tensor(x)).array
    wanted = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, wanted, rtol=1e-9)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            nn.BatchNorm2d,
            (4, 3),
            "BatchNorm2d: x has 2 axes, not those of (N, C, H, W)\n  x (4, 3)\n"
            "  fix: reshape x, or use the layer for its number of axes",
        ),
        (
            nn.BatchNorm1d,
            (4, 3, 2, 2),
            "BatchNorm1d: x has 4 axes, not those of (N, C) or (N, C, W)\n  x (4, 3, 2, 2)\n"
            "  fix: reshape x, or use the layer for its number of axes",
        ),
    ],
)
def test_axes_that_are_not_the_layer_s(layer, shape, message):
    with pytest.raises(ShapeError) as caught:
        layer(3)(pellucid.ones(*shape))
    assert str(caught.value) == message


def test_no_features():
    with pytest.raises(ArgumentError) as caught:
        nn.BatchNorm1d(0)
    assert str(caught.value) == ("BatchNorm1d: num_features=0 is less than 1\n  fix: use 1 or more")
