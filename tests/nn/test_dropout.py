"""Dropout: random in training, absent in evaluation."""

import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError


def test_training_drops_the_share_and_scales_the_rest():
    pellucid.manual_seed(0)
    y = nn.Dropout(0.25)(pellucid.ones(10_000)).array
    assert set(y.tolist()) == {0.0, pellucid.tensor(4 / 3).item()}
    assert abs((y == 0).mean() - 0.25) < 5 * (0.25 * 0.75 / 10_000) ** 0.5


def test_evaluation_is_the_identity():
    x = pellucid.ones(100)
    assert nn.Dropout(0.9).eval()(x) is x


def test_a_share_that_is_none():
    with pytest.raises(ArgumentError) as caught:
        nn.Dropout(1.5)
    assert str(caught.value) == "Dropout: p=1.5 is no probability\n  fix: use 0 <= p <= 1"
