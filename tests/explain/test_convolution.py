"""Every element of every gradient: word for word, against kernels, SymPy and the ops' equations."""

import time

import numpy as np
import pytest
from explain.equations import parameters, read
from explain.problems import blocks, draw, integers

from pellucid.errors import UnsupportedError
from pellucid.explain import derive
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, reference
from pellucid.ops.conv import Conv, ConvGradBias, ConvGradInput, ConvGradWeight
from pellucid.ops.conv_transpose import ConvTranspose

EXAMPLE = """
o11 = x11 w11 + x12 w12 + x13 w13 + x21 w21 + x22 w22 + x23 w23 + x31 w31 + x32 w32 + x33 w33 + b
o12 = x13 w11 + x14 w12 + x15 w13 + x23 w21 + x24 w22 + x25 w23 + x33 w31 + x34 w32 + x35 w33 + b
o21 = x31 w11 + x32 w12 + x33 w13 + x41 w21 + x42 w22 + x43 w23 + x51 w31 + x52 w32 + x53 w33 + b
o22 = x33 w11 + x34 w12 + x35 w13 + x43 w21 + x44 w22 + x45 w23 + x53 w31 + x54 w32 + x55 w33 + b
dL/dx11 = dL/do11 w11
dL/dx12 = dL/do11 w12
dL/dx13 = dL/do11 w13 + dL/do12 w11
dL/dx14 = dL/do12 w12
dL/dx15 = dL/do12 w13
dL/dx21 = dL/do11 w21
dL/dx22 = dL/do11 w22
dL/dx23 = dL/do11 w23 + dL/do12 w21
dL/dx24 = dL/do12 w22
dL/dx25 = dL/do12 w23
dL/dx31 = dL/do11 w31 + dL/do21 w11
dL/dx32 = dL/do11 w32 + dL/do21 w12
dL/dx33 = dL/do11 w33 + dL/do12 w31 + dL/do21 w13 + dL/do22 w11
dL/dx34 = dL/do12 w32 + dL/do22 w12
dL/dx35 = dL/do12 w33 + dL/do22 w13
dL/dx41 = dL/do21 w21
dL/dx42 = dL/do21 w22
dL/dx43 = dL/do21 w23 + dL/do22 w21
dL/dx44 = dL/do22 w22
dL/dx45 = dL/do22 w23
dL/dx51 = dL/do21 w31
dL/dx52 = dL/do21 w32
dL/dx53 = dL/do21 w33 + dL/do22 w31
dL/dx54 = dL/do22 w32
dL/dx55 = dL/do22 w33
dL/dw11 = dL/do11 x11 + dL/do12 x13 + dL/do21 x31 + dL/do22 x33
dL/dw12 = dL/do11 x12 + dL/do12 x14 + dL/do21 x32 + dL/do22 x34
dL/dw13 = dL/do11 x13 + dL/do12 x15 + dL/do21 x33 + dL/do22 x35
dL/dw21 = dL/do11 x21 + dL/do12 x23 + dL/do21 x41 + dL/do22 x43
dL/dw22 = dL/do11 x22 + dL/do12 x24 + dL/do21 x42 + dL/do22 x44
dL/dw23 = dL/do11 x23 + dL/do12 x25 + dL/do21 x43 + dL/do22 x45
dL/dw31 = dL/do11 x31 + dL/do12 x33 + dL/do21 x51 + dL/do22 x53
dL/dw32 = dL/do11 x32 + dL/do12 x34 + dL/do21 x52 + dL/do22 x54
dL/dw33 = dL/do11 x33 + dL/do12 x35 + dL/do21 x53 + dL/do22 x55
dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22
"""


def test_the_worked_example_word_for_word():
    d = derive("c1 i5x5 o1 k3x3 s2")
    found = [str(e) for part in (d.forward, d.grad_input, d.grad_weight, d.grad_bias) for e in part]
    assert found == EXAMPLE.strip().splitlines()


@pytest.mark.parametrize(
    ("spec", "part", "index", "text"),
    [
        ("c2 i4 o1 k2 s2", "grad_input", (0, 1, 3), "dL/dx24 = dL/do2 w22"),
        ("c2 i4 o2 k2 s2", "grad_input", (0, 1, 3), "dL/dx24 = dL/do12 w122 + dL/do22 w222"),
        ("n2 c4 i3 o2 k2 g2", "grad_input", (1, 2, 1),
         "dL/dx232 = dL/do221 w212 + dL/do222 w211"),
        ("n2 c4 i3 o2 k2 g2", "grad_weight", (1, 1, 0),
         "dL/dw221 = dL/do121 x141 + dL/do122 x142 + dL/do221 x241 + dL/do222 x242"),
        ("n2 c1 i3 o2 k2", "grad_bias", (1,), "dL/db2 = dL/do121 + dL/do122 + dL/do221 + dL/do222"),
        ("c1 i3 o1 k3 p1:0", "forward", (0, 0, 0), "o1 = x1 w2 + x2 w3 + b"),
        ("c1 i5 o1 k2 d2", "grad_input", (0, 0, 2), "dL/dx3 = dL/do1 w2 + dL/do3 w1"),
        ("c1 i2x2x2 o1 k2x2x1 s1", "grad_input", (0, 0, 1, 0, 1), "dL/dx212 = dL/do112 w211"),
    ],
)  # fmt: skip
def test_other_problems_by_example(spec, part, index, text):
    assert str(getattr(derive(spec), part)[index]) == text


def test_a_transposed_convolution_is_the_exchange():
    d = derive("c1 i4 o1 k3", transposed=True)
    assert [str(e) for e in d.forward] == [
        "o1 = x1 w1 + b", "o2 = x1 w2 + x2 w1 + b", "o3 = x1 w3 + x2 w2 + b", "o4 = x2 w3 + b",
    ]  # fmt: skip
    assert str(d.grad_input[0, 0, 1]) == "dL/dx2 = dL/do2 w1 + dL/do3 w2 + dL/do4 w3"
    assert str(d.grad_weight[0, 0, 0]) == "dL/dw1 = dL/do1 x1 + dL/do2 x2"
    assert str(d.grad_bias[0]) == "dL/db = dL/do1 + dL/do2 + dL/do3 + dL/do4"


def test_without_a_bias():
    d = derive("c1 i2 o1 k1", bias=False)
    assert str(d.forward[0, 0, 0]) == "o1 = x1 w1"
    with pytest.raises(UnsupportedError) as raised:
        _ = d.grad_bias
    assert str(raised.value) == (
        "grad_bias: this convolution has no bias\n  c1 i2 o1 k1\n  fix: derive it with bias=True"
    )


def test_it_says_what_it_is():
    assert repr(derive("c1 i2 o1 k1")) == "<derivation of the convolution c1 i2 o1 k1>"
    transposed = repr(derive("c1 i2 o1 k1", transposed=True))
    assert transposed == "<derivation of the transposed convolution c1 i2 o1 k1>"


# --- against the kernels --------------------------------------------------------------------------


def agrees_with_the_kernels(spec):
    """Hold all elements, in float64 and exactly, to the loops; also as a transposed convolution."""
    x, w, b = integers(spec.x_shape, 1), integers(spec.w_shape, 2), integers(spec.b_shape, 3)
    gy, bx = integers(spec.y_shape, 4), integers(spec.bx_shape, 5)
    d = derive(spec)
    assert np.array_equal(d.forward.evaluate(x=x, w=w, b=b), reference.forward(x, w, b, spec))
    gx, gw = reference.grad_input(gy, w, spec), reference.grad_weight(gy, x, spec)
    assert np.array_equal(d.grad_input.evaluate(w=w, gy=gy), gx)
    assert np.array_equal(d.grad_weight.evaluate(x=x, gy=gy), gw)
    assert np.array_equal(d.grad_bias.evaluate(gy=gy), reference.grad_bias(gy, spec))
    for element in d.grad_input:
        assert (element.why is None) == (len(element.terms) > 0)
    t = derive(spec, transposed=True)
    y = reference.grad_input(gy, w, spec, bx)
    assert np.array_equal(t.forward.evaluate(x=gy, w=w, b=bx), y)
    assert np.array_equal(t.grad_input.evaluate(gy=x, w=w), reference.forward(x, w, None, spec))
    assert np.array_equal(t.grad_weight.evaluate(gy=x, x=gy), gw)
    assert np.array_equal(t.grad_bias.evaluate(gy=x), x.sum((0, *range(2, x.ndim))))


@pytest.mark.parametrize("numbers", blocks(2000, size=100, slow=2))
def test_random_specs_agree_with_the_kernels(numbers):
    for number in numbers:
        spec = draw(number)
        try:
            agrees_with_the_kernels(spec)
        except Exception as error:
            raise AssertionError(f"draw({number}) = {spec}") from error


def test_the_random_specs_have_all_that_matters():
    specs = [draw(number) for number in range(100)]
    assert {spec.axes for spec in specs} == {1, 2, 3}
    assert {spec.groups for spec in specs} == {1, 2, 3}
    assert {spec.batch for spec in specs} == {0, 1, 2}
    assert any(max(spec.leftover) for spec in specs)
    assert any(low != high for spec in specs for low, high in spec.padding)
    reasons = {e.why.reason for spec in specs for e in derive(spec).grad_input if e.why}
    assert reasons == {"crop", "leftover", "stride", "dilation"}


def test_the_kernels_that_a_network_uses_agree_too():
    spec = ConvSpec.parse("n2 c4 i7x6 o6 k3x2 s2 p1:0x1 d1x2 g2")
    w, gy = integers(spec.w_shape, 0), integers(spec.y_shape, 1)
    gx = derive(spec).grad_input.evaluate(w=w, gy=gy)
    assert np.array_equal(gx, conv.grad_input(gy, w, spec))


# --- against SymPy --------------------------------------------------------------------------------


def agrees_with_sympy(d):
    """Hold all elements to the derivative, by SymPy, of L = sum of dL/do times the forward pass."""
    sympy = pytest.importorskip("sympy")
    forward = {e.left: e.sympy() for e in d.forward}
    parts = [d.grad_input, d.grad_weight, d.grad_bias]
    for element in (e for part in parts for e in part):
        by = sympy.Symbol(element.left.text().removeprefix("dL/d"))
        expected = sympy.Add(*(
            sympy.Symbol(f"dL/d{y}") * sympy.diff(value, by)
            for y, value in forward.items()
            if by in value.free_symbols
        ))  # fmt: skip
        assert sympy.expand(element.sympy() - expected) == 0, element


@pytest.mark.parametrize("numbers", blocks(200, size=10, slow=3))
def test_random_specs_agree_with_sympy(numbers):
    for number in numbers:
        spec = draw(number, largest=4, seed=2)
        for transposed in (False, True):
            agrees_with_sympy(derive(spec, transposed=transposed))


# --- against the equations of the ops -------------------------------------------------------------


def agrees_with_equation(elements, equation, rename, spec):
    """Hold each sum to the equation of an op, read literally; `rename` gives the op's letters."""
    arrays = elements.names.arrays
    shapes = {prefix + key: arrays[key].shape for key in arrays for prefix in ("", "g")}
    shapes |= {letter: shapes[key] for key, letter in rename.items()}
    expected = read(equation, shapes, parameters(spec))
    assert len(expected) == len(elements)
    for index, terms in expected.items():
        found = [
            tuple((rename.get(f.key, f.key), f.index) for f in term.factors)
            for term in elements[index].terms
        ]
        assert sorted(found) == sorted(terms), (spec, equation, index)
        if ": " not in equation:  # without conditions, the terms go as the indices run
            assert found == terms, (spec, equation, index)


@pytest.mark.parametrize(
    "name",
    ["c2 i5x4 o2 k3x2 s2x1 p1x0:1", "n2 c1 i6x5 o1 k2x2 s3 d2", "c1 i5x5 o1 k3x3 s2"],
)
def test_the_equations_of_the_ops_say_the_same(name):
    """`Conv.equation` and its gradients' equations are what explain derives (for one group)."""
    d = derive(name)
    spec = d.spec
    agrees_with_equation(d.forward, Conv.equation, {}, spec)
    without_bx = ConvGradInput.equation.replace("bx[c] + ", "")
    assert without_bx != ConvGradInput.equation
    agrees_with_equation(d.grad_input, without_bx, {}, spec)
    agrees_with_equation(d.grad_weight, ConvGradWeight.equation, {}, spec)
    agrees_with_equation(d.grad_bias, ConvGradBias.equation, {}, spec)
    t = derive(spec, transposed=True)
    agrees_with_equation(t.forward, ConvTranspose.equation, {}, spec)
    agrees_with_equation(t.grad_input, Conv.equation.replace("b[o] + ", ""),
                         {"gx": "y", "gy": "x"}, spec)  # fmt: skip


# --- the cost -------------------------------------------------------------------------------------


def test_one_element_of_a_large_problem_is_made_at_once():
    seconds = []
    for _ in range(3):  # the machine may be busy
        began = time.perf_counter()
        d = derive("n64 c64 i224x224 o128 k3x3 s2 p1")
        texts = [d.grad_input[3, 5, 100, 101].text(most=4), d.grad_weight[0, 0, 0, 0].text(most=4)]
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.05
    assert texts[0] == (
        "dL/dx[4,6,101,102] = dL/do[4,1,51,51] w[1,6,2,3] + dL/do[4,1,51,52] w[1,6,2,1] + ... + "
        "dL/do[4,128,51,51] w[128,6,2,3] + dL/do[4,128,51,52] w[128,6,2,1]"
    )
    assert len(d.grad_weight[0, 0, 0, 0].terms) == 64 * 111 * 111
