"""The terms of one call: each is the product of the numbers at its places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from explain.network.layers import draw, place_in

from pellucid.explain.network.call import GRADS
from pellucid.explain.network.record import kept_of
from pellucid.explain.network.terms import Terms, terms_of


def drawn(number: int, grad: str) -> Terms:
    layer, x, _ = draw(number)
    shape = {"input": x.shape, "weight": layer.weight.shape, "bias": layer.bias.shape}[grad]
    return terms_of(kept_of(layer).calls[0], 0, grad, place_in(shape, number), "indices")


@pytest.mark.parametrize("grad", GRADS)
@pytest.mark.parametrize("number", range(10))
def test_places_numbers_and_names_agree(number: int, grad: str) -> None:
    terms = drawn(number, grad)
    keys = terms.total.needs()
    product = np.ones(len(terms.values))
    for key in keys:
        product *= terms.arrays[key][tuple(terms.places(key).T)].astype(np.float64)
    np.testing.assert_array_equal(terms.values, product)
    for k, term in enumerate(list(terms.expression.terms)[:5]):
        assert terms.values[k] == math.prod(terms.numbers(k))
        for key, factor in zip(keys, term.factors, strict=True):
            assert factor.key == key
            assert factor.index == tuple(terms.places(key)[k])
            assert factor.text().endswith(f"[{','.join(map(str, terms.places(key)[k]))}]")


@pytest.mark.parametrize("grad", GRADS)
@pytest.mark.parametrize("number", range(10))
def test_the_heat_map_has_each_term_at_its_pixel(number: int, grad: str) -> None:
    terms = drawn(number, grad)
    key = "x" if grad == "weight" else "gy"
    expected = np.zeros_like(terms.arrays[key], dtype=np.float64)
    for value, place in zip(terms.values, terms.places(key), strict=True):
        expected[tuple(place)] += value
    # (N, C, ...) -> (N, ...), or of the one image (C, ...)
    expected = expected.sum(axis=0 if grad == "input" else 1)
    np.testing.assert_allclose(terms.heat(), expected, atol=1e-14)


def test_there_is_a_factor_only_of_what_is_multiplied() -> None:
    assert drawn(0, "bias").factor("x") is None
    assert drawn(0, "weight").factor("w") is None
