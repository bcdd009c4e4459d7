"""What every derivation offers: its arrays as equations, their matrices, the general formulas.

Not here: what the equations of an operation are (convolution.py, layers/). Next room:
convolution.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from pellucid.errors import ArgumentError
from pellucid.explain.elements import Elements
from pellucid.explain.general import General
from pellucid.explain.matrix import Matrix, matrix
from pellucid.explain.notation import Names
from pellucid.explain.sentences import Language
from pellucid.explain.summary import html


class Derivation(ABC):
    """The equations of one operation and of its gradients, element by element (`derive` makes it).

    `parts` has its arrays by name: `forward`, `grad_input`, and what else the operation has, such
    as `grad_weight`; each is an attribute too.
    """

    names: Names
    forward: Elements
    grad_input: Elements

    @property
    @abstractmethod
    def parts(self) -> dict[str, Elements]:
        """The arrays that have equations, by name."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What is derived, in one line."""

    @abstractmethod
    def general(self, lang: Language = "en") -> General:
        """Return the general formulas, and how they follow."""

    def matrix(self, name: str) -> Matrix:
        """Return the whole array of that name as matrices of equations.

        Raises: ArgumentError for a name that is not in `parts`; UnsupportedError for an array that
        is too large to write.

        >>> from pellucid.explain import derive
        >>> print(derive("c1 i3 o1 k2 s2").matrix("grad_input"))
        dL/dX =
          | dL/do1 w1   dL/do1 w2   0 |
        """
        if name not in self.parts:
            raise ArgumentError(
                "matrix", f"there is no array {name!r}", fix=f"use one of {', '.join(self.parts)}"
            )
        return matrix(self.parts[name])

    def _repr_html_(self) -> str:
        return html(self.title, list(self.parts.values()))
