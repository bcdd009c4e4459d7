"""Medians, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Ratio:
    """How many times as long PyTorch takes: the estimate, and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """The whole interval, as a part of the estimate."""
        return (self.high - self.low) / self.value


def ratio_of_medians(theirs: Iterable[float], ours: Iterable[float]) -> Ratio:
    """Return median(theirs) / median(ours), with its percentile bootstrap interval.

    The two come in pairs, one for each turn, and pairs are drawn together: what slows the machine
    for a while slows both.
    """
    pairs = np.array([list(theirs), list(ours)])
    count = pairs.shape[1]
    drawn = np.random.default_rng(0).integers(count, size=(RESAMPLES, count))
    # (2, turns) -> (2, resamples, turns) -> (2, resamples)
    top, bottom = np.median(pairs[:, drawn], axis=-1)
    low, high = np.percentile(top / bottom, [2.5, 97.5])
    value, below = np.median(pairs, axis=-1)
    return Ratio(float(value / below), float(low), float(high))


def geometric_mean(numbers: Iterable[float], weights: Iterable[float] | None = None) -> float:
    """Return exp of the (weighted) mean of the logarithms; nan of nothing."""
    logs = np.log(list(numbers))
    if not logs.size:
        return float("nan")
    return float(np.exp(np.average(logs, weights=None if weights is None else list(weights))))
