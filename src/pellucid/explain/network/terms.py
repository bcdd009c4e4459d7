"""The terms of one element of a gradient, in one call of a layer: their values, and their places.

Not here: several calls together (contributions.py). Next room: contributions.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.explain.expression import Expression
from pellucid.explain.network.call import Call, Grad
from pellucid.explain.notation import Notation
from pellucid.explain.sums import Factor, Sum
from pellucid.kernels.conv.spec import Sizes


class Terms(NamedTuple):
    """The terms of one call: their equation, their values in float64, and the recorded arrays."""

    call: int
    grad: Grad
    expression: Expression
    values: Array
    arrays: dict[str, Array]

    @property
    def total(self) -> Sum:
        """The sum that the equation is."""
        assert isinstance(self.expression.terms, Sum)
        return self.expression.terms

    def factor(self, key: str) -> Factor | None:
        """Return the factor that comes from an array, None where no term has one."""
        return next((each for each in self.total.factors if each.key == key), None)

    def places(self, key: str) -> Array:
        """Return where in array `key` the factor of each term stands.

        Shapes: (terms, axes of the array).
        """
        factor = self.factor(key)
        assert factor is not None
        digits = np.indices(self.total.counts).reshape(len(self.total.counts), -1)
        columns = [
            np.full(len(self.values), values[0])
            if runs is None
            else np.asarray(values, np.intp)[digits[runs]]
            for runs, values in factor.places
        ]
        return np.stack(columns, axis=1)

    def heat(self) -> Array:
        """Return the terms where they lie: in x, or else in gy.

        Shapes: (N, H, W) of x for a gradient by w, (N, OH, OW) of gy for one by b, and (O, OH, OW)
        of gy for one by x, which has one image. Linear has no places: (N,), or (O,) for one by x.
        """
        array = self.arrays["x" if self.grad == "weight" else "gy"]
        axis = 1 if self.grad == "input" else 0
        shape = (array.shape[axis], *array.shape[2:])
        places = self.places("x" if self.grad == "weight" else "gy")
        # (terms, axes) -> (axes without the fixed one, terms)
        flat = np.ravel_multi_index(tuple(np.delete(places, 1 - axis, axis=1).T), shape)
        return np.bincount(flat, self.values, minlength=int(np.prod(shape))).reshape(shape)

    def numbers(self, k: int) -> list[float]:
        """Return the number of each factor of term k."""
        return [float(self.arrays[f.key][f.index]) for f in self.expression.terms[k].elements]


def terms_of(call: Call, number: int, grad: Grad, index: Sizes, notation: Notation) -> Terms:
    """Return the terms of one element of a gradient of a call.

    Raises: IndexingError for an index that the gradient does not have.
    """
    expression = call.elements(grad, notation)[index]
    arrays = {"x": call.x, "w": call.w, "gy": call.gy}
    return Terms(number, grad, expression, expression.addends(**arrays), arrays)
