"""Pooling, against loops over every window."""

from __future__ import annotations

import itertools
import math

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, DTypeError, ShapeError

IMAGES = Input((2, 2, 7, 6), distinct=True, batched=True)
IMAGE = Input((2, 7, 6), distinct=True)
LINES = Input((2, 3, 9), distinct=True, batched=True)


def windows(x, axes, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Each window: its place, its elements inside of x as pairs (index, value), its full size.

    The full size counts the places in the padding, but not those beyond it.
    """
    every = kernel_size, kernel_size if stride is None else stride, padding, dilation
    k, s, p, d = (value if isinstance(value, tuple) else (value,) * axes for value in every)
    along = []
    for a, size in enumerate(x.shape[-axes:]):
        room = size + 2 * p[a] - d[a] * (k[a] - 1) - 1
        out = (math.ceil if ceil_mode else math.floor)(room / s[a]) + 1
        starts = [i * s[a] - p[a] for i in range(out)]
        starts = [start for start in starts if not ceil_mode or start < size]
        along.append([[start + u * d[a] for u in range(k[a])] for start in starts])
    shape = tuple(len(starts) for starts in along)
    for place in np.ndindex(shape):
        lines = [along[a][i] for a, i in enumerate(place)]
        size = math.prod(
            sum(h < x.shape[a - axes] + p[a] for h in line) for a, line in enumerate(lines)
        )
        inside = [
            index for index in itertools.product(*lines)
            if all(0 <= h < x.shape[a - axes] for a, h in enumerate(index))
        ]  # fmt: skip
        yield shape, place, inside, size


def max_pool_reference(axes):
    def reference(x, return_indices=False, **options):
        y = indices = None
        for shape, place, inside, _ in windows(x, axes, **options):
            if y is None:
                y = np.zeros(x.shape[:-axes] + shape)
                indices = np.zeros(y.shape, int)
            values = np.stack([x[(..., *index)] for index in inside], -1)
            flat = [np.ravel_multi_index(index, x.shape[-axes:]) for index in inside]
            y[(..., *place)] = values.max(-1)
            indices[(..., *place)] = np.array(flat)[values.argmax(-1)]
        return (y, indices) if return_indices else y

    return reference


def avg_pool_reference(axes):
    def reference(x, count_include_pad=True, divisor_override=None, **options):
        y = None
        for shape, place, inside, size in windows(x, axes, **options):
            y = np.zeros(x.shape[:-axes] + shape) if y is None else y
            divisor = divisor_override or (size if count_include_pad else len(inside))
            y[(..., *place)] = sum(x[(..., *index)] for index in inside) / divisor
        return y

    return reference


def adaptive_reference(axes):
    def reference(x, output_size):
        sizes = output_size if isinstance(output_size, tuple) else (output_size,) * axes
        sizes = [o or x.shape[a - axes] for a, o in enumerate(sizes)]
        y = np.zeros(x.shape[:-axes] + tuple(sizes))
        for place in np.ndindex(*sizes):
            cell = tuple(
                slice(i * x.shape[a - axes] // o, math.ceil((i + 1) * x.shape[a - axes] / o))
                for a, (i, o) in enumerate(zip(place, sizes, strict=True))
            )
            y[(..., *place)] = x[(..., *cell)].mean(axis=tuple(range(-axes, 0)))
        return y

    return reference


def pool(op, x, note, **options):
    axes = int(op.__name__[-2])
    reference = avg_pool_reference if "avg" in op.__name__ else max_pool_reference
    return Case(op, (x,), reference(axes), options, note)


def adaptive(op, x, output_size):
    options = {"output_size": output_size}
    return Case(op, (x,), adaptive_reference(int(op.__name__[-2])), options, f"{output_size}")


CASES = [
    pool(ops.max_pool2d, IMAGES, "tiles", kernel_size=2),
    pool(ops.max_pool2d, IMAGES, "overlap", kernel_size=3, stride=2, padding=1),
    pool(ops.max_pool2d, IMAGES, "stride-1", kernel_size=(2, 3), stride=1),
    pool(ops.max_pool2d, IMAGES, "gaps", kernel_size=2, stride=3),
    pool(ops.max_pool2d, IMAGES, "dilation", kernel_size=(3, 2), stride=(1, 2), dilation=(2, 3)),
    pool(ops.max_pool2d, IMAGES, "ceil", kernel_size=2, stride=2, ceil_mode=True),
    pool(ops.max_pool2d, IMAGES, "ceil-corrected", kernel_size=3, stride=3, padding=1,
         ceil_mode=True),
    pool(ops.max_pool2d, IMAGES, "indices", kernel_size=3, stride=2, padding=(1, 0),
         return_indices=True),
    pool(ops.max_pool2d, IMAGE, "no-batch", kernel_size=2),
    pool(ops.max_pool1d, LINES, "", kernel_size=3, stride=2, padding=1),
    pool(ops.max_pool1d, LINES, "indices", kernel_size=2, dilation=2, stride=1,
         return_indices=True),
    pool(ops.avg_pool2d, IMAGES, "tiles", kernel_size=2),
    pool(ops.avg_pool2d, IMAGES, "overlap", kernel_size=3, stride=2, padding=1),
    pool(ops.avg_pool2d, IMAGES, "without-pad", kernel_size=3, stride=2, padding=1,
         count_include_pad=False),
    pool(ops.avg_pool2d, IMAGES, "ceil", kernel_size=(3, 2), stride=3, padding=1, ceil_mode=True),
    pool(ops.avg_pool2d, IMAGES, "ceil-without-pad", kernel_size=2, stride=2, padding=1,
         ceil_mode=True, count_include_pad=False),
    pool(ops.avg_pool2d, IMAGES, "divisor", kernel_size=3, padding=1, divisor_override=5),
    pool(ops.avg_pool2d, IMAGE, "no-batch", kernel_size=(7, 6)),
    pool(ops.avg_pool1d, LINES, "", kernel_size=3, stride=2, padding=1),
    pool(ops.avg_pool1d, LINES, "ceil", kernel_size=2, ceil_mode=True, count_include_pad=False),
    *[adaptive(ops.adaptive_avg_pool2d, IMAGES, o) for o in (1, 3, (7, 6), (2, None), (9, 4))],
    adaptive(ops.adaptive_avg_pool2d, IMAGE, 2),
    *[adaptive(ops.adaptive_avg_pool1d, LINES, o) for o in (1, 4, 9)],
]  # fmt: skip
# The two cases of one op with the same output size differ in their note.
CASES[-4] = Case(
    ops.adaptive_avg_pool2d, (IMAGE,), adaptive_reference(2), {"output_size": 2}, "no-batch"
)

x = pellucid.zeros(8, 3, 5, 32)
ERRORS = [
    ErrorCase(
        "max-pool-axes",
        lambda: ops.max_pool2d(x[0, 0], 2),
        ShapeError,
        "max_pool2d: x has 2 axes, but must have 4 (N, C, H, W) or 3 (C, H, W)\n"
        "  x (5, 32)\n"
        "  fix: reshape or unsqueeze x",
    ),
    ErrorCase(
        "avg-pool-axes",
        lambda: ops.avg_pool1d(x, 2),
        ShapeError,
        "avg_pool1d: x has 4 axes, but must have 3 (N, C, W) or 2 (C, W)\n"
        "  x (8, 3, 5, 32)\n"
        "  fix: reshape or unsqueeze x",
    ),
    ErrorCase(
        "max-pool-window",
        lambda: ops.max_pool2d(x, 3, dilation=3),
        ShapeError,
        "max_pool2d: no window of 7 fits into H=5 padded by 0 on each side\n"
        "  x (N=8, C=3, H=5, W=32)    window (3, 3) with dilation (3, 3)\n"
        "  fix: use a smaller kernel_size, or a larger x",
    ),
    ErrorCase(
        "max-pool-window-no-batch",
        lambda: ops.avg_pool2d(x[0], 6),
        ShapeError,
        "avg_pool2d: no window of 6 fits into H=5 padded by 0 on each side\n"
        "  x (C=3, H=5, W=32)    window (6, 6) with dilation (1, 1)\n"
        "  fix: use a smaller kernel_size, or a larger x",
    ),
    ErrorCase(
        "max-pool-padding",
        lambda: ops.max_pool2d(x, 3, padding=(0, 2)),
        ArgumentError,
        "max_pool2d: padding=2 along W is more than half of the kernel, 3\n"
        "  fix: use pellucid.pad, with the value that the frame should have",
    ),
    ErrorCase(
        "max-pool-kernel",
        lambda: ops.max_pool2d(x, (2, 2, 2)),
        ArgumentError,
        "max_pool2d: kernel_size=(2, 2, 2) does not say one number for each of 2 spatial axes\n"
        "  fix: give one integer, or one for each axis",
    ),
    ErrorCase(
        "avg-pool-float",
        lambda: ops.avg_pool2d(x, (2.0, 2)),
        ArgumentError,
        "avg_pool2d: kernel_size=(2.0, 2) does not say one number for each of 2 spatial axes\n"
        "  fix: give one integer, or one for each axis",
    ),
    ErrorCase(
        "avg-pool-stride",
        lambda: ops.avg_pool2d(x, 2, stride=0),
        ArgumentError,
        "avg_pool2d: stride=0 is less than 1\n  fix: use 1 or more",
    ),
    ErrorCase(
        "avg-pool-divisor",
        lambda: ops.avg_pool2d(x, 2, divisor_override=0),
        ArgumentError,
        "avg_pool2d: divisor_override=0 divides by 0\n  fix: use None or another number",
    ),
    ErrorCase(
        "max-pool-integers",
        lambda: ops.max_pool2d(x.long(), 2),
        DTypeError,
        "max_pool2d: x is int64, and the result is no integer\n  fix: cast it, as in x.float()",
    ),
    ErrorCase(
        "adaptive-size",
        lambda: ops.adaptive_avg_pool2d(x, (2, 0)),
        ArgumentError,
        "adaptive_avg_pool2d: output_size=(2, 0) is less than 1\n  fix: use 1 or more",
    ),
    ErrorCase(
        "adaptive-sizes",
        lambda: ops.adaptive_avg_pool2d(x, (2, None, 2)),
        ArgumentError,
        "adaptive_avg_pool2d: output_size=(2, None, 2) does not say one number for each of 2 "
        "spatial axes\n"
        "  fix: give one integer, or one for each axis",
    ),
    ErrorCase(
        "adaptive-empty",
        lambda: ops.adaptive_avg_pool1d(pellucid.zeros(2, 3, 0), 1),
        ShapeError,
        "adaptive_avg_pool1d: x has no elements to average\n"
        "  x (N=2, C=3, W=0)\n"
        "  fix: use spatial sizes above 0",
    ),
    ErrorCase(
        "max-pool-half-a-kernel",
        lambda: ops.max_pool2d(pellucid.zeros(1, 4, 4), 2.0),
        ArgumentError,
        "max_pool2d: kernel_size=2.0 does not say one number for each of 2 spatial axes\n"
        "  fix: give one integer, or one for each axis",
    ),
]
