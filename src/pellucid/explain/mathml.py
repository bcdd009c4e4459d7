"""LaTeX as MathML, which browsers draw themselves.

It needs latex2mathml, which is in the extra `app`. Not here: the LaTeX (expression.py, general.py,
matrix.py). Next room: expression.py.
"""

from __future__ import annotations


def mathml(latex: str) -> str:
    """Return a formula in LaTeX as a MathML element.

    >>> "<msub><mi>x</mi><mrow><mn>13</mn></mrow></msub>" in mathml("x_{13}")
    True
    """
    from latex2mathml.converter import convert  # noqa: PLC0415  it is in the extra `app`

    return convert(latex)
