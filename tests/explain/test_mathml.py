"""LaTeX as MathML: well-formed, and every command of it is known."""

from xml.etree import ElementTree

import pytest

from pellucid.explain import derive

pytest.importorskip("latex2mathml")


def well_formed(mathml):
    assert ElementTree.fromstring(mathml).tag.endswith("math")
    assert "\\" not in mathml
    return mathml


def test_an_equation():
    mathml = well_formed(derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 2].mathml())
    assert mathml.count("<mfrac>") == 3
    assert "<msub><mi>w</mi><mrow><mn>13</mn></mrow></msub>" in mathml


def test_a_long_equation_is_shortened():
    expression = derive("c9 i3 o1 k3").forward[0, 0, 0]
    assert len(expression.mathml(most=4)) < len(expression.mathml()) / 3


@pytest.mark.parametrize("transposed", [False, True])
def test_the_general_formulas(transposed):
    general = derive("c4 i9x9 o2 k2x3 s3x2 p1:0 d2 g2", transposed=transposed).general()
    for part in general.parts:
        for step in part.steps:
            for formula in step.formulas:
                well_formed(formula.mathml())


def test_a_matrix():
    found = derive("c1 i5x5 o2 k3x3 s2").matrix("grad_weight")
    assert [well_formed(line).count("<mtd>") for line in found.mathml().splitlines()] == [9, 9]
