"""The LaTeX of every equation, read back by two libraries, says what the text says."""

from xml.etree import ElementTree

import pytest
from explain.problems import draw

from pellucid.explain import derive

latex2mathml = pytest.importorskip("latex2mathml.converter")
mathtext = pytest.importorskip("matplotlib.mathtext")


def read(node, commas):
    """The text that a MathML tree says: dL/do11 w13, x[1,13]."""
    tag = node.tag.rpartition("}")[2]
    children = list(node)
    if tag == "mfrac":
        top, bottom = ("".join(child.itertext()) for child in children)
        assert top == "∂L"
        assert bottom.startswith("∂")
        return "dL/d" + read_name(children[1], commas)
    if tag == "msub":
        name, below = children
        inside = "".join(below.itertext())
        return name.text + (f"[{inside}]" if commas else inside)
    if not children:
        return {"+": "+", "=": "=", "⋯": "..."}.get(node.text, node.text)
    return " ".join(read(child, commas) for child in children)


def read_name(node, commas):
    """The element below the bar of a fraction, without its ∂."""
    return "".join(read(child, commas) for child in node if child.text != "∂")


@pytest.mark.parametrize("notation", ["textbook", "indices"])
@pytest.mark.parametrize("number", range(15))
def test_latex_says_what_the_text_says(number, notation):
    spec = draw(number, largest=4, seed=6)
    d = derive(spec, notation=notation)
    for part in (d.forward, d.grad_input, d.grad_weight, d.grad_bias):
        for expression in part:
            tree = ElementTree.fromstring(latex2mathml.convert(expression.latex()))
            assert read(tree, d.names.commas) == expression.text()


@pytest.mark.parametrize("spec", ["c1 i5x5 o1 k3x3 s2", "n2 c2 i12 o2 k2 s3 p1:0 d2 g2"])
def test_a_strict_parser_reads_it(spec):
    """matplotlib's parser refuses unknown commands and unbalanced braces."""
    parse = mathtext.MathTextParser("path").parse
    d = derive(spec)
    for part in (d.forward, d.grad_input, d.grad_weight, d.grad_bias):
        expression = part[tuple(size // 2 for size in part.shape)]
        parse(f"${expression.latex()}$")
        parse(f"${expression.latex(most=1)}$")
    for part in d.general().parts:
        for step in part.steps:
            for formula in step.formulas:
                parse(f"${formula.latex}$")
    with pytest.raises(ValueError, match="Unknown symbol"):
        parse(r"$\nothing$")


def test_a_notebook_shows_an_expression():
    expression = derive("c1 i6 o1 k3 s2").grad_input[0, 0, 5]
    assert expression._repr_latex_() == (
        r"$\displaystyle \frac{\partial L}{\partial x_{6}} = 0\quad\text{(place 6 lies behind the "
        r"last window, so it is left over)}$"
    )
    long = derive("c30 i3 o1 k3").forward[0, 0, 0]._repr_latex_()
    assert r"\cdots" in long
    assert long.count("+") == 40
