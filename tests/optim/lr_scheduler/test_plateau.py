import math

import pytest

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import SGD
from pellucid.optim.lr_scheduler import ReduceLROnPlateau


def run(metrics, **options):
    scheduler = ReduceLROnPlateau(SGD([pellucid.zeros(1)], lr=1.0), **options)
    rates = []
    for metric in metrics:
        scheduler.step(metric)
        rates += scheduler.get_last_lr()
    return rates


def test_patience_and_cooldown():
    rates = run([1.0] * 9, factor=0.5, patience=1, cooldown=2)
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_threshold_is_a_share_or_an_amount():
    falling = [1.0, 0.95, 0.9, 0.85]
    assert run(falling, factor=0.5, patience=0, threshold=0.01) == [1, 1, 1, 1]
    assert run(falling, factor=0.5, patience=0, threshold=0.1) == [1, 0.5, 0.25, 0.25]
    options = {"factor": 0.5, "patience": 0, "threshold_mode": "abs"}
    assert run(falling, threshold=0.04, **options) == [1, 1, 1, 1]
    assert run(falling, threshold=0.07, **options) == [1, 0.5, 0.5, 0.25]


def test_more_can_be_better():
    rising = [0.1, 0.2, 0.2, 0.3, -1.0]
    assert run(rising, mode="max", factor=0.5, patience=0) == [1, 1, 0.5, 0.5, 0.25]
    options = {"mode": "max", "threshold_mode": "abs", "threshold": 0.15}
    assert run(rising, factor=0.5, patience=0, **options) == [1, 0.5, 0.25, 0.25, 0.125]


def test_the_rate_stays_above_its_minimum_and_small_changes_are_left_out():
    assert run([1.0] * 4, factor=0.1, patience=0, min_lr=0.05) == [1, 0.1, 0.05, 0.05]
    assert run([1.0] * 3, factor=0.5, patience=0, eps=0.4) == [1, 0.5, 0.5]


def test_nan_is_never_better_and_a_tensor_is_a_number():
    metrics = [math.nan, math.nan, pellucid.tensor(0.5), 0.4]
    assert run(metrics, factor=0.5, patience=0) == [0.5, 0.25, 0.25, 0.25]


NAME = "ReduceLROnPlateau"
WRONG = [
    ({"mode": "least"}, "mode='least' is neither 'min' nor 'max'\n  fix: use one of them"),
    (
        {"threshold_mode": "share"},
        "threshold_mode='share' is neither 'rel' nor 'abs'\n  fix: use one of them",
    ),
    (
        {"factor": 1.0},
        "factor=1.0 is no number with 0 <= factor < 1\n  fix: use a number in that range",
    ),
    ({"patience": -1}, "patience=-1 is no whole number >= 0\n  fix: use patience=10"),
    ({"cooldown": 0.5}, "cooldown=0.5 is no whole number >= 0\n  fix: use cooldown=10"),
    (
        {"threshold": -1},
        "threshold=-1 is no number with 0 <= threshold < inf\n  fix: use a number in that range",
    ),
    (
        {"min_lr": [0.1, 0.2]},
        "min_lr has 2 entries for 1 param groups\n  fix: give one for each group, or one for all",
    ),
    ({"eps": -1}, "eps=-1 is no number with 0 <= eps < inf\n  fix: use a number in that range"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=str)
def test_wrong_options(options, message):
    with pytest.raises(ArgumentError) as caught:
        run([], **options)
    assert str(caught.value) == f"{NAME}: {message}"
