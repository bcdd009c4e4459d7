"""Losses, against loops over every prediction."""

from __future__ import annotations

import itertools

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, GraphError, IndexingError, ShapeError

X = Input((6, 4), batched=True)
PIXELS = Input((2, 4, 3), batched=True)
CLASSES = Input((6,), 0, 4, "index", batched=True)
PIXEL_CLASSES = Input((2, 3), 0, 4, "index", batched=True)
MASS = Input((6, 4), low=0.1, high=1.0, batched=True)
WEIGHT = Input((4,), low=0.5, high=2.0, grad=False)
REDUCTIONS = ("mean", "sum", "none")


def reduced(losses, reduction, count=None):
    if reduction == "none":
        return losses
    return losses.sum() / (1 if reduction == "sum" else losses.size if count is None else count)


def mse_reference(x, target, reduction="mean"):
    return reduced((x - target) ** 2, reduction)


def l1_reference(x, target, reduction="mean"):
    return reduced(np.abs(x - target), reduction)


def each_place(x, loss, shape):
    """The loss of each place: of the row of classes there, and of what else lies there."""
    losses = np.zeros(shape)
    for place in np.ndindex(shape):
        losses[place] = loss(x[(*place[:1], slice(None), *place[1:])] if shape else x, place)
    return losses


def nll_reference(x, target, weight=None, ignore_index=-100, reduction="mean"):
    weight = np.ones(4) if weight is None else weight

    def loss(row, place):
        c = target[place]
        return 0.0 if c == ignore_index else -weight[c] * row[c]

    count = weight[target[target != ignore_index]].sum()
    return reduced(each_place(x, loss, target.shape), reduction, count)


def cross_entropy_reference(
    x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    probabilities = target.dtype.kind == "f"
    shape = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    weight = np.ones(4) if weight is None else weight

    def loss(row, place):
        if probabilities:
            p = target[(*place[:1], slice(None), *place[1:])] if shape else target
        elif target[place] == ignore_index:
            return 0.0
        else:
            p = np.eye(4)[target[place]]
        q = weight * ((1 - label_smoothing) * p + label_smoothing / 4)
        return -np.sum(q * np.log(np.exp(row) / np.exp(row).sum()))

    losses = each_place(x, loss, shape)
    count = losses.size if probabilities else weight[target[target != ignore_index]].sum()
    return reduced(losses, reduction, count)


def bce_reference(x, target, weight=1.0, pos_weight=1.0, reduction="mean"):
    p = 1 / (1 + np.exp(-x))
    losses = -weight * (pos_weight * target * np.log(p) + (1 - target) * np.log(1 - p))
    return reduced(losses, reduction)


def binary_cross_entropy_with_logits(x, target, weight=None, pos_weight=None, reduction="mean"):
    return ops.binary_cross_entropy_with_logits(x, target, weight, reduction, pos_weight)


def classification(op, reference, note, *inputs, **options):
    return [
        Case(op, inputs, reference, {"reduction": reduction, **options}, f"{note}-{reduction}")
        for reduction in REDUCTIONS
    ]


REGRESSIONS = ((ops.mse_loss, mse_reference), (ops.l1_loss, l1_reference))
SMOOTH = {"label_smoothing": 0.2}
IGNORE = {"ignore_index": 1}
CE = ops.cross_entropy, cross_entropy_reference
NLL = ops.nll_loss, nll_reference
TARGET = Input((6, 4), low=0.0, high=1.0, batched=True)

CASES = [
    *[
        Case(op, (X, Input((6, 4), low=2.1, high=3.0, batched=True)), reference, {"reduction": way},
             note=way)
        for (op, reference), way in itertools.product(REGRESSIONS, REDUCTIONS)
    ],
    *classification(*NLL, "rows", X, CLASSES),
    *classification(*NLL, "pixels-weight-ignore", PIXELS, PIXEL_CLASSES, WEIGHT, **IGNORE),
    *classification(*CE, "rows", X, CLASSES),
    *classification(*CE, "rows-weight-ignore", X, CLASSES, WEIGHT, **IGNORE),
    *classification(*CE, "rows-smooth", X, CLASSES, **SMOOTH),
    *classification(*CE, "pixels-weight-ignore-smooth", PIXELS, PIXEL_CLASSES, WEIGHT, **IGNORE,
                    **SMOOTH),
    *classification(*CE, "one-row", Input((4,)), Input((), 0, 4, "index")),
    *classification(*CE, "probabilities", X, MASS),
    *classification(*CE, "probabilities-weight-smooth", X, MASS, WEIGHT, **SMOOTH),
    *classification(*CE, "probabilities-pixels", PIXELS, Input((2, 4, 3), 0.1, 1.0, batched=True)),
    *classification(binary_cross_entropy_with_logits, bce_reference, "plain", X, TARGET),
    *classification(
        binary_cross_entropy_with_logits, bce_reference, "weights", X, TARGET,
        Input((4,), low=0.5), Input((4,), low=0.5),
    ),
]  # fmt: skip

x, t, w = pellucid.zeros(8, 10), pellucid.zeros(8, dtype="int64"), pellucid.ones(10)
ERRORS = [
    *[
        ErrorCase(
            f"{op.__name__}-shapes",
            lambda op=op: op(x, pellucid.zeros(8)),
            ShapeError,
            f"{op.__name__}: x and target have different shapes, and a loss does not broadcast\n"
            "  x (8, 10)    target (8,)\n"
            "  fix: reshape one of them, as in target.reshape(x.shape)",
        )
        for op in (ops.mse_loss, ops.l1_loss, ops.binary_cross_entropy_with_logits)
    ],
    *[
        ErrorCase(
            f"{op.__name__}-reduction",
            lambda op=op: op(x, x, reduction="batchmean"),
            ArgumentError,
            f"{op.__name__}: there is no reduction 'batchmean'\n"
            "  fix: use 'mean', 'sum' or 'none'",
        )
        for op in (
            ops.mse_loss, ops.l1_loss, ops.binary_cross_entropy_with_logits, ops.cross_entropy,
            ops.nll_loss,
        )
    ],
    ErrorCase(
        "mse-integers",
        lambda: ops.mse_loss(t, t),
        DTypeError,
        "mse_loss: x is int64, and the result is no integer\n  fix: cast it, as in x.float()",
    ),
    ErrorCase(
        "bce-weight",
        lambda: ops.binary_cross_entropy_with_logits(x, x, pos_weight=pellucid.ones(8)),
        ShapeError,
        "binary_cross_entropy_with_logits: pos_weight of shape (8,) does not broadcast to x\n"
        "  x (8, 10)\n"
        "  fix: give pos_weight sizes that are equal to those of x, from the right, or 1",
    ),
    ErrorCase(
        "cross-entropy-class",
        lambda: ops.cross_entropy(x, t + 10),
        IndexingError,
        "cross_entropy: target holds class 10, but x has C=10 classes\n"
        "  x (8, 10)\n"
        "  fix: use classes from 0 to 9, or ignore_index for places that do not count",
    ),
    ErrorCase(
        "nll-class",
        lambda: ops.nll_loss(x, t - 1),
        IndexingError,
        "nll_loss: target holds class -1, but x has C=10 classes\n"
        "  x (8, 10)\n"
        "  fix: use classes from 0 to 9, or ignore_index for places that do not count",
    ),
    ErrorCase(
        "cross-entropy-shape",
        lambda: ops.cross_entropy(x, t[:4]),
        ShapeError,
        "cross_entropy: target has shape (4,), but x has a row of C=10 classes at each of (8,)\n"
        "  x (8, 10)    target (4,)\n"
        "  fix: give target the shape of x without its axis of classes",
    ),
    ErrorCase(
        "cross-entropy-probabilities",
        lambda: ops.cross_entropy(x, t.float()),
        ShapeError,
        "cross_entropy: target is float32, so it holds class probabilities, but its shape is not "
        "x's\n"
        "  x (8, 10)    target (8,)\n"
        "  fix: give each class of x its probability, or cast class indices with target.long()",
    ),
    ErrorCase(
        "cross-entropy-bool",
        lambda: ops.cross_entropy(x, t > 0),
        DTypeError,
        "cross_entropy: target is bool, no class index\n  fix: cast it, as in target.long()",
    ),
    ErrorCase(
        "nll-float",
        lambda: ops.nll_loss(x, t.float()),
        DTypeError,
        "nll_loss: target is float32, no class index\n  fix: cast it, as in target.long()",
    ),
    ErrorCase(
        "cross-entropy-number",
        lambda: ops.cross_entropy(pellucid.tensor(1.0), t),
        ShapeError,
        "cross_entropy: x is a number and has no axis of classes\n  fix: give x the axes (N, C)",
    ),
    ErrorCase(
        "cross-entropy-weight",
        lambda: ops.cross_entropy(x, t, w[:9]),
        ShapeError,
        "cross_entropy: weight has shape (9,), but x has C=10 classes\n"
        "  x (8, 10)\n"
        "  fix: give weight the shape (10,)",
    ),
    ErrorCase(
        "cross-entropy-weight-dtype",
        lambda: ops.cross_entropy(x, t, w.double()),
        DTypeError,
        "cross_entropy: x is float32, but weight is float64\n"
        "  fix: cast one of them, as in x.to(weight.dtype)",
    ),
    ErrorCase(
        "cross-entropy-weight-grad",
        lambda: ops.cross_entropy(x, t, pellucid.ones(10, requires_grad=True)),
        GraphError,
        "cross_entropy: weight requires grad, but none passes to it\n  fix: use weight.detach()",
    ),
    ErrorCase(
        "cross-entropy-smoothing",
        lambda: ops.cross_entropy(x, t, label_smoothing=1.5),
        ArgumentError,
        "cross_entropy: label_smoothing=1.5 is outside 0 .. 1\n  fix: use 0.1, or 0 for none",
    ),
    ErrorCase(
        "cross-entropy-target-list",
        lambda: ops.cross_entropy(x, [0, 1]),
        DTypeError,
        "cross_entropy: target is a list, not a Tensor\n"
        "  fix: make a tensor of it with pellucid.tensor",
    ),
    ErrorCase(
        "nll-target-array",
        lambda: ops.nll_loss(x, t.array),
        DTypeError,
        "nll_loss: target is a ndarray, not a Tensor\n"
        "  fix: make a tensor of it with pellucid.tensor",
    ),
    ErrorCase(
        "mse-target-list",
        lambda: ops.mse_loss(x, [0.0]),
        DTypeError,
        "mse_loss: target is a list, not a Tensor\n"
        "  fix: make a tensor of it with pellucid.tensor",
    ),
]  # fmt: skip
