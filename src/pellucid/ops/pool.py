"""Pooling: the largest element or the mean of each window, along one or two spatial axes.

A mean is linear and a maximum is linear once its taps are known, so each gradient and its adjoint
are a pair, `...Pool` and `...PoolGrad`, closed under differentiation.
Not here: how they are computed. Next room: kernels/pool.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import ArgumentError, ShapeError, named_shape
from pellucid.kernels import pool as kernels
from pellucid.kernels.pool import PoolSpec, Sizes
from pellucid.ops.operands import check_float
from pellucid.tensor import Tensor

SizesLike: TypeAlias = "int | Sequence[int]"


class MaxPool(Function):
    """The largest element of each window; a NaN is larger than all."""

    equation = "y[n,c,i,j] = max[u,v] x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw]"
    makes_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, spec: PoolSpec, with_indices: bool) -> Any:
        if not (ctx.needs_input_grad[0] or with_indices):
            return kernels.max_forward(x.array, spec)
        y, taps = kernels.max_with_taps(x.array, spec)
        ctx.save_for_backward(taps)
        ctx.spec = spec
        return (y, kernels.max_indices(taps, spec)) if with_indices else y

    @staticmethod
    def backward(ctx: Any, gy: Tensor, *_: Tensor) -> Any:
        (taps,) = ctx.saved_tensors
        return MaxPoolGrad.apply(gy, taps, ctx.spec), None, None


class MaxPoolGrad(Function):
    """Each gy, added where its window's largest element came from."""

    equation = "gx[n,c,h,w] = sum[i,j: (h,w) is the first largest of window (i,j)] gy[n,c,i,j]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, taps: Tensor, spec: PoolSpec) -> Array:
        ctx.save_for_backward(taps)
        ctx.spec = spec
        return kernels.max_scatter(gy.array, taps.array, spec)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        (taps,) = ctx.saved_tensors
        return MaxPoolPick.apply(ggx, taps, ctx.spec), None, None


class MaxPoolPick(Function):
    """The element of each window at a tap that is already known."""

    equation = "y[n,c,i,j] = x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw], (u,v) = taps[n,c,i,j]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor, spec: PoolSpec) -> Array:
        ctx.save_for_backward(taps)
        ctx.spec = spec
        return kernels.max_pick(x.array, taps.array, spec)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        (taps,) = ctx.saved_tensors
        return MaxPoolGrad.apply(gy, taps, ctx.spec), None, None


class AvgPool(Function):
    """The sum of each window over its divisor."""

    equation = "y[n,c,i,j] = sum[u,v] x[n, c, i*sh + u - ph, j*sw + v - pw] / divisor[i,j]"

    @staticmethod
    def forward(ctx: Any, x: Tensor, spec: PoolSpec, divisor: Array) -> Array:
        ctx.spec, ctx.divisor = spec, divisor
        return kernels.mean_forward(x.array, divisor, spec)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return AvgPoolGrad.apply(gy, ctx.spec, ctx.divisor), None, None


class AvgPoolGrad(Function):
    """Each gy, spread evenly over its window."""

    equation = (
        "gx[n,c,h,w] = sum[i,j,u,v: h = i*sh + u - ph, w = j*sw + v - pw] "
        "gy[n,c,i,j] / divisor[i,j]"
    )

    @staticmethod
    def forward(ctx: Any, gy: Tensor, spec: PoolSpec, divisor: Array) -> Array:
        ctx.spec, ctx.divisor = spec, divisor
        return kernels.mean_scatter(gy.array, divisor, spec)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        return AvgPool.apply(ggx, ctx.spec, ctx.divisor), None, None


class AdaptiveAvgPool(Function):
    """The mean of each of a given number of windows that cover x evenly."""

    equation = (
        "y[n,c,i,j] = mean[h,w: floor(i*H/OH) <= h < ceil((i+1)*H/OH), "
        "floor(j*W/OW) <= w < ceil((j+1)*W/OW)] x[n,c,h,w]"
    )

    @staticmethod
    def forward(ctx: Any, x: Tensor, out_size: Sizes) -> Array:
        ctx.in_size = x.shape[-len(out_size) :]
        return kernels.adaptive_mean(x.array, out_size)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        return AdaptiveAvgPoolGrad.apply(gy, ctx.in_size), None


class AdaptiveAvgPoolGrad(Function):
    """Each gy, spread evenly over its window."""

    equation = "gx[n,c,h,w] = sum[i,j: (h,w) in window (i,j)] gy[n,c,i,j] / count[i,j]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, in_size: Sizes) -> Array:
        ctx.out_size = gy.shape[-len(in_size) :]
        return kernels.adaptive_spread(gy.array, in_size)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        return AdaptiveAvgPool.apply(ggx, ctx.out_size), None


def _named(shape: Sizes, axes: int) -> str:
    batch = "N " if len(shape) == axes + 2 else ""
    return named_shape("x", f"{batch}C {' '.join('HW'[-axes:])}", shape)


def _check_x(op: str, axes: int, x: Tensor) -> None:
    check_float(op, "x", x)
    if x.ndim not in (axes + 1, axes + 2):
        letters = ", ".join("HW"[-axes:])
        raise ShapeError(
            op,
            f"x has {x.ndim} axes, but must have {axes + 2} (N, C, {letters}) or {axes + 1} "
            f"(C, {letters})",
            f"x {x.shape}",
            fix="reshape or unsqueeze x",
        )


def _per_axis(op: str, name: str, value: SizesLike, axes: int, least: int) -> Sizes:
    """Return an option as one number for each axis, each at least `least`."""
    sizes = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    sizes = sizes * axes if len(sizes) == 1 else sizes
    if len(sizes) != axes or any(not isinstance(size, int) for size in sizes):
        raise ArgumentError(
            op,
            f"{name}={value} does not say one number for each of {axes} spatial axes",
            fix="give one integer, or one for each axis",
        )
    if min(sizes) < least:
        raise ArgumentError(op, f"{name}={value} is less than {least}", fix=f"use {least} or more")
    return sizes


def _spec(
    op: str,
    axes: int,
    x: Tensor,
    kernel_size: SizesLike,
    stride: SizesLike | None,
    padding: SizesLike,
    dilation: SizesLike,
    ceil_mode: bool,
) -> PoolSpec:
    _check_x(op, axes, x)
    options = (kernel_size, kernel_size if stride is None else stride, padding, dilation)
    hashable = [o if isinstance(o, (int, float, tuple)) else tuple(o) for o in options]
    return _spec_of(op, axes, x.shape, *hashable, ceil_mode)


@lru_cache
def _spec_of(
    op: str,
    axes: int,
    shape: Sizes,
    kernel_size: SizesLike,
    stride: SizesLike,
    padding: SizesLike,
    dilation: SizesLike,
    ceil_mode: bool,
) -> PoolSpec:
    """The same object for the same call, which keeps what a kernel knows of it."""
    spec = PoolSpec(
        in_size=shape[-axes:],
        kernel=_per_axis(op, "kernel_size", kernel_size, axes, 1),
        stride=_per_axis(op, "stride", stride, axes, 1),
        padding=_per_axis(op, "padding", padding, axes, 0),
        dilation=_per_axis(op, "dilation", dilation, axes, 1),
        ceil_mode=ceil_mode,
    )
    _check_windows(op, shape, spec)
    return spec


def _check_windows(op: str, shape: Sizes, spec: PoolSpec) -> None:
    axes = len(spec.kernel)
    for k, axis in enumerate("HW"[-axes:]):
        window = (spec.kernel[k] - 1) * spec.dilation[k] + 1
        p = spec.padding[k]
        if p > spec.kernel[k] // 2:
            raise ArgumentError(
                op,
                f"padding={p} along {axis} is more than half of the kernel, {spec.kernel[k]}",
                fix="use pellucid.pad, with the value that the frame should have",
            )
        if spec.out_size[k] < 1:
            raise ShapeError(
                op,
                f"no window of {window} fits into {axis}={spec.in_size[k]} padded by {p} on each "
                "side",
                _named(shape, axes),
                f"window {spec.kernel} with dilation {spec.dilation}",
                fix="use a smaller kernel_size, or a larger x",
            )


def max_pool1d(
    x: Tensor,
    kernel_size: SizesLike,
    stride: SizesLike | None = None,
    padding: SizesLike = 0,
    dilation: SizesLike = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of each window along one axis: `max_pool2d` with one axis less.

    Shapes: x (N, C, W) or (C, W), y (N, C, OW) or (C, OW).
    Raises: as `max_pool2d`.
    """
    spec = _spec("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode)
    return MaxPool.apply(x, spec, return_indices)


def max_pool2d(
    x: Tensor,
    kernel_size: SizesLike,
    stride: SizesLike | None = None,
    padding: SizesLike = 0,
    dilation: SizesLike = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of each window, and with `return_indices` its place h W + w.

    Shapes: x (N, C, H, W) or (C, H, W), y (N, C, OH, OW) or (C, OH, OW) with
    OH = floor((H + 2 p - d (KH - 1) - 1) / s) + 1. `ceil_mode` takes ceil instead, but no window
    starts behind the padded low end of x. `stride` is `kernel_size` when not given.
    Maths: y[n,c,i,j] = max over u,v of x[n, c, i s + u d - p, j s + v d - p] inside of x; the
    gradient goes to the first of equal elements. A NaN is larger than all.
    Cost: KH KW comparisons for each output.
    Raises: ShapeError when no window fits, ArgumentError for an option outside its range,
    DTypeError for integers.

    >>> import pellucid
    >>> x = pellucid.tensor([[[1.0, 2.0, 5.0, 6.0], [3.0, 4.0, 7.0, 8.0]]])
    >>> max_pool2d(x, 2)
    tensor([[[4., 8.]]])
    """
    spec = _spec("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode)
    return MaxPool.apply(x, spec, return_indices)


@lru_cache
def _divisor(spec: PoolSpec, count_include_pad: bool, override: int | None) -> Array:
    counts = spec.counts(count_include_pad)
    return counts if override is None else np.full_like(counts, override)


def _avg_pool(
    op: str, x: Tensor, spec: PoolSpec, count_include_pad: bool, divisor_override: int | None
) -> Tensor:
    if divisor_override == 0:
        raise ArgumentError(op, "divisor_override=0 divides by 0", fix="use None or another number")
    return AvgPool.apply(x, spec, _divisor(spec, count_include_pad, divisor_override))


def avg_pool1d(
    x: Tensor,
    kernel_size: SizesLike,
    stride: SizesLike | None = None,
    padding: SizesLike = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window along one axis: `avg_pool2d` with one axis less.

    Shapes: x (N, C, W) or (C, W), y (N, C, OW) or (C, OW).
    Raises: as `avg_pool2d`.
    """
    spec = _spec("avg_pool1d", 1, x, kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool("avg_pool1d", x, spec, count_include_pad, None)


def avg_pool2d(
    x: Tensor,
    kernel_size: SizesLike,
    stride: SizesLike | None = None,
    padding: SizesLike = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window.

    Shapes: as `max_pool2d` with dilation 1.
    Maths: y[n,c,i,j] = sum over u,v of x[n, c, i s + u - p, j s + v - p] / D, with zeros in the
    padding; D counts the elements of the window, those in the padding only with
    `count_include_pad` and those beyond it never, or is `divisor_override`.
    Cost: KH KW additions for each output.
    Raises: ShapeError when no window fits, ArgumentError for an option outside its range,
    DTypeError for integers.

    >>> import pellucid
    >>> x = pellucid.tensor([[[1.0, 2.0, 5.0, 6.0], [3.0, 4.0, 7.0, 8.0]]])
    >>> avg_pool2d(x, 2)
    tensor([[[2.5, 6.5]]])
    """
    spec = _spec("avg_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool("avg_pool2d", x, spec, count_include_pad, divisor_override)


def _adaptive_avg_pool(
    op: str, axes: int, x: Tensor, output_size: int | Sequence[int | None] | None
) -> Tensor:
    _check_x(op, axes, x)
    in_size = x.shape[-axes:]
    wanted = output_size if isinstance(output_size, Sequence) else (output_size,) * axes
    # Sizes that are too few or too many, perhaps with a None among them, are refused next
    known: Any = wanted
    if len(wanted) == axes:
        known = tuple(
            [size if out is None else out for out, size in zip(wanted, in_size, strict=True)]
        )
    out_size = _per_axis(op, "output_size", known, axes, 1)
    if 0 in in_size:
        raise ShapeError(
            op,
            "x has no elements to average",
            _named(x.shape, axes),
            fix="use spatial sizes above 0",
        )
    return AdaptiveAvgPool.apply(x, out_size)


def adaptive_avg_pool1d(x: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """Return the means of `output_size` windows: `adaptive_avg_pool2d` with one axis less.

    Shapes: x (N, C, W) or (C, W), y (N, C, OW) or (C, OW).
    Raises: as `adaptive_avg_pool2d`.
    """
    return _adaptive_avg_pool("adaptive_avg_pool1d", 1, x, output_size)


def adaptive_avg_pool2d(x: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """Return the means of `output_size` windows that cover x evenly, whatever its size.

    Shapes: x (N, C, H, W) or (C, H, W), y (N, C, OH, OW) or (C, OH, OW) with (OH, OW) =
    output_size; one number means both, None the size of x.
    Maths: window i runs from floor(i H / OH) to ceil((i + 1) H / OH).
    Cost: one addition for each element of each window.
    Raises: ShapeError for another number of axes, ArgumentError for an output size below 1,
    DTypeError for integers.

    >>> import pellucid
    >>> adaptive_avg_pool2d(pellucid.arange(10.0).reshape(1, 2, 5), 1)
    tensor([[[4.5]]])
    """
    return _adaptive_avg_pool("adaptive_avg_pool2d", 2, x, output_size)
