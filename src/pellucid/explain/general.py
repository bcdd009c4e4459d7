"""General formulas with their derivation, as data: parts, steps, sentences, formulas.

Not here: the formulas of a convolution (conv_general.py) and of other layers (layers/).
Next room: conv_general.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pellucid.explain.mathml import mathml


class Formula(NamedTuple):
    """One formula, as text and as LaTeX."""

    text: str
    latex: str

    def mathml(self) -> str:
        """Return it as MathML; it needs latex2mathml, which is in the extra `app`."""
        return mathml(self.latex)


class Step(NamedTuple):
    """One step of a derivation: a sentence, and the formulas that it leads to."""

    sentence: str
    formulas: tuple[Formula, ...] = ()


class Part(NamedTuple):
    """The formula of one array, and how it follows; `name` is its attribute of a derivation."""

    name: str
    title: str
    steps: tuple[Step, ...]

    def text(self) -> str:
        """Return the title, the sentences and the formulas as plain text."""
        return "\n".join(_lines(self))

    def latex(self) -> str:
        """Return them as a piece of a LaTeX document (it needs amsmath)."""
        blocks = [rf"\paragraph{{{self.title}}}"]
        for step in self.steps:
            blocks.append(step.sentence)
            blocks += [rf"\[ {formula.latex} \]" for formula in step.formulas]
        return "\n".join(blocks)


class General(NamedTuple):
    """The general formulas of a problem with their derivation, in one language."""

    parts: tuple[Part, ...]

    def text(self) -> str:
        """Return all parts as plain text.

        >>> from pellucid.explain import derive
        >>> print(derive("c1 i5 o1 k3 s2").general().text().splitlines()[0])
        Forward
        """
        return "\n\n".join(part.text() for part in self.parts)

    def latex(self) -> str:
        """Return all parts as a piece of a LaTeX document (it needs amsmath)."""
        return "\n".join(part.latex() for part in self.parts)

    def __repr__(self) -> str:
        return self.text()  # what a prompt and a notebook show


def _lines(part: Part) -> Iterator[str]:
    yield part.title
    for step in part.steps:
        yield f"  {step.sentence}"
        for formula in step.formulas:
            yield f"      {formula.text}"
