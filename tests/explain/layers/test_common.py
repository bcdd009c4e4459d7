"""What the layers' derivations share: names, fractions, general formulas in both languages."""

import pytest

from pellucid import nn
from pellucid.errors import ArgumentError
from pellucid.explain import derive
from pellucid.explain.layers.common import fraction, named

LAYERS = [
    (nn.Linear(3, 2), (2, 3)), (nn.ReLU(), (2, 2)), (nn.Sigmoid(), (3,)),
    (nn.MaxPool2d(2), (1, 1, 4, 4)), (nn.AvgPool2d(2), (1, 1, 4, 4)),
    (nn.BatchNorm1d(2), (3, 2)), (nn.BatchNorm1d(2).eval(), (3, 2)),
    (nn.MSELoss(), (2, 2)), (nn.CrossEntropyLoss(), (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_general_formulas_in_both_languages(layer, shape):
    d = derive(layer, shape)
    english, korean = d.general("en"), d.general("ko")
    assert [part.name for part in english.parts] == list(d.parts)
    for part, translated in zip(english.parts, korean.parts, strict=True):
        assert [step.formulas for step in part.steps] == [s.formulas for s in translated.steps]
        assert part.text().isascii()
        assert not translated.text().isascii()
    with pytest.raises(ArgumentError, match="there is no language 'fr'"):
        d.general("fr")


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_all_of_it_is_latex(layer, shape):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parse = mathtext.MathTextParser("path").parse
    d = derive(layer, shape)
    for part in d.general().parts:
        for step in part.steps:
            for formula in step.formulas:
                parse(f"${formula.latex}$")
    for elements in d.parts.values():
        parse(f"${next(iter(elements)).latex()}$")


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_notebooks_and_matrices(layer, shape):
    d = derive(layer, shape)
    assert d.title in d._repr_html_().replace("&gt;", ">")
    for name in d.parts:
        if d.parts[name].shape:
            assert d.matrix(name).text()


def test_names_by_the_number_of_axes():
    assert (named((2, 3), "x").letters, named((2, 3), "x").kept) == ("n i", 1)
    assert named((2, 3, 4, 5), "o", "y").indices == "y"
    assert named((2, 3), "z", letters="n c").sizes == "N C"


def test_a_factor_of_one_is_not_written():
    assert fraction(3, 3) == []
    assert [factor.text() for factor in fraction(2, 4)] == ["1/2"]
