"""Convolution with 1, 2 or 3 spatial axes: forward, its gradients, and the gradients of those.

Three functions, each linear in both of its arrays, and each the gradient of the other two:

    y  = Conv(x, w)               gx = ConvGradInput(gy, w)     gw = ConvGradWeight(gy, x)

so second and higher orders need no new kernel (docs/maths.md, 8). Not here: how any of them is
computed. Next room: kernels/conv/__init__.py, which chooses the algorithm.
"""

from __future__ import annotations

from typing import Any

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import ShapeError
from pellucid.kernels import conv as kernels
from pellucid.kernels.conv.spec import ConvSpec, PadsLike, SizesLike
from pellucid.ops.operands import check_tensor
from pellucid.tensor import Tensor


class Conv(Function):
    """The convolution: each output element is a window of x times the kernel, plus the bias."""

    equation = (
        "y[n,o,i,j] = b[o] + sum[c,u,v] x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw] * w[o,c,u,v]"
    )
    makes_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, spec: ConvSpec) -> Array:
        ctx.save_for_backward(x, w)
        ctx.spec, ctx.has_bias = spec, b is not None
        return kernels.forward(x.array, w.array, None if b is None else b.array, spec)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        x, w = ctx.saved_tensors
        need_x, need_w, need_b, _ = ctx.needs_input_grad
        gx = ConvGradInput.apply(gy, w, None, ctx.spec) if need_x else None
        gw = ConvGradWeight.apply(gy, x, ctx.spec) if need_w else None
        gb = ConvGradBias.apply(gy, ctx.spec, False) if need_b else None
        return gx, gw, gb, None


class ConvGradInput(Function):
    """The gradient by x: each gy spreads the kernel over the window it came from.

    Run forward, this is the transposed convolution (conv_transpose.py), which has a bias bx too.
    """

    equation = (
        "gx[n,c,h,w] = bx[c] + sum[o,u,v,i,j: h = i*sh + u*dh - ph, w = j*sw + v*dw - pw] "
        "gy[n,o,i,j] * w[o,c,u,v]"
    )
    makes_gradients = True

    @staticmethod
    def forward(ctx: Any, gy: Tensor, w: Tensor, bx: Tensor | None, spec: ConvSpec) -> Array:
        ctx.save_for_backward(gy, w)
        ctx.spec, ctx.has_bias = spec, bx is not None
        return kernels.grad_input(gy.array, w.array, spec, bx=None if bx is None else bx.array)

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> Any:
        gy, w = ctx.saved_tensors
        need_gy, need_w, need_bx, _ = ctx.needs_input_grad
        ggy = Conv.apply(ggx, w, None, ctx.spec) if need_gy else None
        gw = ConvGradWeight.apply(gy, ggx, ctx.spec) if need_w else None
        gbx = ConvGradBias.apply(ggx, ctx.spec, True) if need_bx else None
        return ggy, gw, gbx, None


class ConvGradWeight(Function):
    """The gradient by w: each gy adds its window of x."""

    equation = "gw[o,c,u,v] = sum[n,i,j] gy[n,o,i,j] * x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, x: Tensor, spec: ConvSpec) -> Array:
        ctx.save_for_backward(gy, x)
        ctx.spec = spec
        return kernels.grad_weight(gy.array, x.array, spec)

    @staticmethod
    def backward(ctx: Any, ggw: Tensor) -> Any:
        gy, x = ctx.saved_tensors
        need_gy, need_x, _ = ctx.needs_input_grad
        ggy = Conv.apply(x, ggw, None, ctx.spec) if need_gy else None
        gx = ConvGradInput.apply(gy, ggw, None, ctx.spec) if need_x else None
        return ggy, gx, None


class ConvGradBias(Function):
    """The gradient by b: the sum of gy over images and pixels; `transposed`, that by bx."""

    equation = "gb[o] = sum[n,i,j] gy[n,o,i,j]"

    @staticmethod
    def forward(ctx: Any, gy: Tensor, spec: ConvSpec, transposed: bool) -> Array:
        ctx.shape = gy.shape
        return kernels.grad_bias(gy.array, spec, transposed=transposed)

    @staticmethod
    def backward(ctx: Any, ggb: Tensor) -> Any:
        # (O) -> (1, O, 1, 1) -> (N, O, OH, OW)
        ggb = ggb.reshape((1, -1) + (1,) * (len(ctx.shape) - 2))
        return ggb.expand(ctx.shape), None, None


def check_axes(op: str, axes: int, x: Tensor, w: Tensor) -> None:
    """Hold x and w, which must be tensors, to the number of axes in the op's name."""
    check_tensor(op, "x", x)
    check_tensor(op, "w", w)
    if w.ndim != axes + 2 or x.ndim != axes + 2:
        letters = ["N C W", "N C H W", "N C D H W"][axes - 1]
        raise ShapeError(
            op,
            f"x has {x.ndim} axes and w {w.ndim}, but both must have {axes + 2}",
            f"x {x.shape}",
            f"w {w.shape}",
            fix=f"give x the axes ({', '.join(letters.split())}); one image becomes a batch "
            "with x[None]",
        )


def _conv(
    axes: int,
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    stride: SizesLike,
    padding: PadsLike,
    dilation: SizesLike,
    groups: int,
) -> Tensor:
    check_axes(f"conv{axes}d", axes, x, w)
    spec = ConvSpec.from_shapes(x.shape, w.shape, stride, padding, dilation, groups)
    return Conv.apply(x, w, b, spec)


def conv1d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PadsLike = 0,
    dilation: SizesLike = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of x with w along one axis, plus b: `conv2d` with one axis less.

    Shapes: x (N, C, W), w (O, C/G, KW), b (O), y (N, O, OW).
    Raises: as `conv2d`.
    """
    return _conv(1, x, w, b, stride, padding, dilation, groups)


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PadsLike = 0,
    dilation: SizesLike = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution (cross-correlation) of x with w, plus b.

    Shapes: x (N, C, H, W), w (O, C/G, KH, KW), b (O) or None, y (N, O, OH, OW) with
    OH = floor((H + p_low + p_high - d (KH - 1) - 1) / s) + 1. `stride` and `dilation` are a number
    or one for each axis; `padding` also 'same' (OH = ceil(H / s)), 'valid', or (low, high) pairs.
    Maths: y[n,o,i,j] = b[o] + sum over c,u,v of x[n, c, i s + u d - p, j s + v d - p] w[o,c,u,v];
    the gradients are those of docs/maths.md, 4.
    Cost: 2 N O OH OW C/G KH KW operations, the same again for each gradient that is needed.
    Raises: ShapeError for sizes that do not fit, DTypeError for integers or mixed dtypes.

    >>> import pellucid
    >>> x = pellucid.arange(25.0).reshape(1, 1, 5, 5)
    >>> w = pellucid.ones(1, 1, 3, 3, requires_grad=True)
    >>> y = conv2d(x, w, stride=2)
    >>> y.shape
    (1, 1, 2, 2)
    >>> y.sum().backward()
    >>> w.grad[0, 0]
    tensor([[24., 28., 32.],
            [44., 48., 52.],
            [64., 68., 72.]])
    """
    return _conv(2, x, w, b, stride, padding, dilation, groups)


def conv3d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PadsLike = 0,
    dilation: SizesLike = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of x with w along three axes, plus b: `conv2d` with one axis more.

    Shapes: x (N, C, D, H, W), w (O, C/G, KD, KH, KW), b (O), y (N, O, OD, OH, OW).
    Raises: as `conv2d`.
    """
    return _conv(3, x, w, b, stride, padding, dilation, groups)
