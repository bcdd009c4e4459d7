"""Dropout, against a mask drawn here from the same key."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError

X = Input((4, 3, 5), batched=True)
SEED = 3


def dropout(x, p=0.5):
    """Dropout as the first draw after the seed is set, so that each call draws the same."""
    pellucid.manual_seed(SEED)
    return ops.dropout(x, p)


def dropout_reference(x, p=0.5):
    philox = np.random.Philox(key=np.array([SEED, 0], np.uint64))
    kept = np.random.Generator(philox).random(x.shape, np.float32) >= p
    return np.where(kept, x / (1 - p), 0) if p < 1 else 0 * x


def identity(x, p, training):
    return x


CASES = [
    Case(dropout, (X,), dropout_reference),
    Case(dropout, (X,), dropout_reference, {"p": 0.2}, note="p=0.2"),
    Case(dropout, (X,), dropout_reference, {"p": 1.0}, note="p=1"),
    Case(ops.dropout, (X,), identity, {"p": 0.0, "training": True}, note="p=0"),
    Case(ops.dropout, (X,), identity, {"p": 0.5, "training": False}, note="evaluation"),
]

x = pellucid.zeros(2, 3)
ERRORS = [
    ErrorCase(
        "dropout-p",
        lambda: ops.dropout(x, 1.5),
        ArgumentError,
        "dropout: p=1.5 is no probability\n  fix: use 0 <= p <= 1",
    ),
    ErrorCase(
        "dropout-integers",
        lambda: ops.dropout(x.long()),
        DTypeError,
        "dropout: x is int64, and the result is no integer\n  fix: cast it, as in x.float()",
    ),
]
