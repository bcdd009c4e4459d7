import numpy as np
import pytest

from pellucid.kernels.blocks import BLOCK, blocks


def channels_last(shape):
    n, c, h, w = shape
    return np.zeros((n, h, w, c)).transpose(0, 3, 1, 2)


LAYOUTS = {
    "contiguous": lambda: np.zeros((3, 4, 5, 6)),
    "large": lambda: np.zeros(3 * BLOCK + 7),
    "channels last": lambda: channels_last((3, 4, 5, 6)),
    "gaps": lambda: np.zeros((6, 4, 5))[::2, :, 1:4],
    "negative": lambda: np.zeros((6, 4))[::-1, ::-1],
    "0-d": lambda: np.zeros(()),
    "empty": lambda: np.zeros((0, 3)),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("other", LAYOUTS)
def test_every_element_is_met_once_in_place(name, other):
    param = LAYOUTS[name]()
    grad = np.arange(param.size, dtype=float).reshape(param.shape)
    state = LAYOUTS[other]()
    if state.shape != param.shape:
        state = np.zeros(param.shape, order="F")
    for p, g, s in blocks(param, grad, state):
        assert p.ndim == 1
        assert p.size <= BLOCK
        p[:] = p + g
        s[:] = s - g
    np.testing.assert_array_equal(param, grad)
    np.testing.assert_array_equal(state, -grad)


def test_the_gradient_may_be_read_only_and_stays():
    grad = np.broadcast_to(np.float32(2), (5, 5))
    param = np.ones((5, 5), np.float32)
    for p, g in blocks(param, grad):
        assert not g.flags.writeable
        p[:] = p * g
    assert (param == 2).all()
