"""A derivation in a few words, and its table in a notebook."""

from xml.etree import ElementTree

import pytest

from pellucid.explain import derive
from pellucid.explain.summary import described
from pellucid.kernels.conv import ConvSpec
from pellucid.nn import (
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    ConvTranspose2d,
    CrossEntropyLoss,
    Linear,
    MaxPool2d,
    MSELoss,
    ReLU,
    Sigmoid,
)


@pytest.mark.parametrize(
    ("spec", "english", "korean"),
    [
        ("c1 i5x5 o1 k3x3 s2", "Convolution: input 5x5, kernel 3x3, stride 2, output 2x2",
         "합성곱: 입력 5x5, 커널 3x3, 보폭 2, 출력 2x2"),
        ("n2 c4 i9x8 o6 k3x2 s2x1 p1:0x0 d1x2 g2",
         "Convolution: 2 images, input 4 channels of 9x8, kernel 3x2, stride 2x1, padding 1:0x0, "
         "dilation 1x2, 2 groups, output 6 channels of 4x6",
         "합성곱: 이미지 2장, 입력 4채널 9x8, 커널 3x2, 보폭 2x1, 패딩 1:0x0, 팽창 1x2, 그룹 2개, "
         "출력 6채널 4x6"),
    ],
)  # fmt: skip
def test_a_spec_in_words(spec, english, korean):
    assert described(ConvSpec.parse(spec), "en") == english
    assert described(ConvSpec.parse(spec), "ko") == korean


def test_a_transposed_convolution_goes_the_other_way():
    spec = ConvSpec.parse("c3 i5x5 o4 k3x3 s2")
    assert described(spec, "en", transposed=True) == (
        "Transposed convolution: input 4 channels of 2x2, kernel 3x3, stride 2, "
        "output 3 channels of 5x5"
    )
    assert described(spec, "ko", transposed=True) == (
        "전치 합성곱: 입력 4채널 2x2, 커널 3x3, 보폭 2, 출력 3채널 5x5"
    )
    title = derive(ConvTranspose2d(4, 3, 3, stride=2), (1, 4, 2, 2)).title
    assert title == f"{spec}. {described(spec, 'en', transposed=True)}"


def test_a_notebook_shows_a_derivation():
    html = derive("c1 i5x5 o1 k3x3 s2")._repr_html_()
    table = ElementTree.fromstring(f"<div>{html}</div>")
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows == [
        ["forward[n,o,i,j]", "1x1x2x2", "o22 = x33 w11 + x34 w12 + x35 w13 + ... + x54 w32 + "
         "x55 w33 + b"],
        ["grad_input[n,c,h,w]", "1x1x5x5",
         "dL/dx33 = dL/do11 w33 + dL/do12 w31 + dL/do21 w13 + dL/do22 w11"],
        ["grad_weight[o,c,u,v]", "1x1x3x3",
         "dL/dw22 = dL/do11 x22 + dL/do12 x24 + dL/do21 x42 + dL/do22 x44"],
        ["grad_bias[o]", "1", "dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22"],
    ]  # fmt: skip
    assert "".join(table.find("p").itertext()).startswith("c1 i5x5 o1 k3x3 s2. Convolution: ")


LAYERS = [
    (Linear(3, 2), (2, 3)),
    (MaxPool2d(2), (1, 1, 4, 4)),
    (AvgPool2d(2), (1, 1, 4, 4)),
    (BatchNorm2d(2), (2, 2, 2, 2)),
    (BatchNorm1d(2).eval(), (2, 2)),
    (ReLU(), (1, 3)),
    (Sigmoid(), (1, 3)),
    (CrossEntropyLoss(), (2, 3)),
    (MSELoss(), (2, 3)),
    (ConvTranspose2d(1, 1, 3, stride=2), (1, 1, 2, 2)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda one: type(one).__name__)
def test_a_notebook_shows_every_layer_and_each_of_its_equations(layer, shape):
    d = derive(layer, shape)
    table = ElementTree.fromstring(f"<div>{d._repr_html_()}</div>")
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert len(rows) == len(d.parts) >= 2
    for (name, size, example), part in zip(rows, d.parts.values(), strict=True):
        assert name == part.indexed
        assert size == "x".join(map(str, part.shape))
        middle = part[tuple(size // 2 for size in part.shape)]
        assert example == middle.text(most=6)
        for expression in part:
            left = expression.left.latex()
            assert expression._repr_latex_().startswith(rf"$\displaystyle {left} = ")


def test_without_bias_and_without_images():
    assert "grad_bias" not in derive("c1 i5 o1 k3", bias=False)._repr_html_()
    assert "0x1x5" in derive("n0 c1 i5 o1 k3")._repr_html_()
