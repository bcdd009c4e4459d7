"""Comparisons and logic, against NumPy's own. Half of the pairs are equal or zero."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, ShapeError

DIGITS = Input((6, 5), low=0, high=3, kind="index", batched=True)
ROW = Input((5,), low=0, high=3, kind="index")


def with_nan(op):
    """The op on x with a NaN and an infinity in it."""

    def call(x):
        special = pellucid.tensor([float("nan"), float("inf"), -float("inf"), 0.0])
        return op(pellucid.cat([x, special.to(x.dtype)]))

    call.__name__ = op.__name__
    return call


def case(op, reference, inputs=(DIGITS, ROW), note=""):
    return Case(op, inputs, reference, note=note, gradient=False)


CASES = [
    case(ops.eq, np.equal),
    case(ops.ne, np.not_equal),
    case(ops.lt, np.less),
    case(ops.le, np.less_equal),
    case(ops.gt, np.greater),
    case(ops.ge, np.greater_equal),
    case(ops.logical_and, np.logical_and),
    case(ops.logical_or, np.logical_or),
    case(ops.logical_xor, np.logical_xor),
    case(ops.logical_not, np.logical_not, (DIGITS,)),
    case(ops.lt, np.less, (Input((3, 4)), Input((3, 1))), note="floats"),
    case(
        with_nan(ops.isnan), lambda x: np.append(np.isnan(x), [1, 0, 0, 0]).astype(bool),
        (Input((3,)),),
    ),
    case(
        with_nan(ops.isfinite), lambda x: np.append(np.isfinite(x), [0, 0, 0, 1]).astype(bool),
        (Input((3,)),),
    ),
    case(
        ops.floor_divide, np.floor_divide,
        (Input((3, 4), low=-9, high=9), Input((4,), low=1, high=3)), note="floats",
    ),
    case(
        ops.floor_divide, np.floor_divide,
        (Input((3, 4), low=-9, high=9, kind="index"), Input((4,), low=1, high=5, kind="index")),
        note="integers",
    ),
]  # fmt: skip

ERRORS = [
    ErrorCase(
        "lt-shapes",
        lambda: pellucid.zeros(2, 3) < pellucid.zeros(2),
        ShapeError,
        "lt: shapes (2, 3) and (2,) do not broadcast: from the right, sizes must be equal or 1\n"
        "  fix: reshape or unsqueeze one of them",
    ),
    ErrorCase(
        "floor-divide-by-zero",
        lambda: pellucid.tensor([1, 2]) // 0,
        ArgumentError,
        "floor_divide: int64 is divided by zero\n  fix: divide floats, which have inf and NaN",
    ),
]
