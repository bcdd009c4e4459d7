"""Picking elements, against NumPy's own indexing."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import DTypeError, IndexingError, ShapeError

X = Input((4, 5, 3))
CORNER = np.array([[0, 3], [3, -1]])
ODD = np.arange(4) % 2 == 1

KEYS = {
    "integer": 1,
    "negative": (-1, 2),
    "slices": (slice(1, None, 2), slice(None, None, -1)),
    "ellipsis": (..., 0),
    "new-axis": (slice(None), None, 2),
    "list": [2, 0, 2],
    "array": CORNER,
    "two-arrays": (CORNER, CORNER),
    "array-and-slice": (slice(1, 3), np.array([4, 4, 0])),
    "mask": ODD,
    "mask-of-all": np.arange(60).reshape(4, 5, 3) % 3 == 0,
    "nothing": slice(0, 0),
}


def getitem_reference(x, key):
    return x[key]


def gather_reference(x, index, dim):
    y = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        source = list(place)
        source[dim] = index[place]
        y[place] = x[tuple(source)]
    return y


def gather(x, index, dim):
    return ops.gather(x, dim, index)


def one_hot_reference(index, num_classes):
    return np.eye(num_classes)[index]


CASES = [
    *[Case(ops.getitem, (X,), getitem_reference, {"key": k}, note=n) for n, k in KEYS.items()],
    Case(
        ops.getitem, (Input((4, 5), batched=True),), getitem_reference,
        {"key": (slice(None), [0, 0, 2])}, note="batched",
    ),
    Case(gather, (X, Input((4, 7, 3), 0, 5, "index")), gather_reference, {"dim": 1}),
    Case(gather, (X, Input((6, 2, 1), 0, 4, "index")), gather_reference, {"dim": 0}, note="less"),
    Case(gather, (X, Input((4, 5, 2), -3, 3, "index")), gather_reference, {"dim": 2}, note="below"),
    Case(
        gather, (Input((4, 5), batched=True), Input((4, 2), 0, 5, "index", batched=True)),
        gather_reference, {"dim": 1}, note="batched",
    ),
    Case(
        ops.one_hot, (Input((3, 2), 0, 4, "index", batched=True),), one_hot_reference,
        {"num_classes": 4}, gradient=False,
    ),
]  # fmt: skip

x = pellucid.zeros(4, 5)
two = pellucid.tensor([[2], [0], [1], [5]])
ERRORS = [
    ErrorCase(
        "getitem-outside",
        lambda: x[4],
        IndexingError,
        "getitem: index 4 is out of bounds for axis 0 with size 4\n"
        "  x (4, 5)\n"
        "  fix: index within the sizes of x",
    ),
    ErrorCase(
        "getitem-dtype",
        lambda: x[pellucid.zeros(2)],
        DTypeError,
        "getitem: an index is float32\n  fix: index with integers or bools",
    ),
    ErrorCase(
        "gather-outside",
        lambda: x.gather(1, two),
        IndexingError,
        "gather: an index lies outside axis 1 of size 5\n"
        "  x (4, 5)\n"
        "  fix: use indices from 0 to 4",
    ),
    ErrorCase(
        "gather-shape",
        lambda: x.gather(0, pellucid.tensor([0, 1])),
        ShapeError,
        "gather: an index of shape (2,) does not fit along dim=0\n"
        "  x (4, 5)\n"
        "  fix: give an index with the axes of x",
    ),
    ErrorCase(
        "gather-dtype",
        lambda: x.gather(0, x),
        DTypeError,
        "gather: the index is float32\n  fix: use an int64 tensor",
    ),
    ErrorCase(
        "one-hot-outside",
        lambda: ops.one_hot(pellucid.tensor([0, 3]), 3),
        IndexingError,
        "one_hot: an index lies outside 0 .. 2\n  fix: give more classes, or check the labels",
    ),
    ErrorCase(
        "one-hot-halves",
        lambda: ops.one_hot(pellucid.tensor([0.5]), 2),
        DTypeError,
        "one_hot: the index is float32\n  fix: cast it, as in index.long()",
    ),
]
