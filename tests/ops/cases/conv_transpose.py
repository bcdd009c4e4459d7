"""Transposed convolutions, against loops that spread the kernel and know nothing of the kernels."""

from __future__ import annotations

import itertools

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError


def spread_reference(
    x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):  # fmt: skip
    axes = x.ndim - 2
    s, p, more, d = (
        v if isinstance(v, tuple) else (v,) * axes
        for v in (stride, padding, output_padding, dilation)
    )
    p = [pair if isinstance(pair, tuple) else (pair, pair) for pair in p]
    N, C = x.shape[:2]
    O, kernel = w.shape[1], w.shape[2:]
    # everything that any element of x reaches, and then what the padding leaves of it
    reach = [(x.shape[2 + a] - 1) * s[a] + d[a] * (kernel[a] - 1) + 1 for a in range(axes)]
    y = np.zeros((N, O * groups, *[reach[a] + more[a] for a in range(axes)]), x.dtype)
    for c, place in itertools.product(range(C), np.ndindex(x.shape[2:])):
        g = c // (C // groups)
        window = tuple(
            slice(i * s[a], i * s[a] + d[a] * (kernel[a] - 1) + 1, d[a])
            for a, i in enumerate(place)
        )
        y[(slice(None), slice(g * O, (g + 1) * O), *window)] += np.multiply.outer(
            x[(slice(None), c, *place)], w[c]
        )
    y = np.pad(y, [(0, 0), (0, 0), *[(max(-low, 0), max(-high, 0)) for low, high in p]])
    kept = [slice(max(low, 0), y.shape[2 + a] - max(high, 0)) for a, (low, high) in enumerate(p)]
    y = y[(slice(None), slice(None), *kept)]
    return y if b is None else y + b.reshape(1, -1, *(1,) * axes)


def case(op, note, x, w, bias=True, groups=1, **options):
    if groups != 1:
        options["groups"] = groups
    b = [Input((w[1] * groups,))] if bias else []
    return Case(op, (Input(x, batched=True), Input(w), *b), spread_reference, options, note)


TWO = ops.conv_transpose2d
CASES = [
    case(TWO, "worked-example", (1, 1, 2, 2), (1, 1, 3, 3), stride=2),
    case(TWO, "leftover", (2, 3, 3, 4), (3, 4, 3, 3), stride=3, output_padding=(2, 1)),
    case(TWO, "no-bias", (2, 2, 5, 4), (2, 3, 2, 3), bias=False, padding=1),
    case(TWO, "groups", (2, 4, 3, 4), (4, 3, 3, 3), groups=2, padding=1, stride=2),
    case(TWO, "depthwise", (2, 3, 4, 4), (3, 2, 3, 3), groups=3, stride=2, padding=1),
    case(TWO, "dilation", (1, 2, 4, 3), (2, 2, 3, 2), dilation=(2, 3), stride=(2, 1)),
    case(TWO, "gaps", (1, 2, 3, 3), (2, 1, 2, 2), dilation=2, stride=4, output_padding=3),
    case(
        TWO, "output-padding-over-the-stride", (1, 2, 3, 2), (2, 2, 2, 3),
        dilation=(3, 4), stride=(1, 2), output_padding=(2, 3), padding=(2, 0),
    ),
    case(TWO, "low-high", (2, 2, 4, 5), (2, 2, 3, 3), padding=((0, 2), (1, -1)), stride=2),
    case(TWO, "stride-over-kernel", (2, 1, 3, 3), (1, 2, 2, 2), stride=3, output_padding=1),
    case(TWO, "pointwise", (2, 3, 3, 3), (3, 4, 1, 1)),
    case(ops.conv_transpose1d, "", (2, 2, 5), (2, 3, 4), stride=2, padding=1),
    case(
        ops.conv_transpose1d, "dilated", (2, 2, 6), (2, 1, 3),
        dilation=3, groups=2, padding=2, output_padding=2,
    ),
    case(
        ops.conv_transpose3d, "", (1, 2, 2, 3, 2), (2, 2, 2, 2, 3),
        stride=(2, 1, 2), padding=(1, 0, 1), output_padding=(1, 0, 0),
    ),
]  # fmt: skip

x4, w4 = pellucid.zeros(8, 3, 32, 32), pellucid.zeros(3, 16, 3, 3)
ERRORS = [
    ErrorCase(
        "conv_transpose2d-channels",
        lambda: TWO(x4, pellucid.zeros(4, 16, 3, 3)),
        ShapeError,
        "conv_transpose2d: x has C=3 channels, but w expects C=4\n"
        "  x (N=8, C=3, H=32, W=32)    w (C=4, O/G=16, KH=3, KW=3)\n"
        "  fix: build the layer with in_channels=3, or move the channel axis of x to position 1",
    ),
    ErrorCase(
        "conv_transpose2d-axes",
        lambda: TWO(x4[0], w4),
        ShapeError,
        "conv_transpose2d: x has 3 axes and w 4, but both must have 4\n"
        "  x (3, 32, 32)    w (3, 16, 3, 3)\n"
        "  fix: give x the axes (N, C, H, W); one image becomes a batch with x[None]",
    ),
    ErrorCase(
        "conv_transpose1d-axes",
        lambda: ops.conv_transpose1d(x4, w4),
        ShapeError,
        "conv_transpose1d: x has 4 axes and w 4, but both must have 3\n"
        "  x (8, 3, 32, 32)    w (3, 16, 3, 3)\n"
        "  fix: give x the axes (N, C, W); one image becomes a batch with x[None]",
    ),
    ErrorCase(
        "conv_transpose3d-axes",
        lambda: ops.conv_transpose3d(x4, w4),
        ShapeError,
        "conv_transpose3d: x has 4 axes and w 4, but both must have 5\n"
        "  x (8, 3, 32, 32)    w (3, 16, 3, 3)\n"
        "  fix: give x the axes (N, C, D, H, W); one image becomes a batch with x[None]",
    ),
    ErrorCase(
        "conv_transpose2d-output-padding",
        lambda: TWO(x4, w4, stride=2, output_padding=2),
        ShapeError,
        "conv_transpose2d: output_padding=2 along H is not from 0 to 1, "
        "below the larger of stride=2 and dilation=1\n"
        "  fix: use a smaller output_padding, or ops.pad for a border",
    ),
    ErrorCase(
        "conv_transpose2d-same",
        lambda: TWO(x4, w4, padding="same"),
        ArgumentError,
        "conv_transpose2d: padding='same' is not for a transposed convolution\n"
        "  fix: give whole numbers; output_padding chooses among the sizes that y may have",
    ),
    ErrorCase(
        "conv_transpose2d-too-much-padding",
        lambda: TWO(pellucid.zeros(1, 3, 1, 4), w4, padding=2),
        ShapeError,
        "conv_transpose2d: y would have -1 pixels along H: "
        "(in - 1) s - p_low - p_high + d (k - 1) + 1 + output_padding\n"
        "  x (N=1, C=3, H=1, W=4)    w (C=3, O/G=16, KH=3, KW=3)\n"
        "  fix: pad less, or use a larger kernel, stride or output_padding",
    ),
    ErrorCase(
        "conv_transpose2d-mixed-dtypes",
        lambda: TWO(x4, w4.double()),
        DTypeError,
        "conv_transpose2d: x is float32, but w is float64\n"
        "  fix: cast one of them, as in x.to(w.dtype)",
    ),
    ErrorCase(
        "conv_transpose2d-integers",
        lambda: TWO(x4.long(), w4.long()),
        DTypeError,
        "conv_transpose2d: x is int64, and the result is no integer\n"
        "  fix: cast it, as in x.float()",
    ),
    ErrorCase(
        "conv_transpose2d-bias",
        lambda: TWO(x4, w4, pellucid.zeros(3)),
        ShapeError,
        "conv_transpose2d: b has the shape (3,), but w makes O=16 channels (groups=1)\n"
        "  b (O=3)    w (C=3, O/G=16, KH=3, KW=3)\n"
        "  fix: give b the shape (16,)",
    ),
]
