"""Nodes of the ONNX standard as calls of pellucid: one small function for each op type.

Each gets the node's inputs as tensors (None where one is left out) and its attributes as keywords,
and returns what the node outputs. What pellucid does not have is refused with a reason, which
`test_node_onnx.py` counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

import pellucid
from pellucid import ops
from pellucid.tensor import Tensor


class Refused(Exception):  # noqa: N818  a reason rather than an error
    """Something that a node asks for and pellucid does not have; the message is the reason."""


def _floats(x: Tensor) -> None:
    if x.dtype.kind != "f":
        raise Refused("integers")


def _ints(x: Tensor | None) -> list[int] | None:
    return None if x is None else [int(value) for value in x.array]


# --- elements -------------------------------------------------------------------------------------


def _div(a, b):
    if a.dtype.kind == "f":
        return a / b
    if (a.array % b.array).any() and ((a.array < 0) | (b.array < 0)).any():
        raise Refused("integer division towards zero")
    return a // b


def _mod(a, b, fmod=0):
    if fmod:
        raise Refused("remainder with the sign of a")
    return ops.remainder(a, b)


def _clip(x, low=None, high=None):
    return ops.clip(x, low, high)


def _is_inf(x, detect_negative=1, detect_positive=1):
    found = ~ops.isfinite(x) & ~ops.isnan(x)
    return (found & (x > 0) & bool(detect_positive)) | (found & (x < 0) & bool(detect_negative))


def _gelu(x, approximate=b"none"):
    return ops.gelu(x, approximate.decode())


def _swish(x, alpha=1.0):
    return ops.silu(alpha * x) / alpha


def _dropout(x, ratio=None, training=None, seed=0):
    ratio = 0.5 if ratio is None else float(ratio)
    training = training is not None and bool(training.item())
    if training and ratio:
        raise Refused("a mask from another generator")
    return ops.dropout(x, ratio, training), pellucid.ones_like(x) > 0


# --- along axes -----------------------------------------------------------------------------------


def _reduction(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(x, axes=None, keepdims=1, noop_with_empty_axes=0):
        dims = _ints(axes) if isinstance(axes, Tensor) else axes
        if not dims and noop_with_empty_axes:
            return function(x, (), True)
        dims = tuple(dims) if dims else tuple(range(x.ndim))
        if function in (ops.amax, ops.amin, ops.logsumexp) and 0 in [x.shape[d] for d in dims]:
            raise Refused("an extreme of nothing")
        return function(x, dims, bool(keepdims))

    return call


def _l1(x, dims, keepdim):
    return ops.abs(x).sum(dims, keepdim)


def _sum_square(x, dims, keepdim):
    return (x * x).sum(dims, keepdim)


def _l2(x, dims, keepdim):
    return _sum_square(x, dims, keepdim).sqrt()


def _log_sum(x, dims, keepdim):
    return x.sum(dims, keepdim).log()


def _arg(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(x, axis=0, keepdims=1, select_last_index=0):
        if select_last_index:
            raise Refused("the last of equals")
        return function(x, axis, bool(keepdims))

    return call


def _softmax(x, axis=-1):
    return ops.softmax(x, axis)


def _log_softmax(x, axis=-1):
    return ops.log_softmax(x, axis)


# --- arrangements ---------------------------------------------------------------------------------


def _reshape(x, shape, allowzero=0):
    sizes = _ints(shape)
    kept = zip(sizes, x.shape, strict=False)
    if not allowzero:
        sizes = [have if want == 0 else want for want, have in kept] + sizes[x.ndim :]
    return x.reshape(sizes)


def _transpose(x, perm=None):
    return x.permute(tuple(reversed(range(x.ndim))) if perm is None else tuple(perm))


def _flatten(x, axis=1):
    axis = axis % x.ndim if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _squeeze(x, axes=None):
    return x.squeeze(None if axes is None else tuple(_ints(axes)))


def _unsqueeze(x, axes):
    dims = sorted(d % (x.ndim + axes.numel()) for d in _ints(axes))
    return reduce(lambda x, d: x.unsqueeze(d), dims, x)


def _concat(*tensors, axis):
    return ops.cat(tensors, axis)


def _split(x, sizes=None, axis=0, num_outputs=None, outputs=0):
    if sizes is not None:
        return ops.split(x, _ints(sizes), axis)
    return ops.split(x, -(-x.shape[axis] // (num_outputs or outputs)), axis)


def _expand(x, shape):
    return x.expand(np.broadcast_shapes(x.shape, tuple(_ints(shape))))


def _slice(x, starts, ends, axes=None, steps=None):
    axes = list(range(starts.numel())) if axes is None else _ints(axes)
    steps = [1] * len(axes) if steps is None else _ints(steps)
    key = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, _ints(starts), _ints(ends), steps, strict=True):
        # ONNX clamps to the axis first, NumPy reads a second -1 as the last element
        before = end < -x.shape[axis] and step < 0
        key[axis] = slice(start, None if before else end, step)
    return x[tuple(key)]


def _pad(x, pads, value=None, axes=None, mode=b"constant"):
    names = {"edge": "replicate", "wrap": "circular"}
    mode = names.get(mode.decode(), mode.decode())
    axes = list(range(x.ndim)) if axes is None else [d % x.ndim for d in _ints(axes)]
    lows, highs = np.split(pads.array, 2)
    pairs = dict(zip(axes, zip(lows.tolist(), highs.tolist(), strict=True), strict=True))
    amounts = [amount for d in reversed(range(x.ndim)) for amount in pairs.get(d, (0, 0))]
    if value is None:
        return ops.pad(x, amounts, mode)
    return ops.pad(x, amounts, mode, value.item())


def _gather(x, indices, axis=0):
    return x[(slice(None),) * (axis % x.ndim) + (indices,)]


def _gather_elements(x, indices, axis=0):
    return ops.gather(x, axis, indices)


def _one_hot(indices, depth, values, axis=-1):
    classes, index = int(depth.item()), indices.long()
    off, on = values.tolist()
    inside = (index >= -classes) & (index < classes)
    hot = ops.one_hot(ops.where(inside, index % classes, 0), classes)
    hot = hot * inside.unsqueeze(-1).float()
    order = list(range(indices.ndim))
    order.insert(axis % (indices.ndim + 1), indices.ndim)
    return (hot * (on - off) + off).permute(order).to(values.dtype)


# --- sums of products -----------------------------------------------------------------------------


def _gemm(a, b, c=None, alpha=1.0, beta=1.0, transA=0, transB=0):
    y = alpha * ops.matmul(a.T if transA else a, b.T if transB else b)
    return y if c is None else y + beta * c


def _pairs(
    sizes: tuple[int, ...], kernel: list[int], auto_pad: bytes, pads: list[int] | None,
    strides: list[int], dilations: list[int],
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    """The padding of each axis as (low, high)."""
    if auto_pad in (b"NOTSET", b"VALID"):
        pads = pads or [0] * (2 * len(kernel))
        return tuple(zip(pads[: len(kernel)], pads[len(kernel) :], strict=True))
    found = []
    for size, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
        total = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        low, high = total // 2, total - total // 2
        found.append((low, high) if auto_pad == b"SAME_UPPER" else (high, low))
    return tuple(found)


def _conv(
    x, w, b=None, auto_pad=b"NOTSET", dilations=None, group=1, kernel_shape=None, pads=None,
    strides=None,
):  # fmt: skip
    axes = x.ndim - 2
    s, d = strides or [1] * axes, dilations or [1] * axes
    pairs = _pairs(x.shape[2:], list(w.shape[2:]), auto_pad, pads, s, d)
    return (ops.conv1d, ops.conv2d, ops.conv3d)[axes - 1](x, w, b, s, pairs, d, group)


def _transposed_pairs(
    sizes: tuple[int, ...], kernel: list[int], auto_pad: bytes, pads: list[int] | None,
    strides: list[int], dilations: list[int], extra: list[int], output_shape: list[int] | None,
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    """The padding of each axis, given or such that y has the size asked for."""
    if output_shape is None and auto_pad in (b"NOTSET", b"VALID"):
        return _pairs(sizes, kernel, auto_pad, pads, strides, dilations)
    wanted = output_shape or [size * s for size, s in zip(sizes, strides, strict=True)]
    found = []
    for size, k, s, d, more, out in zip(
        sizes, kernel, strides, dilations, extra, wanted, strict=True
    ):
        total = (size - 1) * s + d * (k - 1) + 1 + more - out
        half, rest = total // 2, total - total // 2
        found.append((half, rest) if auto_pad == b"SAME_UPPER" else (rest, half))
    return tuple(found)


def _conv_transpose(
    x, w, b=None, auto_pad=b"NOTSET", dilations=None, group=1, kernel_shape=None,
    output_padding=None, output_shape=None, pads=None, strides=None,
):  # fmt: skip
    axes = x.ndim - 2
    s, d, more = strides or [1] * axes, dilations or [1] * axes, output_padding or [0] * axes
    kernel = list(w.shape[2:])
    pairs = _transposed_pairs(x.shape[2:], kernel, auto_pad, pads, s, d, more, output_shape)
    op = (ops.conv_transpose1d, ops.conv_transpose2d, ops.conv_transpose3d)[axes - 1]
    return op(x, w, b, s, pairs, more, group, d)


# --- pooling and normalisation --------------------------------------------------------------------


def _pool_axes(x: Tensor) -> int:
    _floats(x)
    if x.ndim - 2 not in (1, 2):
        raise Refused("three spatial axes")
    return x.ndim - 2


def _frame(x: Tensor, pairs: tuple[tuple[int, int], ...], value: float) -> Tensor:
    return ops.pad(x, [amount for pair in reversed(pairs) for amount in pair], value=value)


def _own_padding(pairs: tuple[tuple[int, int], ...], kernel: list[int]) -> bool:
    """Whether the pooling itself can pad so: alike at both ends, by half of the kernel at most."""
    return all(low == high <= k // 2 for (low, high), k in zip(pairs, kernel, strict=True))


def _max_pool(
    x, kernel_shape, auto_pad=b"NOTSET", ceil_mode=0, dilations=None, pads=None, storage_order=0,
    strides=None, outputs=1,
):  # fmt: skip
    axes = _pool_axes(x)
    if storage_order:
        raise Refused("indices in column-major order")
    s, d = strides or [1] * axes, dilations or [1] * axes
    pairs = _pairs(x.shape[2:], kernel_shape, auto_pad, pads, s, d)
    own = _own_padding(pairs, kernel_shape)
    if outputs == 2 and not own:
        raise Refused("indices with unequal padding")
    padding = [low for low, _ in pairs] if own else 0
    framed = x if own else _frame(x, pairs, -math.inf)
    pool = (ops.max_pool1d, ops.max_pool2d)[axes - 1]
    y, indices = pool(framed, kernel_shape, s, padding, d, bool(ceil_mode), return_indices=True)
    # ONNX counts through the whole of x, PyTorch within a plane
    planes = np.arange(math.prod(x.shape[:2])).reshape(x.shape[:2] + (1,) * axes)
    return y, indices + Tensor(planes * math.prod(x.shape[2:]))


def _average_pool(
    x, kernel_shape, auto_pad=b"NOTSET", ceil_mode=0, count_include_pad=0, dilations=None,
    pads=None, strides=None,
):  # fmt: skip
    axes = _pool_axes(x)
    s, d = strides or [1] * axes, dilations or [1] * axes
    if set(d) != {1}:
        raise Refused("an average with dilation")
    pairs = _pairs(x.shape[2:], kernel_shape, auto_pad, pads, s, d)
    pool = (ops.avg_pool1d, ops.avg_pool2d)[axes - 1]
    if _own_padding(pairs, kernel_shape):
        padding = [low for low, _ in pairs]
        return pool(x, kernel_shape, s, padding, bool(ceil_mode), bool(count_include_pad))
    total = pool(_frame(x, pairs, 0.0), kernel_shape, s, 0, bool(ceil_mode))
    if count_include_pad:
        return total
    return total / pool(_frame(pellucid.ones_like(x), pairs, 0.0), kernel_shape, s, 0,
                        bool(ceil_mode))  # fmt: skip


def _global_average_pool(x):
    return (ops.adaptive_avg_pool1d, ops.adaptive_avg_pool2d)[_pool_axes(x) - 1](x, 1)


def _global_max_pool(x):
    return ops.amax(x, tuple(range(2, x.ndim)), keepdim=True)


def _batch_norm(x, weight, bias, mean, var, epsilon=1e-5, momentum=0.9, training_mode=0):
    running = mean.clone(), var.clone()
    share = 1 - momentum
    y = ops.batch_norm(x, *running, weight, bias, bool(training_mode), share, epsilon)
    # ONNX keeps the variance over M, PyTorch over M - 1
    M = x.numel() / x.shape[1]
    old = momentum * var
    return y, running[0], old + (running[1] - old) * ((M - 1) / M)


# --- losses ---------------------------------------------------------------------------------------


def _cross_entropy(x, target, weight=None, reduction=b"mean", ignore_index=-100):
    loss = ops.cross_entropy(x, target, weight, ignore_index, reduction.decode())
    return loss, ops.log_softmax(x, 1)


def _nll(x, target, weight=None, reduction=b"mean", ignore_index=-100):
    return ops.nll_loss(x, target, weight, ignore_index, reduction.decode())


TRANSLATORS: dict[str, Callable[..., Any]] = {
    "Abs": ops.abs, "Add": ops.add, "And": ops.logical_and, "ArgMax": _arg(ops.argmax),
    "ArgMin": _arg(ops.argmin), "AveragePool": _average_pool, "BatchNormalization": _batch_norm,
    "Ceil": ops.ceil, "Clip": _clip, "Concat": _concat, "Conv": _conv,
    "ConvTranspose": _conv_transpose, "Cos": ops.cos,
    "Div": _div, "Dropout": _dropout, "Elu": ops.elu, "Equal": ops.eq, "Exp": ops.exp,
    "Expand": _expand, "Flatten": _flatten, "Floor": ops.floor, "Gather": _gather,
    "GatherElements": _gather_elements, "Gelu": _gelu, "Gemm": _gemm,
    "GlobalAveragePool": _global_average_pool, "GlobalMaxPool": _global_max_pool,
    "Greater": ops.gt, "GreaterOrEqual": ops.ge, "Identity": ops.clone, "IsInf": _is_inf,
    "IsNaN": ops.isnan, "LeakyRelu": lambda x, alpha=0.01: ops.leaky_relu(x, alpha),
    "Less": ops.lt, "LessOrEqual": ops.le, "Log": ops.log, "LogSoftmax": _log_softmax,
    "MatMul": ops.matmul, "Max": lambda *xs: reduce(ops.maximum, xs), "MaxPool": _max_pool,
    "Mean": lambda *xs: reduce(ops.add, xs) / len(xs),
    "Min": lambda *xs: reduce(ops.minimum, xs), "Mod": _mod, "Mul": ops.mul, "Neg": ops.neg,
    "NegativeLogLikelihoodLoss": _nll, "Not": ops.logical_not, "OneHot": _one_hot,
    "Or": ops.logical_or, "Pad": _pad, "Pow": lambda a, b: ops.pow(a, b).to(a.dtype),
    "Reciprocal": lambda x: 1 / x, "ReduceL1": _reduction(_l1), "ReduceL2": _reduction(_l2),
    "ReduceLogSum": _reduction(_log_sum), "ReduceLogSumExp": _reduction(ops.logsumexp),
    "ReduceMax": _reduction(ops.amax), "ReduceMean": _reduction(ops.mean),
    "ReduceMin": _reduction(ops.amin), "ReduceSum": _reduction(ops.sum),
    "ReduceSumSquare": _reduction(_sum_square), "Relu": ops.relu, "Reshape": _reshape,
    "Round": ops.round, "Sigmoid": ops.sigmoid, "Sign": ops.sign, "Sin": ops.sin,
    "Slice": _slice, "Softmax": _softmax, "SoftmaxCrossEntropyLoss": _cross_entropy,
    "Softplus": ops.softplus, "Split": _split, "Sqrt": ops.sqrt, "Squeeze": _squeeze,
    "Sub": ops.sub, "Sum": lambda *xs: reduce(ops.add, xs), "Swish": _swish, "Tanh": ops.tanh,
    "Transpose": _transpose, "Unsqueeze": _unsqueeze, "Where": ops.where,
    "Xor": ops.logical_xor,
}  # fmt: skip
