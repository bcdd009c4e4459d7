"""Convolutions, against loops over every output element that know nothing of the kernels."""

from __future__ import annotations

import itertools

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError


def conv_reference(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    axes = x.ndim - 2
    s, p, d = (v if isinstance(v, tuple) else (v,) * axes for v in (stride, padding, dilation))
    p = [pair if isinstance(pair, tuple) else (pair, pair) for pair in p]
    x = np.pad(x, [(0, 0), (0, 0), *p])
    O, C = w.shape[:2]
    out = [(x.shape[2 + a] - d[a] * (w.shape[2 + a] - 1) - 1) // s[a] + 1 for a in range(axes)]
    y = np.zeros((x.shape[0], O, *out), x.dtype)
    for o, place in itertools.product(range(O), itertools.product(*map(range, out))):
        g = o // (O // groups)
        window = tuple(
            slice(i * s[a], i * s[a] + d[a] * (w.shape[2 + a] - 1) + 1, d[a])
            for a, i in enumerate(place)
        )
        seen = x[(slice(None), slice(g * C, (g + 1) * C), *window)]
        y[(slice(None), o, *place)] = (seen * w[o]).sum(axis=tuple(range(1, axes + 2)))
    return y if b is None else y + b.reshape(1, O, *(1,) * axes)


def relu_reference(*inputs, **options):
    return np.maximum(conv_reference(*inputs, **options), 0)


def case(op, note, x, w, bias=True, **options):
    inputs = (Input(x, batched=True), Input(w), *([Input((w[0],))] if bias else []))
    reference = relu_reference if op is ops.conv2d_relu else conv_reference
    return Case(op, inputs, reference, options, note)


CASES = [
    case(ops.conv2d, "worked-example", (1, 1, 5, 5), (1, 1, 3, 3), stride=2),
    case(ops.conv2d, "leftover", (2, 3, 6, 8), (4, 3, 3, 3), stride=2),
    case(ops.conv2d, "no-bias", (2, 2, 5, 4), (3, 2, 2, 3), bias=False, padding=1),
    case(ops.conv2d, "groups", (2, 4, 5, 5), (6, 2, 3, 3), groups=2, padding=1),
    case(ops.conv2d, "depthwise", (2, 3, 6, 6), (6, 1, 3, 3), groups=3, stride=2, padding=1),
    case(ops.conv2d, "dilation", (1, 2, 9, 8), (2, 2, 3, 2), dilation=(2, 3), stride=(2, 1)),
    case(ops.conv2d, "low-high", (2, 2, 4, 5), (2, 2, 3, 3), padding=((0, 2), (1, 0)), stride=2),
    case(ops.conv2d, "stride-over-kernel", (2, 1, 8, 8), (2, 1, 2, 2), stride=3),
    case(ops.conv2d, "pointwise", (2, 3, 3, 3), (4, 3, 1, 1)),
    case(ops.conv2d_relu, "leftover", (2, 3, 6, 8), (4, 3, 3, 3), stride=2),
    case(ops.conv2d_relu, "no-bias", (2, 2, 5, 4), (3, 2, 2, 3), bias=False, padding=1),
    case(ops.conv2d_relu, "groups", (2, 4, 3, 3), (4, 2, 2, 2), groups=2),
    case(ops.conv1d, "", (2, 2, 9), (3, 2, 4), stride=2, padding=1),
    case(ops.conv1d, "dilated", (2, 2, 9), (2, 1, 3), dilation=3, groups=2, padding=2),
    case(ops.conv3d, "", (1, 2, 4, 3, 5), (2, 2, 2, 2, 3), stride=(2, 1, 2), padding=(1, 0, 1)),
]

x4, w4 = pellucid.zeros(8, 3, 32, 32), pellucid.zeros(16, 4, 3, 3)
ERRORS = [
    ErrorCase(
        "conv2d-channels",
        lambda: ops.conv2d(x4, w4, padding=1),
        ShapeError,
        "conv2d: x has C=3 channels, but w expects C=4 (groups=1)\n"
        "  x (N=8, C=3, H=32, W=32)    w (O=16, C/G=4, KH=3, KW=3)    n8 c3 i32x32 o16 k3x3 p1\n"
        "  fix: build the layer with in_channels=3, or move the channel axis of x to position 1",
    ),
    ErrorCase(
        "conv2d-axes",
        lambda: ops.conv2d(x4[0], w4),
        ShapeError,
        "conv2d: x has 3 axes and w 4, but both must have 4\n"
        "  x (3, 32, 32)    w (16, 4, 3, 3)\n"
        "  fix: give x the axes (N, C, H, W); one image becomes a batch with x[None]",
    ),
    ErrorCase(
        "conv1d-axes",
        lambda: ops.conv1d(x4, w4),
        ShapeError,
        "conv1d: x has 4 axes and w 4, but both must have 3\n"
        "  x (8, 3, 32, 32)    w (16, 4, 3, 3)\n"
        "  fix: give x the axes (N, C, W); one image becomes a batch with x[None]",
    ),
    ErrorCase(
        "conv3d-axes",
        lambda: ops.conv3d(x4, w4),
        ShapeError,
        "conv3d: x has 4 axes and w 4, but both must have 5\n"
        "  x (8, 3, 32, 32)    w (16, 4, 3, 3)\n"
        "  fix: give x the axes (N, C, D, H, W); one image becomes a batch with x[None]",
    ),
    ErrorCase(
        "conv2d-kernel-too-large",
        lambda: ops.conv2d(pellucid.zeros(1, 1, 2, 5), pellucid.zeros(1, 1, 3, 3)),
        ShapeError,
        "conv2d: the kernel is larger than the padded input along H: "
        "d (k - 1) + 1 = 3 > 2 = in + p_low + p_high\n"
        "  x (N=1, C=1, H=2, W=5)    w (O=1, C/G=1, KH=3, KW=3)    c1 i2x5 o1 k3x3\n"
        "  fix: pad x more, or use a smaller kernel or dilation",
    ),
    ErrorCase(
        "conv2d-mixed-dtypes",
        lambda: ops.conv2d(x4, pellucid.zeros(16, 3, 3, 3, dtype="float64")),
        DTypeError,
        "conv2d: x is float32, but w is float64\n"
        "  x (N=8, C=3, H=32, W=32)    w (O=16, C/G=3, KH=3, KW=3)\n"
        "  fix: convert one of them to the dtype of the other",
    ),
    ErrorCase(
        "conv2d-integers",
        lambda: ops.conv2d(x4.long(), pellucid.zeros(16, 3, 3, 3).long()),
        DTypeError,
        "conv2d: x is int64, but convolution is for floats\n"
        "  x (N=8, C=3, H=32, W=32)\n"
        "  fix: convert it to float32 or float64",
    ),
    ErrorCase(
        "conv2d-bias",
        lambda: ops.conv2d(x4, pellucid.zeros(16, 3, 3, 3), pellucid.zeros(3)),
        ShapeError,
        "conv2d: b has the shape (3,), but the spec says (16,)\n"
        "  b (O=3)    n8 c3 i32x32 o16 k3x3\n"
        "  fix: make the spec from the shapes of x and w, or give b that shape",
    ),
    ErrorCase(
        "conv2d-padding-name",
        lambda: ops.conv2d(x4, pellucid.zeros(16, 3, 3, 3), padding="full"),
        ArgumentError,
        "conv2d: padding='full' is not a padding\n  fix: use 'same', 'valid' or whole numbers",
    ),
    ErrorCase(
        "conv2d-array",
        lambda: ops.conv2d(x4.array, w4),
        DTypeError,
        "conv2d: x is a ndarray, not a Tensor\n  fix: make a tensor of it with pellucid.tensor",
    ),
]
