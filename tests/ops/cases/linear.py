"""Matrix products, against NumPy's einsum over every index."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import DTypeError, ShapeError


def matmul_reference(a, b):
    y = np.einsum("...ik,...kj->...ij", np.atleast_2d(a), b if b.ndim > 1 else b[:, None])
    y = y if a.ndim > 1 else y[..., 0, :]
    return y if b.ndim > 1 else y[..., 0]


def linear_reference(x, w, b=0.0):
    return np.einsum("...i,oi->...o", x, w) + b


def product(a, b, note="", **options):
    return Case(ops.matmul, (Input(a, **options), Input(b)), matmul_reference, note=note)


CASES = [
    product((4, 3), (3, 5), batched=True),
    product((3,), (3,), "vectors"),
    product((3,), (3, 5), "vector-first"),
    product((4, 3), (3,), "vector-second", batched=True),
    product((2, 4, 3), (3, 5), "stack-first", batched=True),
    product((4, 3), (2, 3, 5), "stack-second"),
    product((2, 1, 4, 3), (6, 3, 5), "stacks-broadcast", batched=True),
    product((2, 4, 3), (3,), "stack-and-vector", batched=True),
    product((3,), (2, 3, 5), "vector-and-stack"),
    product((4, 0), (0, 5), "nothing-to-add"),
    Case(ops.linear, (Input((4, 3), batched=True), Input((5, 3)), Input((5,))), linear_reference),
    Case(ops.linear, (Input((4, 3)), Input((5, 3))), linear_reference, note="no-bias"),
    Case(ops.linear, (Input((3,)), Input((5, 3)), Input((5,))), linear_reference, note="one-row"),
    Case(
        ops.linear, (Input((2, 4, 3), batched=True), Input((5, 3)), Input((5,))), linear_reference,
        note="more-axes",
    ),
]  # fmt: skip

a, b = pellucid.zeros(2, 3), pellucid.zeros(4, 5)
x, w = pellucid.zeros(8, 5), pellucid.zeros(3, 4)
ERRORS = [
    ErrorCase(
        "matmul-shapes",
        lambda: a @ b,
        ShapeError,
        "matmul: the rows of a have 3 elements, but the columns of b have 4\n"
        "  a (M=2, K=3)    b (K=4, N=5)\n"
        "  fix: make the last axis of a as long as the last but one of b, perhaps by a transpose",
    ),
    ErrorCase(
        "matmul-stack-of-vectors",
        lambda: a @ pellucid.zeros(2, 4, 5),
        ShapeError,
        "matmul: the rows of a have 3 elements, but the columns of b have 4\n"
        "  a (M=2, K=3)    b (B0=2, K=4, N=5)\n"
        "  fix: make the last axis of a as long as the last but one of b, perhaps by a transpose",
    ),
    ErrorCase(
        "matmul-stacks",
        lambda: pellucid.zeros(2, 3, 4) @ pellucid.zeros(5, 4, 3),
        ShapeError,
        "matmul: shapes (2,) and (5,) do not broadcast: from the right, sizes must be equal or 1\n"
        "  fix: reshape or unsqueeze one of them",
    ),
    ErrorCase(
        "matmul-number",
        lambda: a @ 2.0,
        ShapeError,
        "matmul: a number has no rows or columns\n"
        "  a (2, 3)    b ()\n"
        "  fix: use * for the product with a number",
    ),
    ErrorCase(
        "matmul-0-d",
        lambda: a @ pellucid.tensor(2.0),
        ShapeError,
        "matmul: a number has no rows or columns\n"
        "  a (2, 3)    b ()\n"
        "  fix: use * for the product with a number",
    ),
    ErrorCase(
        "matmul-dtypes",
        lambda: a @ a.double().T,
        DTypeError,
        "matmul: a is float32, but b is float64\n  fix: cast one of them, as in a.to(b.dtype)",
    ),
    ErrorCase(
        "matmul-bool",
        lambda: (a > 0) @ (a > 0).T,
        DTypeError,
        "matmul: bool has no sum of products\n  fix: cast to a number first",
    ),
    ErrorCase(
        "linear-features",
        lambda: ops.linear(x, w),
        ShapeError,
        "linear: x has I=5 features, but w expects I=4\n"
        "  x (N=8, I=5)    w (O=3, I=4)\n"
        "  fix: build the layer with in_features=5, or move the features of x to its last axis",
    ),
    ErrorCase(
        "linear-axes",
        lambda: ops.linear(x, w[0]),
        ShapeError,
        "linear: x has 2 axes and w 1, but x must have at least 1 and w 2\n"
        "  x (N=8, I=5)    w (4,)\n"
        "  fix: give x the features as its last axis, and w one row for each output",
    ),
    ErrorCase(
        "linear-bias",
        lambda: ops.linear(x[:, :4], w, pellucid.zeros(4)),
        ShapeError,
        "linear: b has shape (4,), but w makes O=3 outputs\n"
        "  x (N=8, I=4)    w (O=3, I=4)    b (4,)\n"
        "  fix: give b the shape (3,)",
    ),
    ErrorCase(
        "linear-mixed",
        lambda: ops.linear(x, w.double()),
        DTypeError,
        "linear: x is float32, but w is float64\n  fix: cast one of them, as in x.to(w.dtype)",
    ),
    ErrorCase(
        "linear-integers",
        lambda: ops.linear(x.long(), w.long()),
        DTypeError,
        "linear: x is int64, and the result is no integer\n  fix: cast it, as in x.float()",
    ),
]
