"""One call of a layer, as it was recorded: the equation of any gradient of it, and its numbers.

Not here: how it was recorded (record.py), the terms of one element (terms.py).
Next room: terms.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from pellucid.backend import Array, native
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.elements import Elements
from pellucid.explain.notation import Notation
from pellucid.kernels import conv
from pellucid.kernels.conv.spec import ConvSpec

Grad: TypeAlias = Literal["input", "weight", "bias"]

GRADS: tuple[Grad, ...] = ("input", "weight", "bias")


def copy_of(array: Array) -> Array:
    """Return a copy in the same layout, so that the kernels choose and add as they did."""
    return np.array(native(array), order="K", copy=True)


@dataclass(frozen=True, eq=False)
class Call:
    """What a layer met in one call and in the backward pass: its problem, and copies of x, w, gy.

    Shapes: those of the spec; of a transposed convolution x has that of y, and gy that of x.
    """

    spec: ConvSpec
    transposed: bool
    has_bias: bool
    x: Array
    w: Array
    gy: Array

    def elements(self, grad: Grad, notation: Notation) -> Elements:
        """Return the equations of a gradient."""
        derivation = ConvDerivation(self.spec, notation, self.transposed, self.has_bias)
        elements: Elements = getattr(derivation, f"grad_{grad}")
        return elements

    def kernel(self, grad: Grad) -> Array:
        """Return the gradient that the kernels compute from the same arrays."""
        x, w, gy, spec = self.x, self.w, self.gy, self.spec
        if grad == "bias":
            return conv.grad_bias(gy, spec, transposed=self.transposed)
        if grad == "weight":
            return (
                conv.grad_weight(x, gy, spec) if self.transposed else conv.grad_weight(gy, x, spec)
            )
        return conv.forward(gy, w, None, spec) if self.transposed else conv.grad_input(gy, w, spec)
