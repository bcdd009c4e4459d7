import math

import numpy as np
import pytest

import pellucid
from pellucid.errors import ArgumentError
from pellucid.nn.clip import clip_grad_norm_, clip_grad_value_


def parameter(*grad, dtype=np.float64):
    p = pellucid.zeros(len(grad), dtype=dtype)
    p.grad = pellucid.tensor(np.array(grad, dtype))
    return p


@pytest.mark.parametrize(
    ("norm_type", "norm"),
    [(2, 13.0), (1, 19.0), (math.inf, 12.0), (3, (27 + 64 + 1728) ** (1 / 3))],
)
def test_one_factor_for_all(norm_type, norm):
    a, b, none = parameter(3.0, -4.0), parameter(12.0), pellucid.zeros(2)
    arrays = a.grad.array, b.grad.array
    found = clip_grad_norm_((p for p in (a, none, b)), 0.5, norm_type)
    assert found.item() == pytest.approx(norm, rel=1e-14)
    assert found.shape == ()
    factor = 0.5 / (norm + 1e-6)
    np.testing.assert_allclose(a.grad.array, [3 * factor, -4 * factor], rtol=1e-14)
    np.testing.assert_allclose(b.grad.array, [12 * factor], rtol=1e-14)
    assert (a.grad.array, b.grad.array) == arrays
    assert a.grad._version == [1]


def test_small_gradients_stay():
    a = parameter(0.3, 0.4)
    assert clip_grad_norm_(a, 1.0).item() == pytest.approx(0.5)
    assert a.grad.tolist() == [0.3, 0.4]
    assert a.grad._version == [0]


def test_squares_are_added_in_float64():
    a = parameter(1.3e19, 1.3e19, 1.3e19, 1.3e19, dtype=np.float32)  # each square is near 2**127
    norm = clip_grad_norm_([a], 1.0)
    assert norm.dtype == pellucid.float32
    assert norm.item() == pytest.approx(2.6e19)
    assert a.grad.dtype == pellucid.float32
    assert a.grad.tolist() == pytest.approx([0.5] * 4)


def test_no_gradients():
    assert clip_grad_norm_([pellucid.zeros(2)], 1.0).item() == 0
    assert clip_grad_norm_([], 1.0, math.inf).item() == 0
    assert clip_grad_norm_([parameter()], 1.0, math.inf).item() == 0


def test_not_finite():
    a = parameter(math.inf, 1.0)
    with pytest.raises(ArgumentError) as caught:
        clip_grad_norm_([a], 1.0, error_if_nonfinite=True)
    assert str(caught.value) == (
        "clip_grad_norm_: the norm of the gradients is inf\n"
        "  fix: look for the op that overflows, or pass error_if_nonfinite=False"
    )
    assert a.grad.tolist() == [math.inf, 1.0]
    assert clip_grad_norm_([a], 1.0).item() == math.inf
    np.testing.assert_array_equal(a.grad.array, [math.nan, 0.0])
    b = parameter(math.nan, 1.0)
    clip_grad_norm_([b], 1.0)
    assert np.isnan(b.grad.array).all()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ((-1.0,), "max_norm=-1.0 is no number of 0 or more"),
        ((math.nan,), "max_norm=nan is no number of 0 or more"),
        ((1.0, 0), "norm_type=0 is no number above 0"),
        ((1.0, -2.0), "norm_type=-2.0 is no number above 0"),
    ],
)
def test_options_out_of_range(options, rule):
    with pytest.raises(ArgumentError) as caught:
        clip_grad_norm_([parameter(1.0)], *options)
    assert str(caught.value) == f"clip_grad_norm_: {rule}\n  fix: use a larger one"


def test_values():
    a, none = parameter(-3.0, 0.5, 7.0), pellucid.zeros(1)
    clip_grad_value_([a, none], 2)
    assert a.grad.tolist() == [-2.0, 0.5, 2.0]
    assert a.grad._version == [1]
    clip_grad_value_(a, 1.0)
    assert a.grad.tolist() == [-1.0, 0.5, 1.0]
    with pytest.raises(ArgumentError) as caught:
        clip_grad_value_([a], -1)
    assert str(caught.value) == (
        "clip_grad_value_: clip_value=-1 is no number of 0 or more\n  fix: use a larger one"
    )
