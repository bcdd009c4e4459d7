"""Cross entropy of rows of classes: the native functions, NumPy's, and the formula."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import loss

SHAPES = [(1, 10), (144, 10), (7, 1), (33, 3), (2000, 17), (5, 1000)]
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def case(shape, dtype, weighted):
    drawn = np.random.default_rng(shape)
    x = (5 * drawn.standard_normal(shape)).astype(dtype)
    target = drawn.integers(0, shape[1], shape[0])
    target[1::3] = -100
    weight = drawn.random(shape[1]).astype(dtype) if weighted else None
    return x, target, weight


def results(x, target, weight):
    losses, weights, softmax = loss.cross_entropy(x, target, weight, -100)
    gx = loss.cross_entropy_gradient(softmax, target, weight, -100, 0.3)
    return losses, weights, softmax[target >= 0], gx


@EVERY_SHAPE
@DTYPES
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("native", [True, False])
def test_the_formula(monkeypatch, shape, dtype, weighted, native):
    x, target, weight = case(shape, dtype, weighted)
    if not native:
        monkeypatch.setattr(loss, "module", None)
    losses, weights, softmax, gx = results(x, target, weight)
    counts = target >= 0
    powers = np.exp(x.astype(np.float64))
    exact = powers / powers.sum(axis=1, keepdims=True)
    each = counts * (1.0 if weight is None else weight[np.maximum(target, 0)].astype(float))
    hot = target[:, None] == np.arange(shape[1])
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    own = -np.log(np.where(hot, exact, 0).sum(axis=1), where=counts, out=np.zeros(len(x)))
    assert losses == pytest.approx((each * own).sum(), rel=tolerance)
    assert weights == pytest.approx(each.sum(), rel=1e-12)
    np.testing.assert_allclose(softmax, exact[counts], rtol=5 * tolerance)
    wanted = 0.3 * each[:, None] * (exact - hot)
    np.testing.assert_allclose(gx, wanted, rtol=0, atol=tolerance)
    assert gx.dtype == softmax.dtype == x.dtype


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("wrong", [10, -1])
def test_a_target_that_is_no_class(monkeypatch, native, wrong):
    if not native:
        monkeypatch.setattr(loss, "module", None)
    x, target, _ = case((144, 10), "float32", False)
    target[77] = wrong
    assert loss.cross_entropy(x, target, None, -100) is None


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("values", [(np.inf,), (np.nan,), (-np.inf,), (-np.inf,) * 10, (1e30,)])
def test_what_is_no_number(monkeypatch, native, values):
    if not native:
        monkeypatch.setattr(loss, "module", None)
    x = np.zeros((3, 10))
    x[1, : len(values)] = values
    with np.errstate(all="ignore"):
        shifted = x - x.max(axis=1, keepdims=True)
        exact = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        wanted = (np.log(np.exp(shifted).sum(axis=1)) - shifted[:, 2]).sum()
        losses, _, softmax = loss.cross_entropy(x, np.full(3, 2), None, -100)
    np.testing.assert_allclose(softmax, exact, rtol=1e-14)
    np.testing.assert_allclose(losses, wanted, rtol=1e-14)


@needs_native
@EVERY_SHAPE
def test_threads_change_no_bit(shape):
    before = pellucid.get_num_threads()
    try:
        runs = []
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            runs.append(results(*case(shape, "float32", True)))
    finally:
        pellucid.set_num_threads(before)
    for run in runs[1:]:
        for found, wanted in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(found, wanted)


@needs_native
def test_rows_that_lie_otherwise_and_small_integers():
    x, target, weight = case((33, 3), "float64", True)
    wanted = results(x, target, weight)
    for same in (
        results(np.asfortranarray(x), target, weight),
        results(x, target.astype("int32"), np.repeat(weight, 2)[::2]),
        results(x, np.repeat(target, 2)[::2], weight),
    ):
        for a, b in zip(same, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
