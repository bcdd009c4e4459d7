"""What a derivation can be made of: a spec, a layer with the shape of its input, or a tensor.

Not here: the equations (convolution.py). Next room: README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

from pellucid.errors import ArgumentError, ShapeError, UnsupportedError
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.derivation import Derivation
from pellucid.explain.layers import sources as layers
from pellucid.explain.notation import Notation, as_notation
from pellucid.kernels.conv.spec import ConvSpec, PadsLike, Sizes
from pellucid.kernels.conv.transposed import transposed_spec
from pellucid.nn import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    Module,
)
from pellucid.ops.conv import Conv, ConvGradInput
from pellucid.tensor import Tensor

ConvLayer: TypeAlias = Conv1d | Conv2d | Conv3d
ConvTransposeLayer: TypeAlias = ConvTranspose1d | ConvTranspose2d | ConvTranspose3d


@overload
def derive(
    what: str | ConvSpec,
    input_shape: None = None,
    *,
    notation: Notation = ...,
    transposed: bool = ...,
    bias: bool = ...,
) -> ConvDerivation: ...


@overload
def derive(
    what: Module | Tensor,
    input_shape: Sequence[int] | None = None,
    *,
    notation: Notation = ...,
) -> Any: ...


def derive(
    what: str | ConvSpec | Module | Tensor,
    input_shape: Sequence[int] | None = None,
    *,
    notation: Notation = "textbook",
    transposed: bool = False,
    bias: bool = True,
) -> Any:
    """Return the equations of a layer and of its gradients, element by element: a `Derivation`.

    `what` is a convolution's spec or its one-line name; or a layer, with the shape of its input; or
    a tensor that a recorded op made. `transposed` reads a spec as that of the convolution whose
    grad_input is meant, and `bias=False` leaves b out; layers and tensors know both themselves.
    `notation` is `textbook`, x13 counted from 1, or `indices`, x[0,0,0,2] counted from 0.
    Maths: docs/maths.md, 4.
    Cost: no equation is made before it is asked for.
    Raises: ArgumentError for what has no derivation, and as `ConvSpec.parse`; ShapeError for an
    input_shape that the layer does not take; UnsupportedError for ops and layers that explain does
    not know.

    >>> d = derive("c1 i5x5 o1 k3x3 s2")
    >>> print(d.grad_input[0, 0, 0, 2])
    dL/dx13 = dL/do11 w13 + dL/do12 w11
    >>> print(d.grad_weight[0, 0, 0, 0])
    dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33
    >>> print(derive("c1 i5x5 o1 k3x3 s2", notation="indices").grad_input[0, 0, 0, 0])
    dL/dx[0,0,0,0] = dL/dy[0,0,0,0] w[0,0,0,0]
    >>> from pellucid.nn import Conv2d, Sigmoid
    >>> d = derive(Conv2d(3, 16, 3, padding=1), (8, 3, 32, 32))
    >>> print(d.grad_input[0, 0, 0, 0].text(most=2))
    dL/dx[1,1,1,1] = dL/do[1,1,1,1] w[1,1,2,2] + ... + dL/do[1,16,2,2] w[16,1,1,1]
    >>> print(derive(Sigmoid(), (1, 2)).grad_input[0, 1])
    dL/dx2 = dL/do2 o2 (1 - o2)
    """
    as_notation(notation)
    if isinstance(what, Module):
        return _of_layer(what, input_shape, notation)
    if input_shape is not None:
        raise ArgumentError(
            "derive",
            f"input_shape={tuple(input_shape)} is given, but only a layer needs one",
            fix="leave it out",
        )
    if isinstance(what, Tensor):
        return _of_tensor(what, notation)
    return ConvDerivation(_of_spec(what), notation, transposed, bias)


def _of_spec(what: Any) -> ConvSpec:
    if isinstance(what, ConvSpec):
        return what
    if isinstance(what, str):
        return ConvSpec.parse(what)
    raise ArgumentError(
        "derive",
        f"{type(what).__name__} is neither a spec, a layer nor a tensor",
        fix="give a spec as in 'c1 i5x5 o1 k3x3 s2', a layer and its input_shape, or y = layer(x)",
    )


def _of_tensor(y: Tensor, notation: Notation) -> Derivation:
    """The derivation of the op that made y."""
    node: Any = y.grad_fn
    if node is None:
        raise ArgumentError(
            "derive",
            f"no recorded op made this tensor of shape {y.shape}",
            fix="give the output of an op whose x or w requires grad, outside of no_grad",
        )
    transposed = isinstance(node, ConvGradInput)
    if transposed or type(node) is Conv:
        return ConvDerivation(node.spec, notation, transposed, node.has_bias)
    found = layers.of_tensor(y, notation)
    if found is None:
        raise UnsupportedError(
            "derive",
            f"{node.name} made this tensor",
            fix="give the output of a convolution, pooling, batch normalisation, linear, relu, "
            "sigmoid or cross_entropy, or a layer and its input_shape",
        )
    return found


def _of_layer(layer: Module, input_shape: Sequence[int] | None, notation: Notation) -> Derivation:
    """The derivation of a layer for an input of that shape."""
    if input_shape is None:
        raise ArgumentError(
            "derive",
            f"{type(layer).__name__} alone does not say how large its input is",
            fix="give input_shape, as in derive(layer, (1, 3, 32, 32))",
        )
    shape = tuple(input_shape)
    if isinstance(layer, (ConvLayer, ConvTransposeLayer)):
        return _of_convolution(layer, shape, notation)
    found = layers.of_layer(layer, shape, notation)
    if found is None:
        raise UnsupportedError(
            "derive",
            f"there is no derivation of {type(layer).__name__}",
            fix="give a convolution, Linear, MaxPool2d, AvgPool2d, BatchNorm, ReLU, Sigmoid, "
            "MSELoss or CrossEntropyLoss",
        )
    return found


def _of_convolution(
    layer: ConvLayer | ConvTransposeLayer, shape: Sizes, notation: Notation
) -> ConvDerivation:
    if len(shape) != layer.axes + 2 or shape[1] != layer.in_channels:
        raise ShapeError(
            "derive",
            f"input_shape={shape} does not fit {layer}",
            fix=f"give N, C={layer.in_channels} and {layer.axes} spatial sizes",
        )
    bias = layer.bias is not None
    if isinstance(layer, ConvTransposeLayer):
        spec = transposed_spec(
            shape, layer.weight.shape, layer.stride, layer.padding, layer.output_padding,
            layer.groups, layer.dilation,
        )  # fmt: skip
        return ConvDerivation(spec, notation, True, bias)
    spec = ConvSpec.from_shapes(
        shape, layer.weight.shape, layer.stride, _zeros(layer), layer.dilation, layer.groups
    )
    return ConvDerivation(spec, notation, False, bias)


def _zeros(layer: ConvLayer) -> PadsLike:
    """The padding of a layer, which must be zeros: other borders are an op of their own."""
    if layer.padding_mode != "zeros":
        raise UnsupportedError(
            "derive",
            f"the border of {layer} is made by ops.pad, before the convolution",
            fix="derive a layer without padding, for the padded shape",
        )
    return layer.padding if layer.padding_pairs is None else layer.padding_pairs
