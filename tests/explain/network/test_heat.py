"""The heat map: which images it shows, and that each term is at its pixel."""

from __future__ import annotations

import numpy as np
import pytest
from explain.network.layers import draw, draw_linear, run
from explain.network.test_svg import painted

import pellucid
from pellucid import nn
from pellucid.explain import Contributions, contributions, record
from pellucid.explain.network.call import GRADS
from pellucid.explain.network.heat import _Columns, _pooled, heat_map
from pellucid.explain.network.svg import Column


def columns(found: Contributions) -> list[Column]:
    return list(_Columns(found, "en"))


def digits(count: int = 5, size: int = 8) -> nn.Conv2d:
    x = np.random.default_rng(0).random((count, 2, size, size), np.float32)
    return run(nn.Conv2d(2, 3, 3, padding=1), x).layer


def test_the_sum_comes_first_and_then_the_images_that_add_most() -> None:
    found = contributions(digits(), "weight", (1, 1, 0, 0))
    shown = columns(found)
    sizes = found.grouped(0, np.abs(found.terms))
    first = [int(n) + 1 for n in np.argsort(-sizes)[:3]]
    assert [c.label for c in shown] == ["all 5 images", *(f"image {n}" for n in first)]
    heat = found.shares[0].heat()
    np.testing.assert_allclose(shown[0].below.cells, heat.sum(axis=0))
    for n, column in zip(first, shown[1:], strict=True):
        np.testing.assert_array_equal(column.below.cells, heat[n - 1])
        assert float(column.value) == pytest.approx(found.by_image[n - 1], rel=1e-3)
        x = found.shares[0].arrays["x"][n - 1, 1]
        np.testing.assert_allclose(column.above.cells, x / found.shares[0].arrays["x"][:, 1].max())
    assert len({column.below.limit for column in shown[1:]}) == 1
    last = painted(found.svg(), (8, 8))
    np.testing.assert_allclose(last, shown[-1].below.cells / shown[-1].below.limit, atol=0.05)


def test_one_image_is_its_own_sum() -> None:
    found = contributions(digits(1), "bias", 2)
    (column,) = columns(found)
    assert column.label == "image 1"
    np.testing.assert_array_equal(column.below.cells, found.shares[0].arrays["gy"][0, 2])
    assert column.above.caption == "x"
    assert column.below.caption == "terms, in dL/do"


def test_a_gradient_by_the_input_shows_channels_and_marks_its_pixel() -> None:
    found = contributions(digits(2), "input", (1, 0, 2, 7))
    shown = columns(found)
    assert shown[0].label == "all 3 channels"
    assert shown[0].above.mark == (2, 7)
    assert shown[0].below.cells.shape == (3, 2)  # the windows that hold it
    assert shown[0].below.cells.sum() == pytest.approx(found.value)
    assert sorted(c.label for c in shown[1:]) == ["channel 1", "channel 2", "channel 3"]
    assert shown[1].above.caption == "dL/do"


def test_calls_of_different_sizes_have_no_sum() -> None:
    layer = nn.Conv2d(1, 1, 3)
    with record(layer):
        (layer(pellucid.ones(1, 1, 4, 4)).sum() + layer(pellucid.ones(1, 1, 6, 6)).sum()).backward()
    found = contributions(layer, "weight", (0, 0, 1, 1))
    assert [c.label for c in columns(found)] == ["image 1, call 2", "image 1, call 1"]
    assert found.svg().count("<g ") == 4


def test_a_linear_has_a_cell_for_each_term() -> None:
    layer = draw_linear(1).layer
    for grad, label in (("weight", "images"), ("input", "outputs"), ("bias", "images")):
        found = contributions(layer, grad, (0,) if grad == "bias" else (0, 0))
        (column,) = columns(found)
        count = len(found.terms)
        assert column.label == f"all {count} {label}"
        cells = column.below.cells.reshape(-1)
        np.testing.assert_array_equal(cells[:count], found.terms)
        assert not cells[count:].any()
        assert column.above.cells.shape == column.below.cells.shape
        assert "Each cell is one term, row by row." in found.svg()
    weight = contributions(layer, "weight", (0, 0))
    x = weight.shares[0].arrays["x"][:, 0]
    np.testing.assert_array_equal(columns(weight)[0].above.cells.reshape(-1)[: len(x)], x)


@pytest.mark.parametrize("grad", GRADS)
@pytest.mark.parametrize("number", range(8))
def test_every_kind_of_layer_has_one(number: int, grad: str) -> None:
    recorded = draw(number)
    axes = recorded.layer.weight.ndim if grad == "weight" else recorded.x.ndim
    found = contributions(recorded.layer, grad, (0,) * (1 if grad == "bias" else axes))
    for lang in ("en", "ko"):
        assert heat_map(found, lang).startswith("<svg ")
    whole = columns(found)[0]
    assert whole.below.cells.sum() == pytest.approx(found.value, abs=1e-6)
    assert ("Summed over the first axis." in found.svg()) == (recorded.x.ndim == 5)


def test_large_images_are_merged_into_squares() -> None:
    found = contributions(digits(1, 130), "weight", (0, 0, 1, 1))
    (column,) = columns(found)
    assert column.below.cells.shape == (44, 44)
    assert column.below.cells.sum() == pytest.approx(found.value)
    assert "Each square is 3x3 pixels." in found.svg()
    cells, side = _pooled(np.arange(65.0)[None], np.sum)
    assert (side, cells.shape, cells[0, -1]) == (2, (1, 33), 64.0)


def test_nothing_at_all() -> None:
    layer = run(nn.Conv2d(1, 1, 3), np.zeros((0, 1, 5, 5), np.float32)).layer
    assert "dL/dw11" in contributions(layer, "weight", (0, 0, 0, 0)).svg()
    layer = run(nn.Conv2d(1, 1, 3, stride=2, padding=1), np.ones((2, 1, 1, 1), np.float32)).layer
    found = contributions(layer, "weight", (0, 0, 0, 0))
    assert str(found) == "dL/dw11 = 0\n  it meets nothing but padding"
    assert "all 2 images" in found.svg()
