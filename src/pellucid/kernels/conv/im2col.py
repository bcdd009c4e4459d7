"""Convolution as matrix products in plain NumPy: gather columns, multiply, scatter back.

The columns of a block of output pixels hold, for each pixel, all of x that its window sees; with
them the three directions are one matrix product each (docs/maths.md, 11). Columns are K times
larger than x, so there are never more than `WORKSPACE` bytes of them (or one column, if that is
more): a block is a run of images, or of output rows of one image, or of pixels of one row.

`_gather` (im2col) and `_scatter` (col2im) walk the same taps and read and write x where it lies,
without a padded copy: a tap that falls outside of x reads 0 and writes nowhere.

Not here: threads, and anything faster than NumPy's own matrix product.
Next room: __init__.py, where the others will stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType
from pellucid.kernels.conv.spec import ConvSpec, Direction, Sizes
from pellucid.kernels.layout import as_channels_last, empty_channels_last
from pellucid.kernels.native import module

Block: TypeAlias = tuple[slice, ...]  # images, then output rows of each axis
Index: TypeAlias = tuple[int | slice, ...]
Overlaps: TypeAlias = list[list[tuple[slice, slice]]]  # [axis][tap]: output rows, rows of x

# Bytes of columns and of gy at a time: few enough to be still in the cache when they are used.
WORKSPACE = 4 << 20
# With fewer channels in a group than this, copies run along pixels, else along channels. Measured
# on a forward pass: pixels are three times faster at 3 channels, channels 1.3 times at 16.
FEW_CHANNELS = 16


def refuses(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Nothing: every spec has columns."""
    return None


def slower(spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
    """Only where the register tile is there; what follows in the list is slower still."""
    return None if module is None else "matrix products of NumPy, with columns to copy"


def workspace(spec: ConvSpec, direction: Direction, dtype: DType) -> int:
    """Return the most bytes that a call takes beside its result: columns, weights, and gx twice."""
    column = prod(spec.kernel) * spec.in_channels + spec.out_channels
    gx = prod(spec.x_shape) if direction == "grad_input" else 0
    return max(WORKSPACE, dtype.itemsize * column) + dtype.itemsize * (2 * prod(spec.w_shape) + gx)


def forward(
    x: Array, w: Array, b: Array | None, spec: ConvSpec, ceiling: float | None = None
) -> Array:
    """Return y, channels-last."""
    y = empty_channels_last(spec.y_shape, x.dtype)
    x_last, y_last = _channels_by_group(x, spec), np.moveaxis(y, 1, -1)
    # (G, O/G, K C/G) -> (G, K C/G, O/G)
    weights = _weight_rows(w, spec).swapaxes(1, 2)
    for block, taps, columns in _blocks(spec, x.dtype):
        _gather(taps, x_last, block, spec)
        # (G, P, K C/G) @ (G, K C/G, O/G) -> (G, P, O/G)
        np.matmul(columns, weights, out=_pixel_rows(y_last[block], spec))
        if b is not None:
            y_last[block] += b
    return y if ceiling is None else np.clip(y, 0, ceiling, out=y)


def grad_input(gy: Array, w: Array, spec: ConvSpec, bx: Array | None = None) -> Array:
    """Return gx, channels-last."""
    gx = _zeros_as_columns(spec, gy.dtype)
    if bx is not None:
        gx += bx.reshape(-1, *(1,) * spec.axes)
    gx_last, gy_last = _channels_by_group(gx, spec), np.moveaxis(gy, 1, -1)
    weights = _weight_rows(w, spec)
    for block, taps, columns in _blocks(spec, gy.dtype):
        # (G, P, O/G) @ (G, O/G, K C/G) -> (G, P, K C/G)
        np.matmul(_pixel_rows(gy_last[block], spec), weights, out=columns)
        _scatter(taps, gx_last, block, spec)
    return as_channels_last(gx)


def grad_weight(gy: Array, x: Array, spec: ConvSpec) -> Array:
    """Return gw, summed over blocks in the order of the images and rows."""
    C, G = spec.in_channels, spec.groups
    x_last, gy_last = _channels_by_group(x, spec), np.moveaxis(gy, 1, -1)
    gw = np.zeros((G, spec.out_channels // G, prod(spec.kernel) * C // G), gy.dtype)
    for block, taps, columns in _blocks(spec, gy.dtype):
        _gather(taps, x_last, block, spec)
        # (G, O/G, P) @ (G, P, K C/G) -> (G, O/G, K C/G)
        gw += _pixel_rows(gy_last[block], spec).swapaxes(1, 2) @ columns
    # (G, O/G, K C/G) -> (O, KH, KW, C/G) -> (O, C/G, KH, KW)
    return np.ascontiguousarray(np.moveaxis(gw.reshape(-1, *spec.kernel, C // G), -1, 1))


def _blocks(spec: ConvSpec, dtype: DType) -> Iterator[tuple[Block, Array, Array]]:
    """Cut y into blocks, and yield each with the memory of its columns, seen in two ways.

    The memory is one and the same for all blocks. It is seen as (KH, KW, N, OH, OW, G, C/G), of
    which `_gather` and `_scatter` use one tap after the other, and as (G, P, K C/G), which the
    matrix products use, where P = N OH OW are the pixels of the block.
    """
    column = prod(spec.kernel) * spec.in_channels
    extents = _extents(spec, WORKSPACE // ((column + spec.out_channels) * dtype.itemsize))
    memory = np.empty(prod(extents) * column, dtype)
    sizes = (spec.batch, *spec.out_size)
    for starts in product(*map(range, (0,) * len(sizes), sizes, extents)):
        block = tuple(
            slice(start, min(start + extent, size))
            for start, extent, size in zip(starts, extents, sizes, strict=True)
        )
        yield block, *_views(memory, block, spec)


def _extents(spec: ConvSpec, pixels: int) -> Sizes:
    """Return how many images and output rows a block has, so that y[block] has no gaps.

    Axes are taken whole from the innermost on, as long as there is room for so many pixels.
    """
    extents = []
    for size in reversed((spec.batch, *spec.out_size)):
        extents.append(max(1, min(size, pixels)))
        pixels //= extents[-1]
    return tuple(reversed(extents))


def _views(memory: Array, block: Block, spec: ConvSpec) -> tuple[Array, Array]:
    """Return the columns of a block as taps and as a matrix for each group (see `_blocks`)."""
    G, C = spec.groups, spec.in_channels // spec.groups
    rows = tuple(part.stop - part.start for part in block)
    P, K, axes = prod(rows), prod(spec.kernel), spec.axes
    used = memory[: G * P * K * C]
    if C < FEW_CHANNELS:
        # (G, KH, KW, C/G, N, OH, OW) -> (KH, KW, N, OH, OW, G, C/G)
        taps = np.moveaxis(used.reshape(G, *spec.kernel, C, *rows), (0, axes + 1), (-2, -1))
        # (G, K C/G, P) -> (G, P, K C/G)
        return taps, used.reshape(G, K * C, P).swapaxes(1, 2)
    # (G, N, OH, OW, KH, KW, C/G) -> (KH, KW, C/G, G, N, OH, OW) -> (KH, KW, N, OH, OW, G, C/G)
    taps = np.moveaxis(
        used.reshape(G, *rows, *spec.kernel, C), range(-axes - 1, 0), range(axes + 1)
    )
    taps = np.moveaxis(taps, (axes + 1, axes), (-2, -1))
    return taps, used.reshape(G, P, K * C)


def _gather(taps: Array, x_last: Array, block: Block, spec: ConvSpec) -> None:
    """Fill columns: taps[u,v,n,i,j] = x[n, i s + u d - p, j s + v d - p], and 0 outside of x."""
    overlaps = _overlaps(block, spec)
    _clear_outside(taps, overlaps)
    for in_taps, in_x in _meetings(overlaps, block):
        taps[in_taps] = x_last[in_x]


def _scatter(taps: Array, gx_last: Array, block: Block, spec: ConvSpec) -> None:
    """Add columns up: gx[n, i s + u d - p, j s + v d - p] += taps[u,v,n,i,j], where inside of x."""
    for in_taps, in_x in _meetings(_overlaps(block, spec), block):
        gx_last[in_x] += taps[in_taps]


def _overlaps(block: Block, spec: ConvSpec) -> Overlaps:
    """Return for each axis and tap u which rows i of the block have 0 <= i s + u d - p < in.

    With them come the rows i s + u d - p of x, a slice of step s. The rows i count from the start
    of the block.
    """
    return [
        [_overlap(rows, u * d - low, s, size) for u in range(k)]
        for rows, k, d, (low, _), s, size in zip(
            block[1:],
            spec.kernel,
            spec.dilation,
            spec.padding,
            spec.stride,
            spec.in_size,
            strict=True,
        )
    ]


def _overlap(rows: slice, offset: int, stride: int, size: int) -> tuple[slice, slice]:
    """Return the rows i with 0 <= i s + offset < size, and the rows i s + offset of x."""
    first = max(rows.start, -(offset // stride))
    stop = min(rows.stop, (size - 1 - offset) // stride + 1)
    if first >= stop:
        return slice(0, 0), slice(0, 0)
    out = slice(first - rows.start, stop - rows.start)
    return out, slice(first * stride + offset, (stop - 1) * stride + offset + 1, stride)


def _meetings(overlaps: Overlaps, block: Block) -> Iterator[tuple[Index, Index]]:
    """Yield for each tap (u,v) where it meets x: the index into the taps and the index into x."""
    for tap in product(*(range(len(of_axis)) for of_axis in overlaps)):
        out, read = zip(
            *(of_axis[u] for of_axis, u in zip(overlaps, tap, strict=True)), strict=True
        )
        yield (*tap, slice(None), *out), (block[0], *read)


def _clear_outside(taps: Array, overlaps: Overlaps) -> None:
    """Set the columns to 0 where a tap falls outside of x along some axis."""
    axes = len(overlaps)
    for axis, of_axis in enumerate(overlaps):
        # (KH, KW, N, OH, OW, G, C/G) -> (K, O, ...) of this axis
        by_row = np.moveaxis(taps, (axis, axes + 1 + axis), (0, 1))
        for u, (out, _) in enumerate(of_axis):
            by_row[u, : out.start] = 0
            by_row[u, out.stop :] = 0


def _weight_rows(w: Array, spec: ConvSpec) -> Array:
    """(O, C/G, KH, KW) -> (O, KH, KW, C/G) -> (G, O/G, K C/G), in the order of the columns."""
    G = spec.groups
    return np.moveaxis(w, 1, -1).reshape(G, spec.out_channels // G, -1)


def _pixel_rows(part: Array, spec: ConvSpec) -> Array:
    """(N, OH, OW, O) -> (P, G, O/G) -> (G, P, O/G): a view where the part has no gaps."""
    G = spec.groups
    return part.reshape(-1, G, spec.out_channels // G).swapaxes(0, 1)


def _channels_by_group(x: Array, spec: ConvSpec) -> Array:
    """(N, C, H, W) -> (N, H, W, C) -> (N, H, W, G, C/G), always a view."""
    G, C = spec.groups, spec.in_channels
    return np.moveaxis(x, 1, -1).reshape(spec.batch, *spec.in_size, G, C // G)


def _zeros_as_columns(spec: ConvSpec, dtype: DType) -> Array:
    """Return zeros (N, C, H, W) whose innermost axis is that of the columns: pixels or channels."""
    N, C, *in_size = spec.x_shape
    if C // spec.groups < FEW_CHANNELS:
        return np.zeros((N, C, *in_size), dtype)
    return np.moveaxis(np.zeros((N, *in_size, C), dtype), -1, 1)
