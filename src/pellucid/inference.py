"""optimize_for_inference: a copy of a model that answers faster, and can learn no more.

Batch normalisation behind a convolution is a scale and a shift of its outputs, and goes into the
weights; weights are packed once. Which layers follow one another is read from the graph that the
first call leaves, so any model will do. The pair is computed where the normalisation stands: what
follows it there, a residual and a ReLU, can be part of the same op (nn/fusion.py).
Not here: the packing (kernels/conv/__init__.py). Next room: nn/conv.py.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

import numpy as np

from pellucid.autograd import Function
from pellucid.backend import Array
from pellucid.errors import UnsupportedError
from pellucid.grad_mode import enable_grad, is_grad_enabled, run_silently
from pellucid.kernels import conv as kernels
from pellucid.kernels.activation import add_relu_
from pellucid.kernels.conv import PackedWeights
from pellucid.kernels.conv.spec import ConvSpec
from pellucid.nn import BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, Conv3d, Module
from pellucid.nn.fusion import fuses_like_a_norm
from pellucid.nn.parameter import Parameter
from pellucid.tensor import Tensor

_CONVOLUTIONS = (Conv1d, Conv2d, Conv3d)
_NORMS = (BatchNorm1d, BatchNorm2d)


def optimize_for_inference(model: Module) -> Module:
    """Return a copy of a model, in evaluation, that computes the same in less time.

    The first call shows which batch normalisation takes what a convolution made, where nothing else
    does; it goes into that convolution's weights and bias. From then on all convolutions have their
    weights packed for the last size of x, and take a ReLU or ReLU6 that follows, with a residual
    before it, into their op. Only layers that are called once, have no hooks and are exactly the
    library's are touched. The copy follows no later change of the model.

    Shapes: as the model's; no result has a graph.
    Maths: w[o] scale[o] and (b[o] - mean[o]) scale[o] + bias[o] with scale = weight / sqrt(var +
    eps); results differ from the model's by rounding alone.
    Cost: a copy of the model, and of the packed weights (`PackedWeights.nbytes`).
    Raises: in a call, UnsupportedError where a gradient by an input is asked for.

    >>> import pellucid
    >>> from pellucid import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    >>> fast = optimize_for_inference(model)
    >>> x = pellucid.ones(1, 1, 5, 5)
    >>> bool((fast(x) - model.eval()(x)).abs().max() < 1e-6)
    True
    >>> fast.model
    Sequential(
      (0): Deferred()
      (1): PackedConv(
        (layer): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
      )
      (2): ReLU()
    )
    """
    return Optimized(model)


class Optimized(Module):
    """A model that was copied for inference; `model` is the copy."""

    def __init__(self, model: Module) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).eval()
        self._is_folded = False

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the model returns, without a graph."""
        tensors = tuple(_tensors((args, kwargs)))
        if is_grad_enabled() and any(x.requires_grad for x in tensors):
            raise UnsupportedError(
                "optimize_for_inference",
                "a gradient is asked for by an input of a model that was made for inference",
                fix="call the model itself, or call this one inside no_grad()",
            )
        if not self._is_folded:
            self._pack(args, kwargs)
            self._is_folded = True
        # NumPy is told once, and not by each op.
        return run_silently(False, lambda: self.model(*args, **kwargs))

    def _pack(self, args: Any, kwargs: Mapping[str, Any]) -> None:
        """Put a `PackedConv` in the place of each convolution, or of the norm behind it."""
        alone = [m for m in self.model.modules() if type(m) in _CONVOLUTIONS and not m.has_hooks]
        for convolution, norm in _pairs(self.model, args, kwargs):
            alone.remove(convolution)
            _fold(convolution, norm)
            packed = PackedConv(convolution)
            _replace(self, convolution, Deferred(packed))
            _replace(self, norm, packed)
        for layer in alone:
            _replace(self, layer, PackedConv(layer))


class PackedConv(Module):
    """A convolution whose weights are packed for the size of x that it met last."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        self._bordered = layer._bordered
        self._shape: tuple[int, ...] | None = None
        self._spec: Any = None
        self._packed: Any = None
        self._bias: Array | None = None
        self._is_deferred = False  # it stands where its normalisation stood

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution, without a graph."""
        return Tensor(self._convolved(x))

    def with_relu(self, x: Tensor, residual: Tensor | None = None, ceiling: float = inf) -> Tensor:
        """Return min(relu(self(x) + residual), ceiling), without a graph and in the memory of y.

        With a residual, in one more pass over y.
        """
        if residual is None:
            return Tensor(self._convolved(x, ceiling))
        y = self._convolved(x)
        if residual.shape != y.shape or residual.dtype != y.dtype:  # broadcast, or refused
            return Tensor(add_relu_((Tensor(y) + residual).array, None, ceiling))
        return Tensor(add_relu_(y, residual.array, ceiling))

    def deferred(self, x: Tensor) -> Tensor:
        """Return x in the place of what `forward` makes of it."""
        self._is_deferred = True
        x = self._bordered(x)
        return _InPlaceOf(x, self._prepare(x))

    def _convolved(self, x: Tensor, ceiling: float | None = None) -> Array:
        x = _argument(x) if self._is_deferred else self._bordered(x)
        if x.shape != self._shape:
            self._prepare(x)
        return kernels.forward(x.array, self._packed, self._bias, self._spec, ceiling=ceiling)

    def _prepare(self, x: Tensor) -> Array:
        """Pack the weights for a size of x, and return an array of the shape of y."""
        if x.shape != self._shape:
            layer = self.layer
            w, b = layer.weight.array, layer.bias
            spec = ConvSpec.from_shapes(
                x.shape, w.shape, layer.stride, layer._zeros, layer.dilation, layer.groups
            )
            if self._packed is None or self._packed.spec != spec.of_one_image:
                self._packed = PackedWeights(w, spec)
            self._shape, self._spec, self._bias = x.shape, spec, None if b is None else b.array
            self._nothing = np.broadcast_to(np.array(np.nan, w.dtype), spec.y_shape)
        return self._nothing


# What may follow a normalisation in one op may follow the convolution that it went into.
fuses_like_a_norm(PackedConv)


class Deferred(Module):
    """In the place of a convolution that is computed where its normalisation stands."""

    def __init__(self, packed: PackedConv) -> None:
        super().__init__()
        self._deferred = packed.deferred

    def forward(self, x: Tensor) -> Tensor:
        """Return x, with the shape of what the convolution will make of it."""
        return self._deferred(x)


class _InPlaceOf(Tensor):
    """The argument of a convolution, with the shape of its result, whose elements are not there.

    Whoever reads them nevertheless reads NaN.
    """

    __slots__ = ("x",)

    def __init__(self, x: Tensor, nothing: Array) -> None:
        super().__init__(nothing)
        self.x = x


def _argument(y: Tensor) -> Tensor:
    """Return the argument of the convolution whose result the normalisation is given."""
    if not isinstance(y, _InPlaceOf):
        raise UnsupportedError(
            "optimize_for_inference",
            "the model takes another way than in its first call: a normalisation that went into a "
            "convolution is given another tensor",
            f"x {y.shape}",
            fix="call the model itself",
        )
    return y.x


def _pairs(model: Module, args: Any, kwargs: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return each convolution and the normalisation that alone takes what it made, by one call."""
    calls: Counter[Module] = Counter()
    made: dict[Function, Module] = {}  # the node of a convolution's result
    taken: list[tuple[Function | None, Module]] = []  # that of a normalisation's argument
    light: set[Function] = set()

    def look(module: Module, inputs: Any, y: Any) -> None:
        calls[module] += 1
        _lighten(y.grad_fn, light)
        if type(module) in _NORMS:
            taken.append((inputs[0].grad_fn, module))
        elif y.grad_fn is not None:
            made[y.grad_fn] = module

    seen = [m for m in model.modules() if type(m) in _CONVOLUTIONS + _NORMS and not m.has_hooks]
    handles = [module.register_forward_hook(look) for module in seen]
    learns = [(p, p.requires_grad) for p in model.parameters()]
    for p, _ in learns:
        p.requires_grad_(True)  # so that each convolution leaves a node
    try:
        with enable_grad():
            y = model(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
        for p, before in learns:
            p.requires_grad_(before)
    uses = _uses(y)
    return [
        (made[node], norm)
        for node, norm in taken
        if node in made and uses[node] == 1 and calls[norm] == calls[made[node]] == 1
        and norm.running_mean is not None
    ]  # fmt: skip


def _lighten(node: Function | None, light: set[Function]) -> None:
    """Release what the nodes above one have saved: only who made what is asked of them."""
    waiting = [] if node is None else [node]
    while waiting:
        node = waiting.pop()
        if node not in light:
            light.add(node)
            node._saved = None
            edges = [edge for edge in node.next_functions if edge is not None]
            waiting += [edge[0] for edge in edges if isinstance(edge[0], Function)]


def _uses(results: Any) -> Counter[Function]:
    """Return how often the output of each node of a graph is used; by being a result, too."""
    waiting = [y.grad_fn for y in _tensors(results) if y.grad_fn is not None]
    uses = Counter(waiting)
    seen = set(waiting)
    while waiting:
        for edge in waiting.pop().next_functions:
            if edge is None or not isinstance(edge[0], Function):
                continue
            uses[edge[0]] += 1
            if edge[0] not in seen:
                seen.add(edge[0])
                waiting.append(edge[0])
    return uses


def _fold(convolution: Any, norm: Any) -> None:
    """Put a normalisation by constants into the weights and the bias before it."""
    w, b = convolution.weight.array, convolution.bias
    O, dtype = w.shape[0], w.dtype
    mean, var = (t.array.astype(np.float64) for t in (norm.running_mean, norm.running_var))
    scale = 1 / np.sqrt(var + norm.eps)
    scale = scale if norm.weight is None else scale * norm.weight.array
    shift = -mean if b is None else b.array - mean
    shift = shift * scale if norm.bias is None else shift * scale + norm.bias.array
    # (O) -> (O, 1, 1, 1)
    convolution.weight = Parameter((w * scale.reshape(O, *(1,) * (w.ndim - 1))).astype(dtype))
    convolution.bias = Parameter(shift.astype(dtype))


def _replace(model: Module, old: Module, new: Module) -> None:
    """Put one module into every place that another has below `model`."""
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child is old:
                parent._modules[name] = new


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value and in the lists, tuples and dictionaries it is made of."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _tensors(inner)
