"""Activations, against their textbook formulas with the math module's erf."""

from __future__ import annotations

import math

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError

X = Input((3, 4), batched=True)
WIDE = Input((4, 5), low=-9.0, high=9.0, away=(0.0, 6.0), batched=True)
STACK = Input((2, 3, 4), batched=True)

erf = np.vectorize(math.erf, otypes=[float])


def leaky_relu_reference(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope * x)


def elu_reference(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def softplus_reference(x, beta=1.0):
    return np.log(1 + np.exp(beta * x)) / beta


def sigmoid_reference(x):
    return 1 / (1 + np.exp(-x))


def silu_reference(x):
    return x / (1 + np.exp(-x))


def gelu_reference(x, approximate="none"):
    if approximate == "tanh":
        return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    return x * (1 + erf(x / math.sqrt(2))) / 2


def softmax_reference(x, dim):
    return np.exp(x) / np.exp(x).sum(axis=dim, keepdims=True)


def log_softmax_reference(x, dim):
    return np.log(softmax_reference(x, dim))


CASES = [
    Case(ops.relu, (WIDE,), lambda x: x * (x > 0)),
    Case(ops.relu6, (WIDE,), lambda x: np.clip(x, 0, 6)),
    Case(ops.leaky_relu, (WIDE,), leaky_relu_reference),
    Case(ops.leaky_relu, (WIDE,), leaky_relu_reference, {"negative_slope": 0.3}, note="slope"),
    Case(ops.elu, (WIDE,), elu_reference),
    Case(ops.elu, (WIDE,), elu_reference, {"alpha": 0.5}, note="alpha"),
    Case(ops.sigmoid, (WIDE,), sigmoid_reference),
    Case(ops.tanh, (X,), np.tanh),
    Case(ops.silu, (WIDE,), silu_reference),
    Case(ops.softplus, (WIDE,), softplus_reference),
    Case(ops.softplus, (WIDE,), softplus_reference, {"beta": 0.5}, note="beta"),
    Case(ops.gelu, (WIDE,), gelu_reference),
    Case(ops.gelu, (WIDE,), gelu_reference, {"approximate": "tanh"}, note="tanh"),
    Case(ops.gelu, (Input(()),), gelu_reference, note="0-d"),
    *[
        Case(op, (STACK,), reference, {"dim": dim}, note=f"dim={dim}")
        for op, reference in (
            (ops.softmax, softmax_reference), (ops.log_softmax, log_softmax_reference)
        )
        for dim in (1, -1)
    ],
    Case(ops.softmax, (Input((2, 3, 4)),), softmax_reference, {"dim": 0}, note="dim=0"),
    Case(ops.softmax, (Input((5,)),), softmax_reference, {"dim": 0}, note="one-axis"),
]  # fmt: skip

x = pellucid.zeros(2, 3)
ERRORS = [
    ErrorCase(
        "gelu-approximate",
        lambda: ops.gelu(x, "sigmoid"),
        ArgumentError,
        "gelu: there is no approximation 'sigmoid'\n  fix: use 'none' or 'tanh'",
    ),
    ErrorCase(
        "softmax-dim",
        lambda: ops.softmax(x, 2),
        ShapeError,
        "softmax: dim=2 is not an axis of a tensor with 2 axes\n  fix: use a dim from -2 to 1",
    ),
    *[
        ErrorCase(
            f"{op.__name__}-integers",
            lambda op=op: op(x.long()),
            DTypeError,
            f"{op.__name__}: x is int64, and the result is no integer\n"
            "  fix: cast it, as in x.float()",
        )
        for op in (ops.gelu, ops.silu, ops.elu, ops.leaky_relu, ops.softplus)
    ],
    *[
        ErrorCase(
            f"{op.__name__}-bools",
            lambda op=op: op(x > 0, 0),
            DTypeError,
            f"{op.__name__}: x is bool, and the result is no integer\n"
            "  fix: cast it, as in x.float()",
        )
        for op in (ops.softmax, ops.log_softmax)
    ],
    ErrorCase(
        "relu-array",
        lambda: ops.relu(x.array),
        DTypeError,
        "relu: x is a ndarray, not a Tensor\n  fix: make a tensor of it with pellucid.tensor",
    ),
    ErrorCase(
        "relu6-list",
        lambda: ops.relu6([1.0]),
        DTypeError,
        "relu6: x is a list, not a Tensor\n  fix: make a tensor of it with pellucid.tensor",
    ),
]
