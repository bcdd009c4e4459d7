"""Convolution with the ReLU that follows it, in the pass that writes y.

Results and gradients are those of the parts, to the last bit.
Not here: the parts (conv.py, activation.py). Next room: kernels/conv/__init__.py.
"""

from __future__ import annotations

from math import inf
from typing import Any

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.grad_mode import is_grad_enabled
from pellucid.kernels import conv as kernels
from pellucid.kernels.activation import relu_gradient_sums
from pellucid.kernels.conv.spec import ConvSpec, PadsLike, SizesLike
from pellucid.ops.activation import ReLUGrad
from pellucid.ops.conv import ConvGradBias, ConvGradInput, ConvGradWeight, check_axes
from pellucid.tensor import Tensor


class ConvReLU(Function):
    """A convolution, or 0 where that is negative."""

    equation = (
        "y[n,o,i,j] = max(b[o] + sum[c,u,v] x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw] "
        "* w[o,c,u,v], 0)"
    )
    makes_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, spec: ConvSpec) -> Array:
        bias = None if b is None else b.array
        y = kernels.forward(x.array, w.array, bias, spec, ceiling=inf)
        ctx.save_for_backward(x, w, y)
        ctx.spec, ctx.has_bias = spec, b is not None
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        x, w, y = ctx.saved_tensors
        need_x, need_w, need_b, _ = ctx.needs_input_grad
        both = None
        if need_b and not is_grad_enabled():
            both = relu_gradient_sums(gy.array, y.array, ctx.may_overwrite)
        passed, gb = map(Tensor, both) if both else (ReLUGrad.apply(gy, y), None)
        gx = ConvGradInput.apply(passed, w, None, ctx.spec) if need_x else None
        gw = ConvGradWeight.apply(passed, x, ctx.spec) if need_w else None
        if need_b and gb is None:
            gb = ConvGradBias.apply(passed, ctx.spec, False)
        return gx, gw, gb, None


def conv2d_relu(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: SizesLike = 1,
    padding: PadsLike = 0,
    dilation: SizesLike = 1,
    groups: int = 1,
) -> Tensor:
    """Return relu(conv2d(x, w, b)), without an array for what lies between.

    Shapes: as `conv2d`.
    Maths: as `conv2d`, with gy where y is positive, else 0, in place of gy.
    Cost: as `conv2d`, and a pass over gy and y for the gradients.
    Raises: as `conv2d`.

    >>> import pellucid
    >>> x = pellucid.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d_relu(x, pellucid.ones(1, 1, 2, 2), pellucid.tensor([-15.0]))[0, 0]
    tensor([[0., 0.],
            [5., 9.]])
    """
    check_axes("conv2d", 2, x, w)
    spec = ConvSpec.from_shapes(x.shape, w.shape, stride, padding, dilation, groups)
    return ConvReLU.apply(x, w, b, spec)
