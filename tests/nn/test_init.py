"""Initialisations: moments and bounds over enough draws, fans, gains, and their messages."""

import math

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, ShapeError
from pellucid.nn import init

DRAWS = 40_000


@pytest.fixture(autouse=True)
def _seed():
    pellucid.manual_seed(11)


def drawn(function, *args, shape=(200, 200), **options):
    x = pellucid.zeros(*shape, dtype="float64")
    assert function(x, *args, **options) is x
    return x.array


def assert_moments(x, mean, std, kurtosis):
    """Hold mean and variance to five standard errors of an estimate from DRAWS draws."""
    assert abs(x.mean() - mean) < 5 * std / math.sqrt(x.size)
    assert abs(x.var() / std**2 - 1) < 5 * math.sqrt((kurtosis - 1) / x.size)


def assert_uniform(x, bound):
    assert np.abs(x).max() <= bound
    assert np.abs(x).max() > bound * (1 - 10 / x.size)
    assert_moments(x, 0, bound / math.sqrt(3), 9 / 5)


def assert_normal(x, std):
    assert_moments(x, 0, std, 3)
    inside = (np.abs(x) < std).mean()
    assert abs(inside - 0.6827) < 5 * math.sqrt(0.6827 * 0.3173 / x.size)


def test_constants():
    assert set(drawn(init.constant_, 0.3).flat) == {0.3}
    assert set(drawn(init.ones_).flat) == {1.0}
    assert set(init.zeros_(pellucid.ones(2)).tolist()) == {0.0}


def test_uniform_and_normal():
    assert_uniform(drawn(init.uniform_, -2.0, 2.0), 2.0)
    assert 0 <= drawn(init.uniform_).min() < drawn(init.uniform_).max() <= 1
    assert_normal(drawn(init.normal_, 3.0, 0.5) - 3.0, 0.5)
    assert set(drawn(init.normal_, 2.0, 0.0).flat) == {2.0}


@pytest.mark.parametrize(
    ("function", "check", "scale"),
    [(init.xavier_uniform_, assert_uniform, math.sqrt(3)), (init.xavier_normal_, assert_normal, 1)],
)
def test_xavier(function, check, scale):
    x = drawn(function, gain=2.0, shape=(40, 10, 10, 10))
    check(x, scale * 2.0 * math.sqrt(2 / (40 * 100 + 10 * 100)))


@pytest.mark.parametrize(
    ("function", "check", "scale"),
    [
        (init.kaiming_uniform_, assert_uniform, math.sqrt(3)),
        (init.kaiming_normal_, assert_normal, 1),
    ],
)
@pytest.mark.parametrize(
    ("options", "std"),
    [
        ({}, math.sqrt(2 / 1000)),
        ({"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 4000)),
        ({"a": math.sqrt(5)}, math.sqrt(1 / 3 / 1000)),
        ({"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(1000)),
    ],
)
def test_kaiming(function, check, scale, options, std):
    check(drawn(function, shape=(40, 10, 10, 10), **options), scale * std)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [(0, 1, -2, 2), (1, 0.5, 0.9, 1.2), (0, 2, 3, 100), (0, 1, -3, -1.5), (0.5, 1, 0, 9)],
)
def test_trunc_normal(mean, std, a, b):
    x = drawn(init.trunc_normal_, mean, std, a, b)
    assert a <= x.min() < x.max() <= b
    low, high = (a - mean) / std, (b - mean) / std
    z = np.linspace(low, min(high, 12), 200_001)
    density = np.exp(-(z**2) / 2)
    density /= density.sum()
    first = (density * z).sum()
    spread = (density * (z - first) ** 2).sum()
    fourth = (density * (z - first) ** 4).sum()
    assert_moments((x - mean) / std, first, math.sqrt(spread), max(fourth / spread**2, 1.5))


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (6, 2, 3, 3), (5, 5), (0, 3)])
def test_orthogonal(shape):
    x = drawn(init.orthogonal_, 3.0, shape=shape)
    matrix = x.reshape(shape[0], math.prod(shape[1:]))
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 9 * np.eye(min(matrix.shape)), atol=1e-12)


def test_orthogonal_draws_every_direction_alike():
    corners = [drawn(init.orthogonal_, shape=(2, 2))[0, 0] for _ in range(2000)]
    assert abs(np.mean(corners)) < 5 * math.sqrt(0.5 / 2000)


def test_values_depend_on_the_seed_and_not_on_the_layout():
    plain, turned = pellucid.zeros(4, 3), pellucid.zeros(3, 4).T
    pellucid.manual_seed(5)
    init.normal_(plain)
    pellucid.manual_seed(5)
    init.normal_(turned)
    assert plain.tolist() == turned.tolist()
    assert init.normal_(turned).tolist() != plain.tolist()


def test_parameters_are_overwritten_outside_of_graphs():
    parameter = nn.Parameter(pellucid.ones(2, 2))
    y = (parameter * parameter).sum()
    init.zeros_(parameter)
    assert parameter.is_leaf
    with pytest.raises(pellucid.errors.GraphError, match="changed in place"):
        y.backward()


def test_fans():
    assert init.fan_in_and_fan_out(pellucid.empty(5, 7)) == (7, 5)
    assert init.fan_in_and_fan_out(pellucid.empty(6, 2, 3, 5)) == (30, 90)


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1.0),
        ("conv2d", None, 1.0),
        ("conv_transpose3d", None, 1.0),
        ("sigmoid", None, 1.0),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / (1 + 1e-4))),
        ("leaky_relu", 1.0, 1.0),
        ("selu", None, 0.75),
    ],
)
def test_gains(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain, rel=1e-12)


FAILURES = {
    "fan": (
        lambda: init.kaiming_normal_(pellucid.ones(3)),
        ShapeError,
        "fan_in_and_fan_out: a tensor of shape (3,) has 1 axes, at least 2 are needed\n"
        "  fix: use uniform_ or normal_",
    ),
    "orthogonal": (
        lambda: init.orthogonal_(pellucid.ones(3)),
        ShapeError,
        "orthogonal_: a tensor of shape (3,) has 1 axes, at least 2 are needed\n"
        "  fix: use uniform_ or normal_",
    ),
    "mode": (
        lambda: init.kaiming_uniform_(pellucid.ones(3, 3), mode="fan"),
        ArgumentError,
        "kaiming: there is no mode 'fan'\n  fix: use fan_in or fan_out",
    ),
    "gain": (
        lambda: init.calculate_gain("softsign"),
        ArgumentError,
        "calculate_gain: there is no gain for 'softsign'\n"
        "  fix: use one of leaky_relu, sigmoid, tanh, relu, selu, linear, conv1d, conv2d, conv3d, "
        "conv_transpose1d, conv_transpose2d, conv_transpose3d",
    ),
    "std": (
        lambda: init.normal_(pellucid.ones(3), std=-1.0),
        ArgumentError,
        "normal_: std=-1.0 is no standard deviation\n  fix: use a positive std",
    ),
    "interval": (
        lambda: init.trunc_normal_(pellucid.ones(3), a=3.0, b=4.0),
        ArgumentError,
        "trunc_normal_: [a, b] = [3.0, 4.0] is empty or more than 2 std from the mean (mean=0.0, "
        "std=1.0)\n  fix: choose a < b around the mean",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), FAILURES.values(), ids=FAILURES)
def test_messages(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
