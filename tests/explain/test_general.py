"""Formulas, steps and parts as data, and how they are written."""

from pellucid.explain.general import Formula, General, Part, Step

ONE = Part("forward", "Forward", (Step("First:", (Formula("y = x", "y = x^1"),)), Step("So.")))
TWO = Part("grad_input", "Gradient by x", (Step("Then."),))


def test_text():
    assert ONE.text() == "Forward\n  First:\n      y = x\n  So."
    assert General((ONE, TWO)).text() == f"{ONE.text()}\n\nGradient by x\n  Then."


def test_latex():
    assert ONE.latex() == "\\paragraph{Forward}\nFirst:\n\\[ y = x^1 \\]\nSo."
    assert General((ONE, TWO)).latex() == f"{ONE.latex()}\n{TWO.latex()}"
