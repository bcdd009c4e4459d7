"""One call of a layer, as it was recorded: the equations of its gradients, and their numbers.

Not here: how it was recorded (record.py), the terms of one element (terms.py). Next room: terms.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from pellucid.backend import Array, native
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.derivation import Derivation
from pellucid.explain.elements import Elements
from pellucid.explain.layers import LinearDerivation
from pellucid.explain.notation import Notation
from pellucid.kernels import conv
from pellucid.kernels.conv.spec import ConvSpec
from pellucid.kernels.matmul import product, sum_rows

Grad: TypeAlias = Literal["input", "weight", "bias"]

GRADS: tuple[Grad, ...] = ("input", "weight", "bias")


def copy_of(array: Array) -> Array:
    """Return a copy in the same layout, so that the kernels choose and add as they did."""
    return np.array(native(array), order="K", copy=True)


@dataclass(frozen=True, eq=False)
class Call(ABC):
    """What a layer met in one call and in the backward pass: copies of x, w and gy.

    `has_bias` says whether a bias was added.
    """

    x: Array
    w: Array
    gy: Array
    has_bias: bool

    @abstractmethod
    def derivation(self, notation: Notation) -> Derivation:
        """Return the equations of the call."""

    @abstractmethod
    def kernel(self, grad: Grad) -> Array:
        """Return the gradient that the library computes from the same arrays."""

    def elements(self, grad: Grad, notation: Notation) -> Elements:
        """Return the equations of a gradient."""
        elements: Elements = getattr(self.derivation(notation), f"grad_{grad}")
        return elements


@dataclass(frozen=True, eq=False)
class ConvCall(Call):
    """A call of a convolution or, where `transposed`, of the one whose grad_input `spec` has.

    Shapes: those of the spec; of a transposed convolution x has that of y, and gy that of x.
    """

    spec: ConvSpec
    transposed: bool

    def derivation(self, notation: Notation) -> ConvDerivation:
        """Return the equations of the convolution."""
        return ConvDerivation(self.spec, notation, self.transposed, self.has_bias)

    def kernel(self, grad: Grad) -> Array:
        """Return the gradient that the kernels compute."""
        gy, w, spec = self.gy, self.w, self.spec
        if grad == "bias":
            return conv.grad_bias(gy, spec, transposed=self.transposed)
        if grad == "weight":
            windows, pixels = (self.x, gy) if self.transposed else (gy, self.x)
            return conv.grad_weight(windows, pixels, spec)
        if self.transposed:
            return conv.forward(gy, w, None, spec)
        return conv.grad_input(gy, w, spec)


@dataclass(frozen=True, eq=False)
class LinearCall(Call):
    """A call of a fully connected layer.

    Shapes: x (N, I), w (O, I), gy (N, O); further axes of the input are counted in N.
    """

    def derivation(self, notation: Notation) -> LinearDerivation:
        """Return the equations of the matrix products."""
        (N, I), O = self.x.shape, self.w.shape[0]
        return LinearDerivation(N, I, O, self.has_bias, notation)

    def kernel(self, grad: Grad) -> Array:
        """Return the gradient as the op computes it."""
        if grad == "bias":
            return sum_rows(self.gy)
        # (O, N) @ (N, I) -> (O, I), or (N, O) @ (O, I) -> (N, I)
        return product(self.gy.T, self.x) if grad == "weight" else product(self.gy, self.w)
