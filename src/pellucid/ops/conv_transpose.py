"""Transposed convolution with 1, 2 or 3 spatial axes: grad_input, run forward.

Each element of x spreads the kernel, scaled by it, over its window of y; where windows overlap,
they add up. The gradient by x of a convolution does just that, so the op is `ConvGradInput` under
another name, and its backward, to any order, is made of the same three functions.
Not here: which convolution it is the gradient of (kernels/conv/transposed.py). Next room: conv.py.
"""

from __future__ import annotations

from pellucid.errors import ShapeError, named_shape
from pellucid.kernels.conv.spec import SizesLike
from pellucid.kernels.conv.transposed import PairsLike, named_transposed, transposed_spec
from pellucid.ops.conv import ConvGradInput, check_axes
from pellucid.ops.operands import check_same_float
from pellucid.tensor import Tensor


class ConvTranspose(ConvGradInput):
    """`ConvGradInput` in the letters of its own output: gy is x, gx is y, and bx is b."""

    equation = (
        "y[n,o,h,w] = b[o] + sum[c,u,v,i,j: h = i*sh + u*dh - ph, w = j*sw + v*dw - pw] "
        "x[n,c,i,j] * w[c,o,u,v]"
    )


def _conv_transpose(
    axes: int,
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    stride: SizesLike,
    padding: PairsLike,
    output_padding: SizesLike,
    groups: int,
    dilation: SizesLike,
) -> Tensor:
    op = f"conv_transpose{axes}d"
    check_axes(op, axes, x, w)
    check_same_float(op, x=x, w=w, b=b)
    spec = transposed_spec(x.shape, w.shape, stride, padding, output_padding, groups, dilation)
    if b is not None and b.shape != spec.bx_shape:
        raise ShapeError(
            op,
            f"b has the shape {b.shape}, but w makes O={spec.in_channels} channels "
            f"(groups={spec.groups})",
            named_shape("b", "O", b.shape),
            named_transposed("w", w.shape),
            fix=f"give b the shape {spec.bx_shape}",
        )
    return ConvTranspose.apply(x, w, b, spec)


def conv_transpose1d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PairsLike = 0,
    output_padding: SizesLike = 0,
    groups: int = 1,
    dilation: SizesLike = 1,
) -> Tensor:
    """Return the transposed convolution along one axis: `conv_transpose2d` with one axis less.

    Shapes: x (N, C, W), w (C, O/G, KW), b (O), y (N, O, OW).
    Raises: as `conv_transpose2d`.
    """
    return _conv_transpose(1, x, w, b, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PairsLike = 0,
    output_padding: SizesLike = 0,
    groups: int = 1,
    dilation: SizesLike = 1,
) -> Tensor:
    """Return the transposed convolution of x with w, plus b.

    Shapes: x (N, C, H, W), w (C, O/G, KH, KW), b (O) or None, y (N, O, OH, OW) with
    OH = (H - 1) s - p_low - p_high + d (KH - 1) + 1 + output_padding. `padding` takes rows away
    from y, at both ends or as (low, high) pairs; `output_padding`, less than the stride or the
    dilation, is added at the high end, and leads to every size that a convolution takes to that
    of x.
    Maths: y[n,o,h,w] = b[o] + sum over c,u,v and the i,j with h = i s + u d - p,
    w = j s + v d - p, of x[n,c,i,j] w[c,o,u,v] (docs/maths.md, 9).
    Cost: 2 N C H W O/G KH KW operations, the same again for each gradient that is needed.
    Raises: ShapeError for sizes that do not fit, DTypeError for integers or mixed dtypes.

    >>> import pellucid
    >>> x = pellucid.tensor([[[[1.0, 10.0]]]])
    >>> conv_transpose2d(x, pellucid.ones(1, 1, 3, 3), stride=2)[0, 0]
    tensor([[ 1.,  1., 11., 10., 10.],
            [ 1.,  1., 11., 10., 10.],
            [ 1.,  1., 11., 10., 10.]])
    """
    return _conv_transpose(2, x, w, b, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PairsLike = 0,
    output_padding: SizesLike = 0,
    groups: int = 1,
    dilation: SizesLike = 1,
) -> Tensor:
    """Return the transposed convolution along three axes: `conv_transpose2d` with one axis more.

    Shapes: x (N, C, D, H, W), w (C, O/G, KD, KH, KW), b (O), y (N, O, OD, OH, OW).
    Raises: as `conv_transpose2d`.
    """
    return _conv_transpose(3, x, w, b, stride, padding, output_padding, groups, dilation)
