"""Arrangements, against NumPy's own."""

from __future__ import annotations

import numpy as np
from ops.cases import Case, ErrorCase, Input

import pellucid
from pellucid import ops
from pellucid.errors import ArgumentError, ShapeError

X = Input((2, 3, 4), batched=True)
FRAME = Input((2, 4, 5), batched=True)
NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def listed(op):
    """An op on a list of tensors, as an op on several."""

    def call(*tensors, **options):
        return op(list(tensors), **options)

    call.__name__ = op.__name__
    return call


def pad_reference(x, pad, mode="constant", value=0):
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    crops = tuple(
        slice(max(-low, 0), size - max(-high, 0))
        for size, (low, high) in zip(x.shape, pairs, strict=True)
    )
    grown = [(max(low, 0), max(high, 0)) for low, high in pairs]
    if mode == "constant":
        return np.pad(x[crops], grown, constant_values=value)
    if x.size == 0:  # which NumPy refuses in these modes
        return np.pad(x, grown)
    return np.pad(x, grown, mode=NUMPY_MODES[mode])


def sum_to_size_reference(x, shape):
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return x.sum(axis=axes, keepdims=True)


def split_reference(x, sizes, dim=0):
    ends = range(sizes, x.shape[dim], sizes) if isinstance(sizes, int) else np.cumsum(sizes)[:-1]
    return tuple(np.split(x, ends, dim))


def flip_reference(x, dims):
    return np.flip(x, dims)


def permute_reference(x, dims):
    return x.transpose(dims)


def transpose_reference(x, dim0, dim1):
    return np.swapaxes(x, dim0, dim1)


def unsqueeze_reference(x, dim):
    return np.expand_dims(x, dim)


def flatten_reference(x, start_dim=0, end_dim=-1):
    end = end_dim % x.ndim
    joined = int(np.prod(x.shape[start_dim : end + 1]))
    return x.reshape(x.shape[:start_dim] + (joined,) + x.shape[end + 1 :])


CASES = [
    Case(ops.reshape, (Input((2, 3, 4)),), np.reshape, {"shape": (4, -1)}),
    Case(ops.reshape, (Input((1, 1)),), np.reshape, {"shape": ()}, note="to-0-d"),
    Case(ops.flatten, (Input((2, 3, 4)),), flatten_reference),
    Case(ops.flatten, (X,), flatten_reference, {"start_dim": 1}, note="from-1"),
    Case(ops.flatten, (X,), flatten_reference, {"start_dim": 1, "end_dim": 1}, note="one-axis"),
    Case(ops.permute, (X,), permute_reference, {"dims": (2, 0, 1)}),
    Case(
        ops.transpose, (X,), transpose_reference,
        {"dim0": -1, "dim1": 0},
    ),
    Case(ops.squeeze, (Input((1, 3, 1)),), lambda x: x[0, :, 0]),
    Case(ops.squeeze, (Input((1, 3, 1)),), lambda x, dim: x[0], {"dim": (0, 1)}, note="dims"),
    Case(ops.unsqueeze, (X,), unsqueeze_reference, {"dim": -2}),
    Case(
        ops.expand, (Input((3, 1)),), lambda x, shape: np.broadcast_to(x, (2, 3, 4)),
        {"shape": (2, -1, 4)},
    ),
    Case(ops.sum_to_size, (Input((2, 3, 4)),), sum_to_size_reference, {"shape": (3, 1)}),
    Case(ops.flip, (X,), flip_reference, {"dims": (0, -1)}),
    Case(
        ops.cast, (X,), lambda x, dtype: np.trunc(x).astype(int), {"dtype": pellucid.int64},
        gradient=False,
    ),
    Case(ops.clone, (X,), lambda x: x),
    Case(ops.contiguous, (X,), lambda x: x),
    Case(listed(ops.cat), (X, X), lambda a, b: np.concatenate([a, b])),
    Case(
        listed(ops.cat), (Input((2, 3)), Input((2, 1)), Input((2, 2))),
        lambda *xs, dim: np.concatenate(xs, dim), {"dim": -1}, note="sizes",
    ),
    Case(
        listed(ops.cat), (Input((2, 2, 3, 2)), Input((2, 1, 3, 2))),
        lambda *xs, dim: np.concatenate(xs, dim), {"dim": 1}, note="channels",
    ),
    Case(listed(ops.stack), (X, X), lambda *xs, dim: np.stack(xs, dim), {"dim": 1}),
    Case(ops.split, (Input((5, 2)),), split_reference, {"sizes": 2}),
    Case(ops.split, (X,), split_reference, {"sizes": [1, 0, 2], "dim": 1}, note="sizes"),
    Case(
        ops.chunk, (Input((2, 7)),), lambda x, chunks, dim: (x[:, :3], x[:, 3:6], x[:, 6:]),
        {"chunks": 3, "dim": 1},
    ),
    Case(ops.pad, (FRAME,), pad_reference, {"pad": (1, 2, 0, 3)}),
    Case(ops.pad, (FRAME,), pad_reference, {"pad": (2, 0), "value": 1.5}, note="value"),
    Case(ops.pad, (FRAME,), pad_reference, {"pad": (-1, 2, 1, -2)}, note="crop"),
    *[
        Case(ops.pad, (FRAME,), pad_reference, {"pad": (3, 2, 0, 3), "mode": mode}, mode)
        for mode in NUMPY_MODES
    ],
]  # fmt: skip

x = pellucid.zeros(2, 3)
ERRORS = [
    ErrorCase(
        "reshape",
        lambda: x.reshape(4, 2),
        ShapeError,
        "reshape: 6 elements do not fill shape (4, 2)\n"
        "  x (2, 3)\n"
        "  fix: choose sizes whose product is the number of elements, one of them may be -1",
    ),
    ErrorCase(
        "flatten-order",
        lambda: x.flatten(1, 0),
        ShapeError,
        "flatten: end_dim=0 lies before start_dim=1\n  fix: exchange them",
    ),
    ErrorCase(
        "permute-few",
        lambda: x.permute(1),
        ShapeError,
        "permute: dims=(1,) names 1 of 2 axes\n  x (2, 3)\n  fix: name every axis once",
    ),
    ErrorCase(
        "expand",
        lambda: x.expand(4, 3),
        ShapeError,
        "expand: shape (2, 3) does not expand to (4, 3): only axes of size 1 repeat\n"
        "  fix: unsqueeze an axis first",
    ),
    ErrorCase(
        "sum-to-size",
        lambda: x.sum_to_size(2),
        ShapeError,
        "sum_to_size: shape (2,) does not broadcast to (2, 3)\n"
        "  fix: give a shape with sizes equal or 1",
    ),
    ErrorCase(
        "cat-nothing",
        lambda: ops.cat([]),
        ShapeError,
        "cat: there is nothing to join\n  fix: pass at least one tensor",
    ),
    ErrorCase(
        "cat-shapes",
        lambda: ops.cat([x, pellucid.zeros(2, 4)]),
        ShapeError,
        "cat: tensor 1 of shape (2, 4) does not fit tensor 0 of shape (2, 3): all axes but dim=0 "
        "must be equal\n"
        "  fix: reshape it, or use stack for a new axis",
    ),
    ErrorCase(
        "stack-shapes",
        lambda: ops.stack([x, pellucid.zeros(3, 2)]),
        ShapeError,
        "stack: tensor 1 has shape (3, 2), tensor 0 (2, 3)\n"
        "  fix: give tensors of one shape, or use cat",
    ),
    ErrorCase(
        "split-sizes",
        lambda: ops.split(x, [1, 1], 1),
        ShapeError,
        "split: sizes [1, 1] add up to 2, axis 1 has 3 elements\n  fix: give sizes that add up",
    ),
    ErrorCase(
        "chunk-none",
        lambda: ops.chunk(x, 0),
        ArgumentError,
        "chunk: chunks=0 is less than 1\n  fix: use 1 or more",
    ),
    ErrorCase(
        "pad-mode",
        lambda: ops.pad(x, (1, 1), mode="mirror"),
        ArgumentError,
        "pad: there is no mode 'mirror'\n  fix: use one of constant, reflect, replicate, circular",
    ),
    ErrorCase(
        "pad-odd",
        lambda: ops.pad(x, (1, 1, 1)),
        ShapeError,
        "pad: 3 amounts are no (low, high) pairs for at most 2 axes\n"
        "  x (2, 3)\n"
        "  fix: give two amounts for each axis, the last axis first",
    ),
    ErrorCase(
        "pad-reflect",
        lambda: ops.pad(x, (3, 0), mode="reflect"),
        ShapeError,
        "pad: amounts (3, 0) do not fit axis 1 of size 3 in mode 'reflect'\n"
        "  x (2, 3)\n"
        "  fix: pad less, or use mode='constant'",
    ),
    ErrorCase(
        "split-zero",
        lambda: ops.split(pellucid.zeros(4), 0),
        ArgumentError,
        "split: sizes=0 are no sizes\n  fix: use 1 or more",
    ),
    ErrorCase(
        "split-negative",
        lambda: ops.split(pellucid.zeros(4), [5, -1]),
        ArgumentError,
        "split: sizes=[5, -1] are no sizes\n  fix: use 0 or more",
    ),
]
