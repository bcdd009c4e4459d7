"""`record`: copies of what one layer met in a backward pass, for `contributions` to take apart.

The backward pass itself is watched: a use of the layer is a node of its op that holds its weight.
So the forward pass may lie before the block, and the layer and its results stay as they are. The
copies live as long as the layer, or until they are made anew or cleared. Not here: what they say
(contributions.py). Next room: call.py.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from pellucid.autograd import Function
from pellucid.errors import UnsupportedError
from pellucid.explain.network.call import Call, ConvCall, LinearCall, copy_of
from pellucid.hooks import watching
from pellucid.nn import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    Linear,
    Module,
)
from pellucid.ops.activation import ReLUGrad
from pellucid.ops.conv import Conv
from pellucid.ops.conv_fused import ConvReLU
from pellucid.ops.conv_transpose import ConvTranspose
from pellucid.ops.linear import Linear as LinearOp
from pellucid.tensor import Tensor

# The layers that can be recorded, and the op that each applies.
OPS: dict[type[Module], type[Function]] = {
    Conv1d: Conv,
    Conv2d: Conv,
    Conv3d: Conv,
    ConvTranspose1d: ConvTranspose,
    ConvTranspose2d: ConvTranspose,
    ConvTranspose3d: ConvTranspose,
    Linear: LinearOp,
}


class record:  # noqa: N801  a block, named as no_grad is
    """Keep x, w and gy of one layer from the backward passes of a `with` block.

    `contributions(layer, ...)` takes them apart, in the block or after it. A layer that was called
    several times has several `calls`, in the order of the forward pass. The gradients, and all
    other layers, are what they are without the block.

    Cost: a copy of x, w and gy for each call, kept as long as the layer; a later `record` of the
    same layer, or `clear()`, lets them go.
    Raises: UnsupportedError for what is no convolution, transposed convolution or Linear.

    >>> import pellucid
    >>> from pellucid.explain import contributions, record
    >>> layer = pellucid.nn.Conv2d(1, 1, 2, bias=False)
    >>> loss = layer(pellucid.ones(1, 1, 3, 3)).sum()
    >>> with record(layer):
    ...     loss.backward()
    >>> contributions(layer, "weight", (0, 0, 0, 1)).value
    4.0
    """

    def __init__(self, layer: Module) -> None:
        self._op = _op_of(layer)
        self._layer = layer
        self._kept = Kept()
        self._watching: AbstractContextManager[None] | None = None

    @property
    def calls(self) -> tuple[Call, ...]:
        """What was kept, in the order of the forward pass."""
        return self._kept.calls

    def clear(self) -> None:
        """Let all copies go."""
        self._kept.clear()

    def __enter__(self) -> record:
        self._kept.clear()
        _kept[self._layer] = self._kept
        self._watching = watching(self._look)
        self._watching.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._watching is not None
        self._watching.__exit__(kind, error, traceback)
        self._watching = None

    def _look(self, node: Function, gradients: list[Tensor | None]) -> None:
        """Keep what a node of the backward pass has to do with the layer."""
        if type(node) is self._op or (self._op is Conv and type(node) is ConvReLU):
            x, w, *after_relu = node.saved_tensors
            gy = gradients[0]
            if w is self._layer.weight and gy is not None:
                # What reaches the convolution is what passes the ReLU that is fused with it.
                self._kept.add(node, x, w, ReLUGrad.apply(gy, *after_relu) if after_relu else gy)
                return
        for name, parameter in self._layer.named_parameters():
            if any(edge is not None and edge[0] is parameter for edge in node.next_functions):
                self._kept.others.setdefault(name, []).append(node.name)


class Kept:
    """The copies that belong to one layer, and the ops that used its parameters besides it."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, Call]] = []
        self.others: dict[str, list[str]] = {}

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls in the order of the forward pass, which is that of the nodes."""
        return tuple(call for _, call in sorted(self._calls, key=lambda pair: pair[0]))

    def add(self, node: Any, x: Tensor, w: Tensor, gy: Tensor) -> None:
        """Keep copies of what a node met."""
        arrays = copy_of(x.array), copy_of(w.array), copy_of(gy.array)
        kind = type(node)
        if kind is LinearOp:
            call: Call = LinearCall(*arrays, node.has_bias)
        else:
            call = ConvCall(*arrays, node.has_bias, node.spec, kind is ConvTranspose)
        self._calls.append((node._sequence, call))

    def clear(self) -> None:
        """Let everything go."""
        self._calls.clear()
        self.others.clear()


_kept: WeakKeyDictionary[Module, Kept] = WeakKeyDictionary()


def kept_of(layer: Module) -> Kept | None:
    """Return what was kept of a layer, None where it was never recorded."""
    return _kept.get(layer)


def can_record(layer: Module) -> bool:
    """Whether a layer is of a kind that `record` takes."""
    return isinstance(layer, tuple(OPS))


def _op_of(layer: Module) -> type[Function]:
    """Return the op that a layer applies."""
    for kind, op in OPS.items():
        if isinstance(layer, kind):
            return op
    inside = [name for name, inner in layer.named_modules() if can_record(inner)]
    raise UnsupportedError(
        "record",
        f"{type(layer).__name__} is neither a convolution nor a Linear",
        fix=f"record one of its layers: {', '.join(inside)}" if inside else "record such a layer",
    )
