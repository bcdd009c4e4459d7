"""The oracle: the four equations of a convolution as one walk over its windows, in float64.

    y [n,o,i,j]  = b[o] + sum over c,u,v  x[n, c, i s + u d - p, j s + v d - p] w[o,c,u,v]
    gx[n,c,h,w]  = sum over o,u,v and the i,j with  h = i s + u d - p,  w = j s + v d - p,
                   of  gy[n,o,i,j] w[o,c,u,v]
    gw[o,c,u,v]  = sum over n,i,j         gy[n,o,i,j] x[n, c, i s + u d - p, j s + v d - p]
    gb[o]        = sum over n,i,j         gy[n,o,i,j]

Wherever a tap (u,v) of a window (i,j) meets a pixel (h,w), forward adds x w into y, and the
gradients add gy w into gx and gy x into gw: the same meetings in the same order. Every other
algorithm is tested against this file, so it is plain rather than fast: n, c and o run inside a
small matrix product, all else in Python. Source: docs/maths.md, 1 and 4. Next room: im2col.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv.spec import ConvSpec, Direction

Index: TypeAlias = tuple[Any, ...]

_ALL = slice(None)


def refuses(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Nothing: the equations hold for every spec."""
    return None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Always: this is the oracle."""
    return "a walk in Python, the oracle of the others"


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result: all arrays in float64."""
    return 8 * spec.elements


def forward(
    x: Array, w: Array, b: Array | None, spec: ConvSpec, ceiling: float | None = None
) -> Array:
    """Return y, computed in float64 and rounded to the dtype of x."""
    x64, w64 = x.astype(np.float64), w.astype(np.float64)
    y = np.zeros(spec.y_shape)
    if b is not None:
        y += b.astype(np.float64).reshape(-1, *(1,) * spec.axes)
    for at_x, at_w, at_y in _meetings(spec):
        # (N, C/G) @ (C/G, O/G) -> (N, O/G)
        y[at_y] += x64[at_x] @ w64[at_w].T
    return (y if ceiling is None else np.clip(y, 0, ceiling)).astype(x.dtype)


def grad_input(gy: Array, w: Array, spec: ConvSpec, bx: Array | None = None) -> Array:
    """Return gx, computed in float64 and rounded to the dtype of gy."""
    gy64, w64 = gy.astype(np.float64), w.astype(np.float64)
    gx = np.zeros(spec.x_shape)
    if bx is not None:
        gx += bx.astype(np.float64).reshape(-1, *(1,) * spec.axes)
    for at_x, at_w, at_y in _meetings(spec):
        # (N, O/G) @ (O/G, C/G) -> (N, C/G)
        gx[at_x] += gy64[at_y] @ w64[at_w]
    return gx.astype(gy.dtype)


def grad_weight(gy: Array, x: Array, spec: ConvSpec) -> Array:
    """Return gw, computed in float64 and rounded to the dtype of gy."""
    gy64, x64 = gy.astype(np.float64), x.astype(np.float64)
    gw = np.zeros(spec.w_shape)
    for at_x, at_w, at_y in _meetings(spec):
        # (O/G, N) @ (N, C/G) -> (O/G, C/G)
        gw[at_w] += gy64[at_y].T @ x64[at_x]
    return gw.astype(gy.dtype)


def grad_bias(gy: Array, spec: ConvSpec) -> Array:
    """Return gb, computed in float64 and rounded to the dtype of gy."""
    gb = np.zeros(spec.b_shape)
    for position in np.ndindex(spec.out_size):
        at_y = (_ALL, _ALL, *position)
        gb += gy[at_y].astype(np.float64).sum(axis=0)
    return gb.astype(gy.dtype)


def _group(g: int, channels: int, spec: ConvSpec) -> slice:
    """Return which of the channels belong to group g."""
    return slice(g * channels // spec.groups, (g + 1) * channels // spec.groups)


def _meetings(spec: ConvSpec) -> Iterator[tuple[Index, Index, Index]]:
    """Yield where a tap of a window meets a pixel: the index into x, into w and into y."""
    for g in range(spec.groups):
        c, o = _group(g, spec.in_channels, spec), _group(g, spec.out_channels, spec)
        for window in np.ndindex(spec.out_size):
            for tap in np.ndindex(spec.kernel):
                pixel = tuple(
                    i * s + u * d - low
                    for i, s, u, d, (low, _) in zip(
                        window, spec.stride, tap, spec.dilation, spec.padding, strict=True
                    )
                )
                if all(0 <= h < H for h, H in zip(pixel, spec.in_size, strict=True)):
                    yield (_ALL, c, *pixel), (o, _ALL, *tap), (_ALL, o, *window)
