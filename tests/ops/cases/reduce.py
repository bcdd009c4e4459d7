"""Reductions, against NumPy's own in float64."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, ShapeError

X = Input((3, 4, 2))
DISTINCT = Input((3, 4, 2), distinct=True)
DIGITS = Input((4, 5), low=0, high=3, kind="index")
BATCHED = Input((3, 4, 2), distinct=True, batched=True)

# Options of a reduction: all axes, one, several, with the axis kept.
WAYS = [{}, {"dim": 1}, {"dim": (0, -1)}, {"dim": -1, "keepdim": True}, {"dim": ()}]


def along(function, **fixed):
    """NumPy's reduction with PyTorch's names for its options."""

    def reference(x, dim=None, keepdim=False, **options):
        return function(x, axis=dim, keepdims=keepdim, **fixed, **options)

    return reference


def reduction(op, reference, x=X, ways=WAYS, **options):
    return [Case(op, (x,), reference, way, note=f"{way}", **options) for way in ways]


def var_reference(x, dim=None, correction=1, keepdim=False):
    return np.var(x, axis=dim, ddof=correction, keepdims=keepdim)


def std_reference(x, dim=None, correction=1, keepdim=False):
    return np.std(x, axis=dim, ddof=correction, keepdims=keepdim)


def logsumexp_reference(x, dim=None, keepdim=False):
    return np.log(np.sum(np.exp(x), axis=dim, keepdims=keepdim))


def values_indices(value, index):
    """NumPy's two functions as PyTorch's one."""

    def reference(x, dim=None, keepdim=False):
        if dim is None:
            return value(x, axis=None, keepdims=keepdim)
        return value(x, axis=dim, keepdims=keepdim), index(x, axis=dim, keepdims=keepdim)

    return reference


ONE_AXIS = [{}, {"dim": 1}, {"dim": -1, "keepdim": True}]
SPREAD = [{}, {"dim": 1}, {"dim": (0, -1), "keepdim": True}, {"dim": 0, "correction": 0}]

CASES = [
    *reduction(ops.sum, along(np.sum)),
    *reduction(ops.mean, along(np.mean)),
    *reduction(ops.amax, along(np.max), DISTINCT),
    *reduction(ops.amin, along(np.min), DISTINCT),
    *reduction(ops.logsumexp, logsumexp_reference),
    *reduction(ops.var, var_reference, ways=SPREAD),
    *reduction(ops.std, std_reference, ways=SPREAD),
    *reduction(ops.max, values_indices(np.max, np.argmax), DISTINCT, ONE_AXIS),
    *reduction(ops.min, values_indices(np.min, np.argmin), DISTINCT, ONE_AXIS),
    *reduction(ops.argmax, along(np.argmax), DIGITS, ONE_AXIS, gradient=False),
    *reduction(ops.argmin, along(np.argmin), DIGITS, ONE_AXIS, gradient=False),
    *reduction(ops.any, along(np.any), DIGITS, WAYS[:4], gradient=False),
    *reduction(ops.all, along(np.all), DIGITS, WAYS[:4], gradient=False),
    Case(ops.sum, (BATCHED,), along(np.sum), {"dim": 0}, note="batched"),
    Case(ops.logsumexp, (BATCHED,), logsumexp_reference, {"dim": 1}, note="batched"),
    Case(ops.max, (BATCHED,), values_indices(np.max, np.argmax), {"dim": 1}, note="batched"),
    Case(ops.sum, (Input(()),), along(np.sum), note="0-d"),
    Case(ops.sum, (DIGITS,), along(np.sum), {"dim": 0}, note="integers", gradient=False),
    Case(ops.sum, (Input((3, 4), kind="bool"),), along(np.sum), note="bools", gradient=False),
]

x = pellucid.zeros(3, 4)
ERRORS = [
    ErrorCase(
        "sum-dim",
        lambda: x.sum(2),
        ShapeError,
        "sum: dim=2 is not an axis of a tensor with 2 axes\n  fix: use a dim from -2 to 1",
    ),
    ErrorCase(
        "mean-dim-twice",
        lambda: x.mean((0, -2)),
        ShapeError,
        "mean: dim=(0, -2) names an axis twice\n  fix: name each axis once",
    ),
    ErrorCase(
        "amax-empty",
        lambda: pellucid.zeros(3, 0).amax(1),
        ShapeError,
        "amax: there is no element along dim=(1,) of a tensor of shape (3, 0)\n"
        "  fix: reduce along axes of at least one element",
    ),
    ErrorCase(
        "argmin-empty",
        lambda: pellucid.zeros(0).argmin(),
        ShapeError,
        "argmin: there is no element along dim=(0,) of a tensor of shape (0,)\n"
        "  fix: reduce along axes of at least one element",
    ),
    ErrorCase(
        "var-few",
        lambda: pellucid.zeros(0).var(),
        ArgumentError,
        "var: 0 elements are fewer than correction=1\n  fix: use correction=0",
    ),
]
