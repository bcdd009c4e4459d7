"""Activations against PyTorch: both orders, and what happens at kinks, infinities and NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

F = torch.nn.functional
X = np.random.default_rng(1).standard_normal((3, 4, 5)) * 4

PAIRS = {
    "relu": (ops.relu, F.relu),
    "relu6": (ops.relu6, F.relu6),
    "leaky_relu": (ops.leaky_relu, F.leaky_relu),
    "leaky_relu-0.3": (lambda x: ops.leaky_relu(x, 0.3), lambda x: F.leaky_relu(x, 0.3)),
    "elu": (ops.elu, F.elu),
    "elu-0.5": (lambda x: ops.elu(x, 0.5), lambda x: F.elu(x, 0.5)),
    "sigmoid": (ops.sigmoid, torch.sigmoid),
    "tanh": (ops.tanh, torch.tanh),
    "silu": (ops.silu, F.silu),
    # PyTorch's softplus is x itself above its threshold
    "softplus": (ops.softplus, lambda x: F.softplus(x, threshold=1e3)),
    "softplus-2": (lambda x: ops.softplus(x, 2), lambda x: F.softplus(x, 2, threshold=1e3)),
    "gelu": (ops.gelu, F.gelu),
    "gelu-tanh": (lambda x: ops.gelu(x, "tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "softmax": (lambda x: ops.softmax(x, 1), lambda x: F.softmax(x, 1)),
    "log_softmax": (lambda x: ops.log_softmax(x, -1), lambda x: F.log_softmax(x, -1)),
}
SPECIAL = [0.0, -0.0, 6.0, 30.0, -30.0, 80.0, -80.0, 700.0, -700.0]


@pytest.mark.parametrize("name", PAIRS)
def test_both_orders(name):
    assert_like_torch(*PAIRS[name], X)


@pytest.mark.parametrize("name", [n for n in PAIRS if "softmax" not in n])
def test_kinks_and_large_numbers(name):
    assert_like_torch(*PAIRS[name], np.array(SPECIAL))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_infinities_and_nan(name, dtype):
    ours, theirs = PAIRS[name]
    x = np.array([[[np.inf, -np.inf, np.nan, 1.0], [-np.inf] * 4]], dtype)
    found = ours(pellucid.Tensor(x)).numpy()
    # In float64: PyTorch's gelu of infinity is NaN in float32 only
    wanted = theirs(torch.tensor(x, dtype=torch.float64)).numpy()
    assert found.dtype == dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "elu-0.5"])
def test_gradient_at_nan_and_of_infinity(name):
    ours, theirs = PAIRS[name]
    x = np.array([np.nan, -1.0, 0.0, 2.0, 7.0])
    gy = np.array([1.0, np.inf, np.nan, np.inf, 1.0])
    a, b = pellucid.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours(a).backward(pellucid.Tensor(gy))
    theirs(b).backward(torch.tensor(gy))
    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_softmax_of_a_number_and_of_nothing():
    number, nothing = pellucid.tensor(3.0), pellucid.zeros(2, 0)
    assert ops.softmax(number, 0).item() == F.softmax(torch.tensor(3.0), 0).item()
    assert ops.log_softmax(nothing, 1).shape == tuple(F.log_softmax(torch.zeros(2, 0), 1).shape)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "relu6"])
def test_integers(name):
    ours, theirs = PAIRS[name]
    x = np.arange(-3, 9)
    found, wanted = ours(pellucid.Tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_gelu_keeps_its_precision_where_it_is_tiny():
    """PyTorch's (1 + erf) is 0 below -6 in float32; the tail is not."""
    x = np.array([-4.0, -8.0, -12.0])
    found = ops.gelu(pellucid.Tensor(x)).numpy()
    wanted = [v * math.erfc(-v / math.sqrt(2)) / 2 for v in x]
    np.testing.assert_allclose(found, wanted, rtol=1e-13)
