"""Losses: how far predictions are from their targets, one number to minimise.

`reduction` is 'mean', 'sum' or 'none', as in PyTorch. Cross entropy is fused with the softmax
before it: one op, one equation, and a gradient that is the difference of two distributions.
Not here: softmax on its own (activation.py). Next room: kernels/loss.py.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.dtypes import is_float
from pellucid.errors import ArgumentError, DTypeError, GraphError, IndexingError, ShapeError
from pellucid.grad_mode import is_grad_enabled
from pellucid.kernels import loss as kernels
from pellucid.ops.activation import Softplus, log_softmax, softmax
from pellucid.ops.elementwise import abs, promote, where
from pellucid.ops.index import gather
from pellucid.ops.operands import check_float, check_same_float, check_tensor
from pellucid.ops.reduce import mean
from pellucid.tensor import Tensor


class CrossEntropy(Function):
    """Minus the logarithm of the softmax at the target class, times that class' weight."""

    equation = "y[n] = weight[t[n]] * (log(sum[c] exp(x[n,c])) - x[n,t[n]])"

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Array, scale: Array, axis: int) -> Array:
        """`scale` is each target's weight."""
        ctx.save_for_backward(x, target, scale)
        ctx.axis = axis
        at = np.expand_dims(target, axis)
        shifted = x.array - np.max(x.array, axis=axis, keepdims=True, initial=-np.inf)
        total = np.log(np.exp(shifted).sum(axis=axis))
        return scale * (total - np.take_along_axis(shifted, at, axis).squeeze(axis))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        x, target, scale = ctx.saved_tensors
        at = np.expand_dims(target.array, ctx.axis)
        hot = np.zeros_like(x.array)  # in the layout of x
        np.put_along_axis(hot, at, 1, ctx.axis)
        gx = (gy * scale).unsqueeze(ctx.axis) * (softmax(x, ctx.axis) - Tensor(hot))
        return gx, None, None, None


class SoftCrossEntropy(Function):
    """Minus the logarithm of the softmax, weighted with the mass that a target gives each class."""

    equation = "y[n] = sum[c] q[n,c] * (log(sum[k] exp(x[n,k])) - x[n,c])"

    @staticmethod
    def forward(ctx: Any, x: Tensor, q: Tensor, axis: int) -> Array:
        ctx.save_for_backward(x, q)
        ctx.axis = axis
        shifted = x.array - np.max(x.array, axis=axis, keepdims=True, initial=-np.inf)
        total = np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
        return np.sum(q.array * (total - shifted), axis=axis)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        x, q = ctx.saved_tensors
        need_x, need_q, _ = ctx.needs_input_grad
        gy = gy.unsqueeze(ctx.axis)
        gx = gq = None
        if need_x:
            gx = gy * (softmax(x, ctx.axis) * q.sum(ctx.axis, keepdim=True) - q)
        if need_q:
            gq = -gy * log_softmax(x, ctx.axis)
        return gx, gq, None


class MeanCrossEntropy(Function):
    """The cross entropies of rows of classes, summed, over the sum of the targets' weights."""

    equation = (
        "y = (sum[n] weight[t[n]] * (log(sum[c] exp(x[n,c])) - x[n,t[n]])) / (sum[n] weight[t[n]])"
    )

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, mean: bool
    ) -> Array:
        """Without `mean` they are summed alone."""
        w = None if weight is None else weight.array
        found = kernels.cross_entropy(x.array, target.array, w, ignored)
        if found is None:
            _class_targets("cross_entropy", x, target, weight, ignored)
            raise AssertionError("a target that is no class was refused")
        losses, weights, probabilities = found
        ctx.ignored, ctx.mean, ctx.divisor = ignored, mean, np.float64(weights if mean else 1)
        ctx.save_for_backward(x, target, weight, probabilities)
        return np.asarray(losses / ctx.divisor, x.dtype)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Any:
        x, target, weight, probabilities = ctx.saved_tensors
        if is_grad_enabled():
            classes, _, scale = _class_targets("cross_entropy", x, target, weight, ctx.ignored)
            factors = gy * Tensor((scale / ctx.divisor).astype(x.dtype))
            hot = np.zeros(x.shape, x.dtype)
            np.put_along_axis(hot, classes[:, None], 1, 1)
            gx = factors.unsqueeze(1) * (softmax(x, 1) - Tensor(hot))
        else:
            w = None if weight is None else weight.array
            with np.errstate(all="ignore"):
                factor = float(gy.array / ctx.divisor)
            given = probabilities.array, target.array, w, ctx.ignored
            gx = Tensor(kernels.cross_entropy_gradient(*given, factor))
        return gx, None, None, None, None


def _check_reduction(op: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(
            op, f"there is no reduction '{reduction}'", fix="use 'mean', 'sum' or 'none'"
        )


def _reduce(losses: Tensor, reduction: str, count: float | None = None) -> Tensor:
    """The losses as `reduction` says; `count` is what a mean divides by."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return mean(losses) if count is None else losses.sum() / count


def _pair(op: str, x: Tensor, target: Tensor, reduction: str) -> tuple[Tensor, ...]:
    """Hold predictions and targets of a regression to one shape, and promote them."""
    _check_reduction(op, reduction)
    check_float(op, "x", x)
    check_tensor(op, "target", target)
    if x.shape != target.shape:
        raise ShapeError(
            op,
            "x and target have different shapes, and a loss does not broadcast",
            f"x {x.shape}",
            f"target {target.shape}",
            fix="reshape one of them, as in target.reshape(x.shape)",
        )
    return promote(op, x, target)


def mse_loss(x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Return the squared differences of x and target: their mean, sum, or each.

    Shapes: x and target of one shape; the result is a number, or has that shape for 'none'.
    Maths: (x - t)^2; its gradient is 2 (x - t).
    Raises: ShapeError, ArgumentError for another reduction, DTypeError for an x of integers.
    """
    x, target = _pair("mse_loss", x, target, reduction)
    distance = x - target
    return _reduce(distance * distance, reduction)


def l1_loss(x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Return the absolute differences of x and target: their mean, sum, or each.

    Shapes: x and target of one shape; the result is a number, or has that shape for 'none'.
    Maths: |x - t|; its gradient is the sign of x - t, 0 where they are equal.
    Raises: ShapeError, ArgumentError for another reduction, DTypeError for an x of integers.
    """
    x, target = _pair("l1_loss", x, target, reduction)
    return _reduce(abs(x - target), reduction)


def _class_axis(op: str, x: Tensor) -> int:
    if x.ndim == 0:
        raise ShapeError(
            op, "x is a number and has no axis of classes", fix="give x the axes (N, C)"
        )
    return 0 if x.ndim == 1 else 1


def _check_weight(op: str, x: Tensor, weight: Tensor | None) -> None:
    check_same_float(op, x=x, weight=weight)
    C = x.shape[_class_axis(op, x)]
    if weight is not None and weight.shape != (C,):
        raise ShapeError(
            op,
            f"weight has shape {weight.shape}, but x has C={C} classes",
            f"x {x.shape}",
            fix=f"give weight the shape ({C},)",
        )
    if weight is not None and weight.requires_grad:
        raise GraphError(
            op, "weight requires grad, but none passes to it", fix="use weight.detach()"
        )


def _class_targets(
    op: str, x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> tuple[Array, Array, Array]:
    """The class at each place (0 where ignored), which places count, and their weights.

    Raises: DTypeError, ShapeError, IndexingError for targets that are no classes of x.
    """
    check_tensor(op, "target", target)
    axis = _class_axis(op, x)
    C, places = x.shape[axis], x.shape[:axis] + x.shape[axis + 1 :]
    if target.dtype.kind not in "iu":
        raise DTypeError(
            op, f"target is {target.dtype}, no class index", fix="cast it, as in target.long()"
        )
    if target.shape != places:
        raise ShapeError(
            op,
            f"target has shape {target.shape}, but x has a row of C={C} classes at each of "
            f"{places}",
            f"x {x.shape}",
            f"target {target.shape}",
            fix="give target the shape of x without its axis of classes",
        )
    counts = target.array != ignore_index
    outside = counts & ((target.array < 0) | (target.array >= C))
    if outside.any():
        raise IndexingError(
            op,
            f"target holds class {target.array[outside][0]}, but x has C={C} classes",
            f"x {x.shape}",
            fix=f"use classes from 0 to {C - 1}, or ignore_index for places that do not count",
        )
    classes = np.where(counts, target.array, 0)
    each = np.ones(C, x.dtype) if weight is None else weight.array
    scale = each[classes] if C else np.zeros(places, x.dtype)
    return classes, counts, np.where(counts, scale, 0).astype(x.dtype)


def nll_loss(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return minus x at each target class, for an x of log-probabilities.

    Shapes: x (N, C), (N, C, d1, ...) or (C); target, integers, as x without C; weight (C).
    Maths: y[n] = -weight[t[n]] x[n,t[n]], 0 where t[n] = ignore_index; 'mean' divides by the sum of
    the weights that count.
    Raises: ShapeError, DTypeError, IndexingError for a class outside 0 .. C - 1.
    """
    _check_reduction("nll_loss", reduction)
    _check_weight("nll_loss", x, weight)
    classes, counts, scale = _class_targets("nll_loss", x, target, weight, ignore_index)
    axis = _class_axis("nll_loss", x)
    picked = gather(x, axis, Tensor(np.expand_dims(classes, axis))).squeeze(axis)
    losses = where(Tensor(counts), -picked * Tensor(scale), 0.0)
    return _reduce(losses, reduction, float(scale.sum()))


def cross_entropy(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return minus the logarithm of softmax(x) at the targets: the loss of a classifier.

    Shapes: x (N, C), (N, C, d1, ...) or (C); target either class indices, integers of x's shape
    without C, or class probabilities, floats of x's shape; weight (C).
    Maths: y[n] = sum over c of q[n,c] (log(sum over k of e^x[n,k]) - x[n,c]) with
    q[n,c] = weight[c] ((1 - s) p[n,c] + s / C), where p is the target, 1 at its class for indices,
    and s the label smoothing. gx = gy (softmax(x) sum(q) - q). Places whose target is
    ignore_index give 0. 'mean' divides by the sum of the targets' weights for indices, by the
    number of places for probabilities.
    Raises: ShapeError, DTypeError, IndexingError for a class outside 0 .. C - 1, ArgumentError for
    an option outside its range.

    >>> import pellucid
    >>> x = pellucid.tensor([[2.0, 0.0], [0.0, 0.0]])
    >>> cross_entropy(x, pellucid.tensor([0, 1]), reduction="none")
    tensor([0.1269, 0.6931])
    """
    op = "cross_entropy"
    _check_reduction(op, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            op, f"label_smoothing={label_smoothing} is outside 0 .. 1", fix="use 0.1, or 0 for none"
        )
    _check_weight(op, x, weight)
    check_tensor(op, "target", target)
    if is_float(target.dtype):
        return _with_probabilities(x, target, weight, reduction, label_smoothing)
    axis = _class_axis(op, x)
    rows_of_classes = x.ndim == 2 and target.shape == x.shape[:1] and target.dtype.kind in "iu"
    if rows_of_classes and label_smoothing == 0 and reduction != "none":
        return MeanCrossEntropy.apply(x, target, weight, ignore_index, reduction == "mean")
    classes, counts, scale = _class_targets(op, x, target, weight, ignore_index)
    if label_smoothing == 0:
        losses = CrossEntropy.apply(x, classes, scale, axis)
    else:
        p = np.zeros(x.shape, x.dtype)
        np.put_along_axis(p, np.expand_dims(classes, axis), 1, axis)
        losses = SoftCrossEntropy.apply(x, _mass(Tensor(p), weight, label_smoothing, axis), axis)
    losses = losses if counts.all() else where(Tensor(counts), losses, 0.0)
    return _reduce(losses, reduction, float(scale.sum()))


def _mass(p: Tensor, weight: Tensor | None, smoothing: float, axis: int) -> Tensor:
    """What the targets p give each class, smoothed and weighted: q of `cross_entropy`."""
    q = p if smoothing == 0 else p * (1 - smoothing) + smoothing / max(p.shape[axis], 1)
    if weight is None:
        return q
    # (C) -> (C, 1, ...), which stands at the axis of classes
    return q * weight.reshape((-1,) + (1,) * (p.ndim - axis - 1))


def _with_probabilities(
    x: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    if target.shape != x.shape:
        raise ShapeError(
            "cross_entropy",
            f"target is {target.dtype}, so it holds class probabilities, but its shape is not x's",
            f"x {x.shape}",
            f"target {target.shape}",
            fix="give each class of x its probability, or cast class indices with target.long()",
        )
    x, target = promote("cross_entropy", x, target)
    axis = _class_axis("cross_entropy", x)
    losses = SoftCrossEntropy.apply(x, _mass(target, weight, smoothing, axis), axis)
    return _reduce(losses, reduction, float(prod(losses.shape)))


def binary_cross_entropy_with_logits(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return minus the log-likelihood of the targets 0 .. 1 under probabilities sigmoid(x).

    Shapes: x and target of one shape; weight (of each loss) and pos_weight (of the targets' part
    for 1) broadcast to it.
    Maths: y = weight (pos_weight t log(1 + e^-x) + (1 - t) log(1 + e^x)), whose gradient
    weight ((1 - t) sigmoid(x) - pos_weight t sigmoid(-x)) keeps its precision in both tails.
    Raises: ShapeError, ArgumentError for another reduction, DTypeError for an x of integers.

    >>> import pellucid
    >>> x = pellucid.tensor([0.0, 100.0])
    >>> binary_cross_entropy_with_logits(x, pellucid.tensor([1.0, 0.0]), reduction="none")
    tensor([  0.6931, 100.    ])
    """
    op = "binary_cross_entropy_with_logits"
    x, target = _pair(op, x, target, reduction)
    for name, w in (("weight", weight), ("pos_weight", pos_weight)):
        if w is not None and not _broadcasts_to(w.shape, x.shape):
            raise ShapeError(
                op,
                f"{name} of shape {w.shape} does not broadcast to x",
                f"x {x.shape}",
                fix=f"give {name} sizes that are equal to those of x, from the right, or 1",
            )
    likely = target if pos_weight is None else target * pos_weight
    losses = likely * Softplus.apply(-x) + (1 - target) * Softplus.apply(x)
    return _reduce(losses if weight is None else losses * weight, reduction)


def _broadcasts_to(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    from_right = zip(reversed(shape), reversed(whole), strict=False)
    return len(shape) <= len(whole) and all(size in (1, full) for size, full in from_right)
