from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from benchmarks.bootstrap import geometric_mean, ratio_of_medians


def test_the_ratio_is_that_of_medians_and_above_1_where_we_are_faster() -> None:
    ratio = ratio_of_medians(theirs=[4, 4, 400], ours=[1, 2, 2])
    assert ratio.value == 2
    assert ratio.low <= ratio.value <= ratio.high


def test_what_slows_both_sides_in_a_turn_does_not_widen_the_interval() -> None:
    ours = np.linspace(1, 5, 15)
    ratio = ratio_of_medians(theirs=2 * ours, ours=ours)
    assert (ratio.low, ratio.value, ratio.high, ratio.width) == (2, 2, 2, 0)


def test_the_interval_holds_the_truth_about_19_times_of_20() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        ours, theirs = rng.lognormal(0, 0.1, (2, 25))
        ratio = ratio_of_medians(2 * theirs, ours)
        held += ratio.low <= 2 <= ratio.high
    assert 0.90 <= held / 300 <= 0.99


def test_geometric_mean() -> None:
    assert geometric_mean([1, 4]) == pytest.approx(2)
    assert geometric_mean([1, 16], weights=[3, 1]) == pytest.approx(2)
    assert isnan(geometric_mean([]))
