"""A second oracle, for convolutions on which the loops of reference.py would take minutes.

One matrix product for each tap, over x in a frame of zeros, in the dtype of what it is given; it
shares no code with any algorithm. test_oracle.py holds it to reference.py, exactly, on small specs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.conv import ConvSpec

Index = tuple[Any, ...]


def forward(x: Array, w: Array, b: Array | None, spec: ConvSpec) -> Array:
    y = np.zeros(_pixels(spec), x.dtype)
    framed = _framed(x, spec)
    for weights, at in _taps(w, spec):
        # (G, O/G, C/G) @ (N, G, C/G, P) -> (N, G, O/G, P)
        y += weights @ framed[at].reshape(spec.batch, spec.groups, weights.shape[2], y.shape[3])
    return _with_bias(y.reshape(spec.y_shape), b, spec)


def grad_input(gy: Array, w: Array, spec: ConvSpec, bx: Array | None = None) -> Array:
    framed = np.zeros(_frame_shape(spec), gy.dtype)
    by_group = gy.reshape(_pixels(spec))
    for weights, at in _taps(w, spec):
        # (G, C/G, O/G) @ (N, G, O/G, P) -> (N, G, C/G, P)
        framed[at] += (weights.swapaxes(1, 2) @ by_group).reshape(framed[at].shape)
    gx = np.zeros(spec.x_shape, gy.dtype)
    in_frame, in_x = _places(spec)
    gx[in_x] = framed[in_frame]
    return _with_bias(gx, bx, spec)


def grad_weight(gy: Array, x: Array, spec: ConvSpec) -> Array:
    framed, by_group = _framed(x, spec), gy.reshape(_pixels(spec))
    gw = np.zeros(spec.w_shape, x.dtype)
    for part, at in _taps(gw, spec):
        seen = framed[at].reshape(spec.batch, spec.groups, part.shape[2], by_group.shape[3])
        # (N, G, O/G, P) @ (N, G, P, C/G) -> (N, G, O/G, C/G)
        part[...] = (by_group @ seen.swapaxes(2, 3)).sum(axis=0)
    return gw


def grad_bias(gy: Array, spec: ConvSpec) -> Array:
    return gy.sum(axis=(0, *range(2, gy.ndim)))


def _with_bias(y: Array, b: Array | None, spec: ConvSpec) -> Array:
    return y if b is None else y + b.reshape(-1, *(1,) * spec.axes)


def _pixels(spec: ConvSpec) -> tuple[int, ...]:
    """(N, G, O/G, P), where P = OH OW are all pixels of an image."""
    G, O = spec.groups, spec.out_channels
    return spec.batch, G, O // G, int(np.prod(spec.out_size))


def _taps(w: Array, spec: ConvSpec) -> Iterator[tuple[Array, Index]]:
    """Yield the weights of a tap, a view (G, O/G, C/G), and what they meet in the frame."""
    # (O, C/G, KH, KW) -> (G, O/G, C/G, KH, KW)
    by_group = w.reshape(spec.groups, -1, *w.shape[1:])
    for tap in np.ndindex(spec.kernel):
        rows = (
            slice(u * d, u * d + (out - 1) * s + 1, s)
            for u, d, s, out in zip(tap, spec.dilation, spec.stride, spec.out_size, strict=True)
        )
        yield by_group[(..., *tap)], (slice(None), slice(None), *rows)


def _frame_shape(spec: ConvSpec) -> tuple[int, ...]:
    sizes = (sum(pad, size) for size, pad in zip(spec.in_size, spec.padding, strict=True))
    return spec.batch, spec.in_channels, *sizes


def _places(spec: ConvSpec) -> tuple[Index, Index]:
    """Return where x lies in its frame, and which part of x that is where the frame crops it."""
    in_frame, in_x = [slice(None)] * 2, [slice(None)] * 2
    for size, (low, high) in zip(spec.in_size, spec.padding, strict=True):
        first, stop = max(low, 0), max(min(size + low + high, size + low), 0)
        first = min(first, stop)
        in_frame.append(slice(first, stop))
        in_x.append(slice(first - low, stop - low))
    return tuple(in_frame), tuple(in_x)


def _framed(x: Array, spec: ConvSpec) -> Array:
    framed = np.zeros(_frame_shape(spec), x.dtype)
    in_frame, in_x = _places(spec)
    framed[in_frame] = x[in_x]
    return framed
