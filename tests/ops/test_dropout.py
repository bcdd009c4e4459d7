"""What dropout's randomness depends on, and its statistics; values are in cases/dropout.py."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid import ops


def kept(x: np.ndarray, seed: int = 0, p: float = 0.5) -> np.ndarray:
    pellucid.manual_seed(seed)
    return ops.dropout(pellucid.Tensor(x), p).numpy() != 0


def test_the_layout_has_no_part_in_it():
    x = np.ones((4, 3, 6, 5))
    wanted = kept(x)
    last = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    for view in (last, x.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0), x[::-1, ::-1]):
        np.testing.assert_array_equal(kept(view), wanted)
    pellucid.manual_seed(0)
    assert ops.dropout(pellucid.Tensor(last)).array.strides == last.strides


def test_the_dtype_has_no_part_in_it():
    np.testing.assert_array_equal(kept(np.ones(99, np.float32)), kept(np.ones(99)))


def test_the_seed_and_the_call_have():
    x = np.ones(1000)
    assert (kept(x, seed=1) != kept(x, seed=2)).any()
    pellucid.manual_seed(1)
    first, second = (ops.dropout(pellucid.Tensor(x)).numpy() for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_and_mean(p):
    n = 200_000
    pellucid.manual_seed(5)
    y = ops.dropout(pellucid.ones(n), p).numpy()
    deviation = np.sqrt(p * (1 - p) / n)
    assert abs((y == 0).mean() - p) < 5 * deviation
    assert abs(y.mean() - 1) < 5 * deviation / (1 - p)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / (1 - p))}


def test_nothing_is_drawn_in_evaluation():
    pellucid.manual_seed(0)
    x = pellucid.ones(3)
    assert ops.dropout(x, 0.5, training=False) is x
    assert ops.dropout(x, 0.0) is x
    assert pellucid.get_rng_state().calls == 0


def test_the_gradient_has_the_mask_of_the_output():
    pellucid.manual_seed(3)
    x = pellucid.ones(1000, requires_grad=True)
    y = ops.dropout(x, 0.3)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
