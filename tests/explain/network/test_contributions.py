"""`contributions`: the terms add up to the float64 reference and to what the kernels computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from explain.network.layers import CONV, Recorded, draw, draw_linear, looped, place_in, run, total

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, IndexingError, UnsupportedError
from pellucid.explain import contributions, derive, record
from pellucid.explain.network.call import GRADS
from pellucid.explain.network.record import kept_of
from pellucid.kernels.conv import reference

SEVERAL = [pytest.param(range(12), id="0..")] + [
    pytest.param(range(k, k + 24), id=f"{k}..", marks=pytest.mark.slow) for k in (12, 36, 60, 84)
]
BOUND = {"float32": 5e-7, "float64": 1e-15}  # of the sum of magnitudes, over all elements


def gradient(recorded: Recorded, grad: str) -> Any:
    layer, x, _ = recorded
    return {"input": x, "weight": layer.weight, "bias": layer.bias}[grad].grad


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("grad", GRADS)
@pytest.mark.parametrize("number", range(9))
def test_the_sum_of_the_terms_of_a_linear(number: int, grad: str, dtype: str) -> None:
    recorded = draw_linear(number, dtype)
    computed = gradient(recorded, grad).array
    # (..., I) -> (N, I)
    computed = computed.reshape(-1, computed.shape[-1]) if grad == "input" else computed
    index = place_in(computed.shape, number)
    found = contributions(recorded.layer, grad, index)
    terms = looped(recorded, grad, index)
    value, magnitude = total(terms)
    np.testing.assert_array_equal(found.terms, terms)
    assert abs(found.value - value) <= 1e-12 * magnitude
    assert found.kernel == float(computed[index])
    assert abs(found.kernel - found.value) <= BOUND[dtype] * max(magnitude, 1e-30)


def oracle(recorded: Recorded, grad: str) -> np.ndarray:
    """The whole gradient by the float64 reference."""
    (call,) = kept_of(recorded.layer).calls
    x, w, gy = (a.astype(np.float64) for a in (call.x, call.w, call.gy))
    if grad == "bias":
        return gy.sum(axis=(0, *range(2, gy.ndim)))
    if call.transposed:
        if grad == "weight":
            return reference.grad_weight(x, gy, call.spec)
        return reference.forward(gy, w, None, call.spec)
    if grad == "weight":
        return reference.grad_weight(gy, x, call.spec)
    return reference.grad_input(gy, w, call.spec)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("grad", GRADS)
@pytest.mark.parametrize("numbers", SEVERAL)
def test_the_sum_of_the_terms(numbers: range, grad: str, dtype: str) -> None:
    for number in numbers:
        recorded = draw(number, dtype)
        computed = gradient(recorded, grad)
        index = place_in(computed.shape, number)
        found = contributions(recorded.layer, grad, index)
        terms = looped(recorded, grad, index)
        value, magnitude = total(terms)
        assert sorted(found.terms) == pytest.approx(sorted(terms), abs=1e-15)
        assert abs(found.value - value) <= 1e-12 * magnitude
        assert abs(found.value - oracle(recorded, grad)[index]) <= 1e-12 * magnitude
        assert found.magnitude == pytest.approx(magnitude, rel=1e-14)
        assert found.kernel == float(computed[index])
        assert abs(found.kernel - found.value) <= 4 * BOUND[dtype] * max(magnitude, 1e-30)
        assert found.dtype == dtype


def test_the_worked_example_word_for_word() -> None:
    recorded = run(
        nn.Conv2d(1, 1, 3, stride=2), np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)
    )
    found = contributions(recorded.layer, "weight", (0, 0, 0, 0))
    assert found.shares[0].expression.text() == (
        "dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33"
    )
    gy = recorded.gy[0, 0].astype(float)
    np.testing.assert_array_equal(
        found.terms, [gy[0, 0] * 0, gy[0, 1] * 2, gy[1, 0] * 10, gy[1, 1] * 12]
    )
    assert found.name == "dL/dw11"
    other = contributions(recorded.layer, "input", (0, 0, 0, 2), notation="indices")
    assert other.name == "dL/dx[0,0,0,2]"
    assert other.places("w").tolist() == [[0, 0, 0, 2], [0, 0, 0, 0]]


def test_the_equation_is_that_of_derive() -> None:
    recorded = draw(4)
    found = contributions(recorded.layer, "weight", (0,) * recorded.layer.weight.ndim)
    y = recorded.layer(recorded.x)
    assert found.shares[0].expression.text() == derive(y).grad_weight[found.index].text()


def test_largest_and_groups() -> None:
    recorded = draw(2)
    found = contributions(recorded.layer, "weight", (0,) * recorded.layer.weight.ndim)
    order = found.largest(len(found.terms))
    sizes = np.abs(found.terms[order])
    assert (np.diff(sizes) <= 0).all()
    assert found.largest(3).tolist() == order[:3].tolist()
    images = found.places("gy")[:, 0]
    for n, added in enumerate(found.by_image):
        assert added == pytest.approx(found.terms[images == n].sum())
    assert found.by_channel[found.index[0]] == pytest.approx(found.value)
    assert np.count_nonzero(found.by_channel) == 1
    by_input = contributions(recorded.layer, "input", (1,) + (0,) * (recorded.x.ndim - 1))
    assert by_input.by_image[1] == pytest.approx(by_input.value)
    assert by_input.by_channel.sum() == pytest.approx(by_input.value)


# --- several calls --------------------------------------------------------------------------------


def twice() -> tuple[Any, pellucid.Tensor, pellucid.Tensor]:
    """A layer that was called on two inputs of different sizes."""
    pellucid.manual_seed(1)
    layer, rng = nn.Conv2d(2, 3, 3, padding=1), np.random.default_rng(5)
    first, second = (
        pellucid.tensor(rng.standard_normal((2, 2, k, k)).astype(np.float32), requires_grad=True)
        for k in (4, 5)
    )
    with record(layer):
        (layer(first).pow(2).sum() + layer(second).pow(2).sum()).backward()
    return layer, first, second


def test_all_calls_add_up() -> None:
    layer, *_ = twice()
    found = contributions(layer, "weight", (2, 1, 0, 2))
    assert found.kernel == float(layer.weight.grad[2, 1, 0, 2])
    assert np.bincount(found.calls).tolist() == [2 * 9, 2 * 16]
    parts = [contributions(layer, "weight", (2, 1, 0, 2), call=k) for k in (0, 1)]
    np.testing.assert_array_equal(found.terms, np.concatenate([part.terms for part in parts]))
    assert set(parts[1].calls) == {1}
    bias = contributions(layer, "bias", 1)
    assert bias.kernel == float(layer.bias.grad[1])
    assert bias.value == pytest.approx(bias.kernel, rel=1e-6)


def test_many_calls_are_added_in_the_order_of_the_backward_pass() -> None:
    pellucid.manual_seed(2)
    layer, x = nn.Conv2d(1, 4, 3, padding=1), pellucid.randn(2, 1, 5, 5)
    with record(layer):
        sum((layer(x * scale).pow(2).sum() for scale in (1, 3, 0.1, 7)), start=x.sum()).backward()
    for index in np.ndindex(layer.weight.shape):
        found = contributions(layer, "weight", index)
        assert found.kernel == float(layer.weight.grad[index])


def test_the_input_is_that_of_one_call() -> None:
    layer, first, second = twice()
    for k, x in enumerate((first, second)):
        found = contributions(layer, "input", (1, 0, 2, 3), call=k)
        assert found.kernel == float(x.grad[1, 0, 2, 3])
    with pytest.raises(ArgumentError) as refused:
        contributions(layer, "input", (1, 0, 2, 3))
    assert str(refused.value) == (
        "contributions: this Conv2d was called 2 times, and each call has an input of its own\n"
        "  fix: give call=0 .. 1, in the order of the forward pass"
    )


# --- mistakes -------------------------------------------------------------------------------------


def test_calls_that_are_not_there() -> None:
    layer, *_ = twice()
    with pytest.raises(ArgumentError) as refused:
        contributions(layer, "weight", (0, 0, 0, 0), call=2)
    assert str(refused.value) == (
        "contributions: there is no call 2: this Conv2d was called 2 times\n  fix: use call=0 .. 1"
    )
    with pytest.raises(ArgumentError) as refused:
        contributions(draw(0).layer, "weight", (0, 0, 0, 0), call=-1)
    assert str(refused.value).endswith("was called once\n  fix: use call=0, or leave it out")


def test_gradients_and_places_that_are_not_there() -> None:
    layer = run(nn.Conv2d(2, 3, 3, bias=False), np.ones((1, 2, 5, 5), np.float32)).layer
    with pytest.raises(ArgumentError) as refused:
        contributions(layer, "weights", (0, 0, 0, 0))  # type: ignore[arg-type]
    assert str(refused.value) == (
        "contributions: there is no gradient 'weights'\n  fix: use one of input, weight, bias"
    )
    with pytest.raises(ArgumentError) as refused:
        contributions(layer, "bias", 0)
    assert str(refused.value) == (
        "contributions: Conv2d(2, 3, kernel_size=(3, 3), stride=(1, 1), bias=False) has no bias\n"
        "  fix: use weight or input"
    )
    with pytest.raises(IndexingError, match="u=3 is not from 0 to 2"):
        contributions(layer, "weight", (0, 0, 3, 0))
    with pytest.raises(IndexingError, match="1 index for the 4 axes of grad_weight"):
        contributions(layer, "weight", 0)
    with pytest.raises(ArgumentError) as refused:
        contributions(layer, "weight", (0, 0, 0, 0)).places("w")
    assert str(refused.value) == (
        "places: the terms of dL/dw1111 have no factor from 'w'\n  fix: use one of gy, x"
    )


def test_another_border_has_no_gradient_by_the_input() -> None:
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")
    layer = run(layer, np.random.default_rng(0).standard_normal((1, 1, 5, 5), np.float32)).layer
    found = contributions(layer, "weight", (0, 0, 1, 1))
    assert found.kernel == float(layer.weight.grad[0, 0, 1, 1])
    with pytest.raises(UnsupportedError, match=r"is made by ops\.pad, before the convolution"):
        contributions(layer, "input", (0, 0, 1, 1))


def test_an_element_that_no_window_covers_has_no_terms() -> None:
    layer = run(nn.Conv2d(1, 1, 3, stride=2), np.ones((1, 1, 6, 6), np.float32)).layer
    found = contributions(layer, "input", (0, 0, 0, 5))
    assert (found.value, found.kernel, found.terms.size) == (0.0, 0.0, 0)
    assert found.why is not None
    assert found.why.reason == "leftover"
    assert "column 6 lies behind the last window" in str(found)
    assert "<svg" in found._repr_html_()


# --- real sizes -----------------------------------------------------------------------------------


def within(seconds: float, act: Callable[[], object]) -> None:
    """Hold the best of three runs to a time."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    assert min(times) < seconds


def test_half_a_million_terms_take_no_loop() -> None:
    x = np.random.default_rng(0).standard_normal((10, 2, 224, 224), np.float32)
    layer = run(CONV[2](2, 2, 3, padding=1), x).layer

    def look() -> None:
        found = contributions(layer, "weight", (1, 1, 0, 0))
        assert found.terms.size == 10 * 223 * 223
        assert abs(found.value - found.kernel) <= 5e-7 * found.magnitude
        assert len(found.table(10).splitlines()) < 30
        assert len(found.svg()) < 300_000

    within(3.0, look)
