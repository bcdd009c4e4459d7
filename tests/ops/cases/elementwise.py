"""Arithmetic on elements, against NumPy's own in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError

X = Input((3, 4), batched=True)
DISTINCT = Input((3, 4), distinct=True, batched=True)
POSITIVE = Input((3, 4), low=0.3, high=3.0, batched=True)
AWAY = Input((3, 4), away=(0.0,), batched=True)
ROW, COLUMN, NUMBER = Input((4,)), Input((3, 1)), Input(())
DIVISOR = Input((4,), low=0.5, high=2.0)
BETWEEN_STEPS = Input((3, 4), away=(-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0), batched=True)


def binary(op, reference, b=ROW, a=X):
    column, same = replace(a, shape=(3, 1), batched=False), replace(b, shape=(3, 4), batched=True)
    return [
        Case(op, (a, same), reference, note="same-shape"),
        Case(op, (a, b), reference, note="row"),
        Case(op, (column, b), reference, note="column-and-row"),
    ]


def scalar(op, value, left=False):
    """An op with a Python number on one side."""

    def call(x):
        return op(value, x) if left else op(x, value)

    call.__name__ = op.__name__
    return call


def ones_reference(x):
    return x**0


def clip_reference(x, min=None, max=None):
    return np.clip(x, min, max)


CASES = [
    *binary(ops.add, np.add),
    *binary(ops.sub, np.subtract),
    *binary(ops.mul, np.multiply),
    *binary(ops.div, np.divide, b=DIVISOR),
    *binary(ops.pow, np.power, b=DIVISOR, a=POSITIVE),
    *binary(ops.remainder, np.remainder, b=Input((4,), low=4.5, high=6.0), a=AWAY),
    Case(ops.add, (X, NUMBER), np.add, note="0-d"),
    Case(ops.mul, (Input((2, 0, 3)), Input((3,))), np.multiply, note="no-elements"),
    Case(scalar(ops.sub, 1.5, left=True), (X,), lambda x: 1.5 - x, note="number-first"),
    Case(scalar(ops.div, 2), (X,), lambda x: x / 2, note="integer"),
    Case(scalar(ops.pow, 3), (AWAY,), lambda x: x**3, note="negative-base"),
    Case(scalar(ops.pow, 0), (X,), ones_reference, note="zeroth"),
    Case(
        ops.pow, (AWAY, Input((4,), low=0, high=4, kind="index")), np.power, note="integer-powers"
    ),
    Case(ops.maximum, (DISTINCT, Input((4,), away=(0.0,))), np.maximum),
    Case(ops.minimum, (DISTINCT, Input((4,), away=(0.0,))), np.minimum),
    Case(ops.neg, (X,), np.negative),
    Case(ops.abs, (AWAY,), np.abs),
    Case(ops.exp, (X,), np.exp),
    Case(ops.log, (POSITIVE,), np.log),
    Case(ops.sqrt, (POSITIVE,), np.sqrt),
    Case(ops.sin, (X,), np.sin),
    Case(ops.cos, (X,), np.cos),
    Case(ops.exp, (NUMBER,), np.exp, note="0-d"),
    Case(ops.sign, (AWAY,), np.sign),
    Case(ops.floor, (BETWEEN_STEPS,), np.floor),
    Case(ops.ceil, (BETWEEN_STEPS,), np.ceil),
    Case(ops.round, (BETWEEN_STEPS,), np.round),
    Case(ops.where, (Input((3, 4), kind="bool", batched=True), X, ROW), np.where),
    Case(ops.where, (Input((4,), kind="bool"), COLUMN, NUMBER), np.where, note="broadcast"),
    Case(ops.clip, (Input((3, 4), away=(-1.0, 0.5)),), clip_reference, {"min": -1.0, "max": 0.5}),
    Case(ops.clip, (Input((3, 4), away=(0.5,)),), clip_reference, {"max": 0.5}, note="max-only"),
]

a, b = pellucid.zeros(2, 3), pellucid.zeros(2, 4)
ERRORS = [
    ErrorCase(
        "add-shapes",
        lambda: a + b,
        ShapeError,
        "add: shapes (2, 3) and (2, 4) do not broadcast: from the right, sizes must be equal or 1\n"
        "  fix: reshape or unsqueeze one of them",
    ),
    ErrorCase(
        "mul-operand",
        lambda: a * "2",
        DTypeError,
        "mul: an operand is a str, neither tensor, array nor number\n"
        "  fix: make a tensor of it with pellucid.tensor",
    ),
    ErrorCase(
        "add-overflow",
        lambda: pellucid.zeros(2, dtype="int8") + 1000,
        DTypeError,
        "add: 1000 does not fit into int8\n  fix: cast the tensor to a wider dtype",
    ),
    ErrorCase(
        "sub-bool",
        lambda: (a > 0) - (a > 1),
        DTypeError,
        "sub: bool has no difference\n  fix: use ^, or cast to an integer",
    ),
    ErrorCase(
        "pow-integer",
        lambda: pellucid.tensor([2, 3]) ** -1,
        DTypeError,
        "pow: integers have no negative powers\n  fix: cast to float32 first",
    ),
    ErrorCase(
        "where-condition",
        lambda: ops.where(a, a, a),
        DTypeError,
        "where: the condition is float32, not bool\n  fix: compare, as in x > 0",
    ),
    ErrorCase(
        "where-shapes",
        lambda: ops.where(b > 0, a, 0.0),
        ShapeError,
        "where: shapes (2, 4) and (2, 3) and () do not broadcast: from the right, sizes must be "
        "equal or 1\n"
        "  fix: reshape or unsqueeze one of them",
    ),
    ErrorCase(
        "remainder-by-zero",
        lambda: pellucid.tensor([1, 2]) % pellucid.tensor([1, 0]),
        ArgumentError,
        "remainder: int64 is divided by zero\n  fix: divide floats, which have inf and NaN",
    ),
]
