"""Optimizer steps: many parameters in one call, each element of them read and written once.

A parameter is a tuple of arrays of one shape and dtype, (p, g, *state), of which all but g change
in place. The native functions take all parameters whose arrays lie alike and without gaps, in
float32 and float64, in one parallel region. The others, and all without the native module, take the
same step here, operation for operation: the two agree to the bit, but for denormal numbers, which
the native functions take for zeros. Not here: options, state and their checks (optim/).
Next room: blocks.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.blocks import blocks
from pellucid.kernels.native import module

Parameters: TypeAlias = Sequence[tuple[Array, ...]]


def sgd(
    parameters: Parameters,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Let parameters (p, g), or with momentum (p, g, b), take a step down their gradients.

    Maths: b = momentum b + (1 - dampening) g, p = p - lr b; with nesterov p - lr (g + momentum b).

    >>> p, g = np.array([1.0, -2.0]), np.array([2.0, -4.0])
    >>> options = dict(momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False)
    >>> sgd([(p, g)], lr=0.25, **options)
    >>> p
    array([ 0.5, -1. ])
    """
    share = 1 - dampening
    numbers = lr, momentum, share, weight_decay, bool(momentum), nesterov, maximize
    left = module and module.sgd(parameters, *numbers)
    for p, g, *state in _left(parameters, left):
        descent = -g if maximize else g
        if weight_decay:
            descent = descent + weight_decay * p
        for b in state:
            b[:] = momentum * b + share * descent
            descent = descent + momentum * b if nesterov else b
        p[:] = p - lr * descent


def adam(
    parameters: Parameters,
    *,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    amsgrad: bool,
) -> None:
    """Let parameters (p, g, m, v), or with amsgrad (p, g, m, v, top), take step `step` (from 1).

    Maths: m = m + (1 - beta1) (g - m), v = beta2 v + (1 - beta2) g^2, and with the correction
    c = sqrt(1 - beta2^step), by which numerator and denominator are multiplied,
        p = p - (c lr / (1 - beta1^step)) m / (sqrt(v) + c eps)

    >>> p, g, m, v = np.array([[1.0, -2.0], [2.0, -4.0], [0.0, 0.0], [0.0, 0.0]])
    >>> options = dict(eps=0, weight_decay=0, decoupled=False, amsgrad=False)
    >>> adam([(p, g, m, v)], step=1, lr=0.5, beta1=0.9, beta2=0.75, **options)
    >>> p
    array([ 0.5, -1.5])
    """
    correction = math.sqrt(1 - beta2**step)
    step_size, eps = correction * lr / (1 - beta1**step), correction * eps
    kept = 1.0
    if decoupled:
        kept, weight_decay = 1 - lr * weight_decay, 0.0
    numbers = step_size, eps, 1 - beta1, beta2, 1 - beta2, weight_decay, kept, amsgrad
    left = module and module.adam(parameters, *numbers)
    for p, gradient, m, v, *top in _left(parameters, left):
        g = gradient + weight_decay * p if weight_decay else gradient
        p[:] = p * kept
        m[:] = m + (1 - beta1) * (g - m)
        v[:] = beta2 * v + (1 - beta2) * g * g
        second = np.maximum(top[0], v, out=top[0]) if top else v
        p[:] = p - step_size * m / (np.sqrt(second) + eps)


def adagrad(
    parameters: Parameters,
    *,
    step: int,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
) -> None:
    """Let parameters (p, g, s) take their step number `step` (from 1).

    Maths: s = s + g^2, p = p - lr / (1 + (step - 1) lr_decay) g / (sqrt(s) + eps)

    >>> p, g, s = np.array([[1.0, -2.0], [2.0, -4.0], [0.0, 0.0]])
    >>> adagrad([(p, g, s)], step=1, lr=0.5, lr_decay=0, weight_decay=0, eps=0)
    >>> p
    array([ 0.5, -1.5])
    """
    lr = lr / (1 + (step - 1) * lr_decay)
    numbers = lr, weight_decay, eps
    left = module and module.adagrad(parameters, *numbers)
    for p, gradient, s in _left(parameters, left):
        g = gradient + weight_decay * p if weight_decay else gradient
        s[:] = s + g * g
        p[:] = p - lr * g / (np.sqrt(s) + eps)


def rmsprop(
    parameters: Parameters,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """Let parameters (p, g, v, a, b) take a step; a only if centered, b only with momentum.

    Maths: v = alpha v + (1 - alpha) g^2, a = a + (1 - alpha) (g - a), u = v - a^2 if centered,
    else v; b = momentum b + g / (sqrt(u) + eps), p = p - lr b

    >>> p, g, v = np.array([[1.0, -2.0], [2.0, -4.0], [0.0, 0.0]])
    >>> options = dict(eps=0, weight_decay=0, momentum=0, centered=False)
    >>> rmsprop([(p, g, v)], lr=0.5, alpha=0.75, **options)
    >>> p
    array([ 0., -1.])
    """
    numbers = lr, alpha, 1 - alpha, eps, weight_decay, momentum, centered, bool(momentum)
    left = module and module.rmsprop(parameters, *numbers)
    for p, gradient, v, *state in _left(parameters, left):
        g = gradient + weight_decay * p if weight_decay else gradient
        v[:] = alpha * v + (1 - alpha) * g * g
        variance = v
        if centered:
            a = state[0]
            a[:] = a + (1 - alpha) * (g - a)
            variance = np.maximum(v - a * a, 0)  # rounding can make it negative
        descent = g / (np.sqrt(variance) + eps)
        if momentum:
            b = state[-1]
            b[:] = momentum * b + descent
            descent = b
        p[:] = p - lr * descent


def _left(parameters: Parameters, left: Iterable[int] | None) -> Iterator[tuple[Any, ...]]:
    """Yield the pieces of those parameters that native functions left; None: of all."""
    for k in range(len(parameters)) if left is None else left:
        yield from blocks(*parameters[k])
