"""Batch normalisation, against its textbook formula."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError

CHANNELS = Input((3,), low=0.5, high=2.0)
MEAN, VAR = Input((3,), grad=False), Input((3,), low=0.3, high=2.0, grad=False)


def batch_norm(x, weight=None, bias=None, eps=1e-5):
    """Training, by the statistics of the batch: those of a user stay out of the table."""
    return ops.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def batch_norm_relu(x, residual=None, weight=None, bias=None, eps=1e-5):
    return ops.batch_norm_relu(
        x, None, None, weight, bias, training=True, eps=eps, residual=residual
    )


def relu_reference(x, residual=0.0, weight=1.0, bias=0.0, eps=1e-5):
    return np.maximum(training_reference(x, weight, bias, eps) + residual, 0)


def relu_evaluation(x, mean, var, weight=None, bias=None, residual=None):
    return ops.batch_norm_relu(x, mean, var, weight, bias, residual=residual)


relu_evaluation.__name__ = "batch_norm_relu"


def relu_evaluation_reference(x, mean, var, weight=1.0, bias=0.0, residual=0.0):
    return np.maximum(evaluation_reference(x, mean, var, weight, bias) + residual, 0)


def per_channel(value, x):
    return np.reshape(value, (1, -1) + (1,) * (x.ndim - 2))


def evaluation_reference(x, mean, var, weight=1.0, bias=0.0, eps=1e-5):
    mean, var, weight, bias = (per_channel(value, x) for value in (mean, var, weight, bias))
    return weight * (x - mean) / np.sqrt(var + eps) + bias


def training_reference(x, weight=1.0, bias=0.0, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    if x.size == 0:
        return x
    return evaluation_reference(x, x.mean(axis=axes), x.var(axis=axes), weight, bias, eps)


def case(op, reference, note, shape, *channels, **options):
    return Case(op, (Input(shape, batched=True), *channels), reference, options, note, float32=4e-6)


CASES = [
    case(batch_norm, training_reference, "features", (6, 3), CHANNELS, CHANNELS),
    case(batch_norm, training_reference, "lines", (2, 3, 4), CHANNELS, CHANNELS),
    case(batch_norm, training_reference, "images", (2, 3, 3, 2), CHANNELS, CHANNELS, eps=0.1),
    case(batch_norm, training_reference, "volumes", (2, 3, 2, 1, 2), CHANNELS, CHANNELS),
    case(batch_norm, training_reference, "plain", (4, 3, 2)),
    case(batch_norm, training_reference, "no-bias", (4, 3, 2), CHANNELS),
    case(ops.batch_norm, evaluation_reference, "evaluation", (2, 3, 4, 2), MEAN, VAR, CHANNELS,
         CHANNELS),
    case(ops.batch_norm, evaluation_reference, "evaluation-plain", (4, 3), MEAN, VAR, eps=0.01),
    case(batch_norm_relu, relu_reference, "images", (2, 3, 3, 2), Input((2, 3, 3, 2), batched=True),
         CHANNELS, CHANNELS, eps=0.1),
    case(batch_norm_relu, relu_reference, "features", (6, 3), Input((6, 3), batched=True)),
    case(batch_norm_relu, relu_reference, "plain", (2, 3, 4)),
    case(relu_evaluation, relu_evaluation_reference, "evaluation", (2, 3, 4, 2), MEAN, VAR,
         CHANNELS, CHANNELS, Input((2, 3, 4, 2), batched=True)),
    case(relu_evaluation, relu_evaluation_reference, "evaluation-plain", (4, 3), MEAN, VAR),
]  # fmt: skip

x, c = pellucid.zeros(8, 3, 5, 5), pellucid.zeros(3)
ERRORS = [
    ErrorCase(
        "batch-norm-weight",
        lambda: ops.batch_norm(x, c, c, pellucid.zeros(4)),
        ShapeError,
        "batch_norm: weight has shape (4,), but x has C=3 channels\n"
        "  x (N=8, C=3, H=5, W=5)\n"
        "  fix: build the layer with num_features=3, or move the channels of x to axis 1",
    ),
    ErrorCase(
        "batch-norm-axes",
        lambda: ops.batch_norm(c, c, c),
        ShapeError,
        "batch_norm: x has 1 axes, but must have at least 2 (N, C, ...)\n"
        "  x (3,)\n"
        "  fix: give x a batch axis, as in x[None]",
    ),
    ErrorCase(
        "batch-norm-one-value",
        lambda: ops.batch_norm(x[:1, :, :1, :1], c, c, training=True),
        ShapeError,
        "batch_norm: x has one value for each of C=3 channels, and its variance is 0\n"
        "  x (1, 3, 1, 1)\n"
        "  fix: train with a batch of at least 2, or switch to evaluation with eval()",
    ),
    ErrorCase(
        "batch-norm-evaluation",
        lambda: ops.batch_norm(x, None, None),
        ArgumentError,
        "batch_norm: evaluation needs running_mean and running_var\n"
        "  fix: give both, or training=True for the statistics of the batch",
    ),
    ErrorCase(
        "batch-norm-one-statistic",
        lambda: ops.batch_norm(x, c, None, training=True),
        ArgumentError,
        "batch_norm: only one of running_mean and running_var is given\n  fix: give both",
    ),
    ErrorCase(
        "batch-norm-eps",
        lambda: ops.batch_norm(x, None, None, training=True, eps=0.0),
        ArgumentError,
        "batch_norm: eps=0.0 is not positive\n  fix: use 1e-5, PyTorch's default",
    ),
    ErrorCase(
        "batch-norm-mixed",
        lambda: ops.batch_norm(x.double(), c, c),
        DTypeError,
        "batch_norm: x is float64, but running_mean is float32\n"
        "  fix: cast one of them, as in x.to(running_mean.dtype)",
    ),
    ErrorCase(
        "batch-norm-integers",
        lambda: ops.batch_norm(x.long(), None, None, training=True),
        DTypeError,
        "batch_norm: x is int64, and the result is no integer\n  fix: cast it, as in x.float()",
    ),
    ErrorCase(
        "batch-norm-relu-residual",
        lambda: ops.batch_norm_relu(x, None, None, training=True, residual=x[:1]),
        ShapeError,
        "batch_norm_relu: residual and x have different shapes, and here none is broadcast\n"
        "  x (8, 3, 5, 5)    residual (1, 3, 5, 5)\n"
        "  fix: give residual the shape of x, as with residual.expand(x.shape)",
    ),
    ErrorCase(
        "batch-norm-relu-mixed",
        lambda: ops.batch_norm_relu(x, None, None, training=True, residual=x.double()),
        DTypeError,
        "batch_norm_relu: x is float32, but residual is float64\n"
        "  fix: cast one of them, as in x.to(residual.dtype)",
    ),
    ErrorCase(
        "batch-norm-relu-evaluation",
        lambda: ops.batch_norm_relu(x, None, None),
        ArgumentError,
        "batch_norm_relu: evaluation needs running_mean and running_var\n"
        "  fix: give both, or training=True for the statistics of the batch",
    ),
]
