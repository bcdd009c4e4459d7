"""Which layers may be computed in one op with the ReLU behind them, and the call that does it.

A fused op has the results and gradients of its parts, and saves passes over memory. It is taken
for exactly the library's own layers, and only where no hook looks between them.
Next room: container.py.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, TypeAlias

from pellucid.hooks import watchers
from pellucid.nn.activation import ReLU, ReLU6
from pellucid.nn.conv import Conv2d
from pellucid.nn.module import Module
from pellucid.nn.norm import BatchNorm1d, BatchNorm2d
from pellucid.tensor import Tensor

# What each layer's `with_relu` is told of the activation behind it.
_Options: TypeAlias = "dict[type[Module], dict[str, float]]"
_NORM: _Options = {ReLU: {}, ReLU6: {"ceiling": 6.0}}
_FUSED: dict[type[Module], _Options] = {
    Conv2d: {ReLU: {}},
    BatchNorm1d: _NORM,
    BatchNorm2d: _NORM,
}


def with_relu(layer: Any, relu: Module, x: Any, residual: Tensor | None = None) -> Any:
    """Return relu(layer(x) + residual), in one op where that can be.

    >>> import pellucid
    >>> from pellucid import nn
    >>> layer, x = nn.BatchNorm2d(3), pellucid.randn(2, 3, 4, 4)
    >>> bool((with_relu(layer, nn.ReLU(), x, x) == (layer(x) + x).relu()).all())
    True
    """
    if not can_fuse(layer, relu) or (residual is not None and type(layer) is Conv2d):
        y = layer(x)
        return relu(y if residual is None else y + residual)
    options: dict[str, Any] = dict(_FUSED[type(layer)][type(relu)])
    if residual is not None:
        options["residual"] = residual
    timer = watchers.timer
    with nullcontext() if timer is None else timer.layer(layer):
        return layer.with_relu(x, **options)


def fuses_like_a_norm(layer: type[Module]) -> None:
    """Let a class whose `with_relu` is called like a normalisation's be fused like one."""
    _FUSED[layer] = _NORM


def can_fuse(layer: Module, relu: Module) -> bool:
    """Whether `with_relu` computes the two in one op."""
    return type(relu) in _FUSED.get(type(layer), {}) and not layer.has_hooks and not relu.has_hooks
