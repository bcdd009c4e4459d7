"""Small random convolutions of all kinds, and arrays of small integers, so that sums are exact."""

from __future__ import annotations

import random
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.kernels.conv import ConvSpec


def draw(number: int, largest: int = 6, seed: int = 0) -> ConvSpec:
    """Return a convolution that depends on the seed and the number alone.

    It has 1 to 3 axes, any stride, dilation, groups, unequal and negative padding.
    """
    rng = random.Random(f"explain {seed} {number}")
    while True:
        axes = rng.choice([1, 1, 2, 2, 2, 3])
        per_axis = range(axes)
        groups = rng.choice([1, 1, 1, 2, 3])
        try:
            return ConvSpec(
                batch=rng.choice([1, 1, 2, 0] if rng.random() < 0.1 else [1, 1, 2]),
                in_channels=groups * rng.choice([1, 1, 2]),
                in_size=tuple(rng.randint(1, largest - (axes == 3)) for _ in per_axis),
                out_channels=groups * rng.choice([1, 1, 2]),
                kernel=tuple(rng.randint(1, 4 - (axes == 3)) for _ in per_axis),
                stride=tuple(rng.randint(1, 4) for _ in per_axis),
                padding=tuple((rng.randint(-1, 2), rng.randint(-1, 3)) for _ in per_axis),
                dilation=tuple(rng.choice([1, 1, 2, 3]) for _ in per_axis),
                groups=groups,
            )
        except ShapeError:
            continue  # no window fits


def blocks(count: int, size: int, slow: int) -> list[Any]:
    """Return the numbers of random specs in blocks: one for everyone, `slow` for CI, then full."""
    marks = [(), *[pytest.mark.slow] * slow]
    return [
        pytest.param(range(first, first + size), id=f"{first}..", marks=mark)
        for first, mark in zip_longest(range(0, count, size), marks, fillvalue=pytest.mark.full)
    ]


def integers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return small integers as float64."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float64)
