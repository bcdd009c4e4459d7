"""The form of the tables: sample inputs and error inputs of every op, one file per family.

`tests/ops/test_cases.py` makes the generic tests from them. A table lists `CASES` and `ERRORS`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Input:
    """How one input is drawn.

    `kind` is float, index (int64 in low .. high - 1) or bool. `distinct` values have no ties, and
    values stay 0.05 away from the points in `away`. `batched`: the first axis is the batch, which
    may be of size zero. `grad=False` keeps gradients out.
    """

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    kind: str = "float"
    distinct: bool = False
    away: tuple[float, ...] = ()
    batched: bool = False
    grad: bool = True

    def draw(self, seed: int, dtype: Any = np.float64, empty: bool = False) -> np.ndarray:
        rng = np.random.default_rng([seed, 17])
        shape = (0, *self.shape[1:]) if empty and self.batched else self.shape
        if self.kind == "index":
            return rng.integers(int(self.low), int(self.high), shape)
        if self.kind == "bool":
            return rng.random(shape) < 0.5
        size = int(np.prod(shape))
        if self.distinct:
            x = rng.permutation(np.linspace(self.low, self.high, max(size, 1))[:size])
            x = x.reshape(shape)
        else:
            x = rng.uniform(self.low, self.high, shape)
        for point in self.away:
            near = np.abs(x - point) < 0.05
            x = np.where(near, point + np.where(x < point, -0.05, 0.05), x)
        return np.asarray(x, dtype)


@dataclass(frozen=True)
class Case:
    """One op on one set of inputs, and what NumPy says it is.

    `op` gets tensors and `options`; `reference` gets the same as float64 arrays. Several outputs
    are tuples on both sides. `gradient` and `second` say whether the two orders are checked.
    """

    op: Callable[..., Any]
    inputs: tuple[Input, ...]
    reference: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""  # tells cases of one op apart
    gradient: bool = True
    second: bool = True
    float32: float = 2e-6  # allowed error in float32, relative to the largest output

    @property
    def name(self) -> str:
        return f"{self.op.__name__}-{self.note}" if self.note else self.op.__name__


@dataclass(frozen=True)
class ErrorCase:
    """A call that a user may get wrong, and what it must say, word for word."""

    name: str
    call: Callable[[], object]
    error: type[Exception]
    message: str


def _tables(attribute: str) -> list[Any]:
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found: list[Any] = []
    for name in modules:
        found += getattr(importlib.import_module(f"{__name__}.{name}"), attribute)
    return found


def all_cases() -> list[Case]:
    return _tables("CASES")


def all_errors() -> list[ErrorCase]:
    return _tables("ERRORS")
