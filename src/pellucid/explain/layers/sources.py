"""Which derivation belongs to a layer or to a tensor that an op made, other than a convolution.

Not here: convolutions (../sources.py). Next room: common.py.
"""

from __future__ import annotations

from math import inf
from typing import Any

from pellucid.creation import zeros
from pellucid.errors import ShapeError, UnsupportedError
from pellucid.explain.derivation import Derivation
from pellucid.explain.layers.activation import ReLUDerivation, SigmoidDerivation
from pellucid.explain.layers.linear import LinearDerivation
from pellucid.explain.layers.loss import CrossEntropyDerivation, MSELossDerivation
from pellucid.explain.layers.norm import BatchNormDerivation
from pellucid.explain.layers.pool import AvgPoolDerivation, MaxPoolDerivation
from pellucid.explain.notation import Notation
from pellucid.kernels.conv.spec import Sizes
from pellucid.nn import (
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    CrossEntropyLoss,
    Linear,
    MaxPool2d,
    Module,
    MSELoss,
    ReLU,
    Sigmoid,
)
from pellucid.ops.activation import ReLU as ReLUOp
from pellucid.ops.activation import Sigmoid as SigmoidOp
from pellucid.ops.conv_fused import ConvReLU
from pellucid.ops.linear import Linear as LinearOp
from pellucid.ops.loss import MeanCrossEntropy as MeanCrossEntropyOp
from pellucid.ops.norm import BatchNorm as BatchNormOp
from pellucid.ops.norm import BatchNormEvaluation as BatchNormEvaluationOp
from pellucid.ops.norm_fused import BatchNormAddReLU, BatchNormReLU
from pellucid.ops.pool import AvgPool as AvgPoolOp
from pellucid.ops.pool import MaxPool as MaxPoolOp
from pellucid.tensor import Tensor

# Ops that end in a ReLU, or with a ceiling in a ReLU6.
_FUSED_RELUS = (ConvReLU, BatchNormReLU, BatchNormAddReLU)


def of_tensor(y: Tensor, notation: Notation) -> Derivation | None:
    """Return the derivation of the op that made y, or None where there is none."""
    node: Any = y.grad_fn
    kind = type(node)
    if kind is ReLUOp or (kind in _FUSED_RELUS and getattr(node, "ceiling", inf) == inf):
        return ReLUDerivation(y.shape, notation)  # what came last
    if kind is SigmoidOp:
        return SigmoidDerivation(y.shape, notation)
    if kind is LinearOp:
        N, O = y.shape
        return LinearDerivation(N, node.in_features, O, node.has_bias, notation)
    if kind in (BatchNormOp, BatchNormEvaluationOp):
        weight, bias = node.affine
        training = kind is BatchNormOp
        return BatchNormDerivation(y.shape, training, weight, bias, node.eps, notation)
    if kind in (MaxPoolOp, AvgPoolOp):
        return _pool(node, y.shape[: y.ndim - len(node.spec.kernel)], notation)
    if kind is MeanCrossEntropyOp:
        return _loss(node, notation)
    return None


def _loss(node: Any, notation: Notation) -> Derivation:
    x, target, weight, _ = node.saved_tensors
    if weight is not None or (target.array == node.ignored).any():
        raise UnsupportedError(
            "derive",
            "a cross entropy with weights of classes or targets that are left out has no "
            "derivation here",
            fix="derive it without them",
        )
    return CrossEntropyDerivation(x.shape, node.mean, notation)


def of_layer(layer: Module, shape: Sizes, notation: Notation) -> Derivation | None:
    """Return the derivation of a layer for an input of that shape, or None where there is none.

    Raises: as `forward` of the layer for a shape that it does not take; UnsupportedError for
    options that have no derivation.
    """
    if isinstance(layer, ReLU):
        return ReLUDerivation(shape, notation)
    if isinstance(layer, Sigmoid):
        return SigmoidDerivation(shape, notation)
    if isinstance(layer, Linear):
        return _linear(layer, shape, notation)
    if isinstance(layer, (MaxPool2d, AvgPool2d)):
        # What the op makes of the options, asked with one small image
        made = layer(zeros(*(1 for _ in shape[:-2]), *shape[-2:], requires_grad=True))
        y = made[0] if isinstance(made, tuple) else made
        return _pool(y.grad_fn, shape[:-2], notation)
    if isinstance(layer, (BatchNorm1d, BatchNorm2d)):
        return _norm(layer, shape, notation)
    if isinstance(layer, MSELoss):
        return MSELossDerivation(shape, _is_mean(layer, layer.reduction), notation)
    if isinstance(layer, CrossEntropyLoss):
        return _cross_entropy(layer, shape, notation)
    return None


def _pool(node: Any, lead: Sizes, notation: Notation) -> Derivation:
    kind = type(node)
    if kind is MaxPoolOp:
        return MaxPoolDerivation(lead, node.spec, notation)
    return AvgPoolDerivation(lead, node.spec, node.divisor, notation)


def _linear(layer: Linear, shape: Sizes, notation: Notation) -> Derivation:
    if len(shape) != 2 or shape[1] != layer.in_features:
        _refuse(layer, shape, f"give N and I={layer.in_features}")
    bias = layer.bias is not None
    return LinearDerivation(shape[0], shape[1], layer.out_features, bias, notation)


def _norm(layer: BatchNorm1d | BatchNorm2d, shape: Sizes, notation: Notation) -> Derivation:
    if len(shape) not in [len(letters.split()) for letters in layer.letters]:
        _refuse(layer, shape, f"give ({' or '.join(layer.letters)})")
    if shape[1] != layer.num_features:
        _refuse(layer, shape, f"give C={layer.num_features}")
    training = layer.training or layer.running_mean is None
    weight, bias = layer.weight is not None, layer.bias is not None
    return BatchNormDerivation(shape, training, weight, bias, layer.eps, notation)


def _is_mean(layer: Module, reduction: str) -> bool:
    if reduction == "none":
        raise UnsupportedError(
            "derive",
            f"{type(layer).__name__} with reduction='none' is many losses",
            fix="use reduction='mean' or 'sum'",
        )
    return reduction == "mean"


def _cross_entropy(layer: CrossEntropyLoss, shape: Sizes, notation: Notation) -> Derivation:
    if layer.weight is not None or layer.label_smoothing:
        raise UnsupportedError(
            "derive",
            "CrossEntropyLoss with weights of classes or label smoothing has no derivation here",
            fix="derive it without them",
        )
    if len(shape) != 2:
        _refuse(layer, shape, "give N and C")
    return CrossEntropyDerivation(shape, _is_mean(layer, layer.reduction), notation)


def _refuse(layer: Module, shape: Sizes, fix: str) -> None:
    raise ShapeError("derive", f"input_shape={shape} does not fit {layer}", fix=fix)
