"""One call: the arrays that the kernels get once more give the same gradients, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from explain.network.layers import Recorded, draw, draw_linear

from pellucid.explain.network.call import GRADS, copy_of
from pellucid.explain.network.record import kept_of


@pytest.mark.parametrize("make", [draw, draw_linear])
@pytest.mark.parametrize("number", range(12))
def test_the_kernels_give_the_gradients_of_the_backward_pass(
    number: int, make: Callable[[int], Recorded]
) -> None:
    layer, x, gy = make(number)
    (call,) = kept_of(layer).calls
    np.testing.assert_array_equal(call.gy, gy.reshape(call.gy.shape))
    for grad, tensor in zip(GRADS, (x, layer.weight, layer.bias), strict=True):
        assert call.kernel(grad).tobytes() == tensor.grad.array.tobytes()


def test_a_copy_has_the_layout_and_no_memory_of_the_array() -> None:
    array = np.moveaxis(np.arange(24.0).reshape(2, 3, 4), -1, 1)
    copy = copy_of(array)
    assert copy.strides == array.strides
    assert not np.shares_memory(copy, array)
    assert copy_of(array.astype(">f4")).dtype.isnative


def test_the_equations_are_those_of_derive() -> None:
    layer, *_ = draw(0)
    (call,) = kept_of(layer).calls
    for grad in GRADS:
        assert call.elements(grad, "indices").title == f"grad_{grad}"
