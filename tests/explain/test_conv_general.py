"""The general formulas and how they follow, word for word, and that the solutions are right."""

import re
from fractions import Fraction

import pytest
from explain.test_axis import AXES

from pellucid.errors import ArgumentError
from pellucid.explain import derive
from pellucid.explain.conv_general import solved
from pellucid.ops.conv import ConvGradInput

ENGLISH = """\
Forward
  In these formulas indices count from 0, all of them are written, and the output is called y.
  An output is one window of x times the kernel, added up, plus the bias:
      y[n,o,i,j] = b[o] + sum[c,u,v] x[n, c, 2 i + u, 2 j + v] w[o,c,u,v]
  On which pixel a tap of a window lies, along each axis (stride s, dilation d, low padding p):
      h = i s + u d - p = 2 i + u
      w = j s + v d - p = 2 j + v

Gradient by x
  Chain rule: x[n,c,h,w] acts on L through the outputs, each with the factor that x[n,c,h,w] has \
in it:
      dL/dx[n,c,h,w] = sum[o,i,j] dL/dy[n,o,i,j] dy[n,o,i,j]/dx[n,c,h,w]
  x[n,c,h,w] has a part in y[n,o,i,j] once for each tap that lies on it, with the factor \
w[o,c,u,v]:
      dL/dx[n,c,h,w] = sum[o,u,v,i,j: h = 2 i + u, w = 2 j + v] dL/dy[n,o,i,j] w[o,c,u,v]
  Which windows hold it? Solve for the tap, which must be in the kernel:
      u = h - 2 i,  0 <= u <= 2   =>   (h - 2) / 2 <= i <= h / 2,  0 <= i <= 1
      v = w - 2 j,  0 <= v <= 2   =>   (w - 2) / 2 <= j <= w / 2,  0 <= j <= 1
  Every place lies in at least one window.

Gradient by w
  Chain rule: w[o,c,u,v] has a part in every output of channel o, with the factor that lies under \
it, a pixel of x:
      dL/dw[o,c,u,v] = sum[n,i,j] dL/dy[n,o,i,j] x[n, c, 2 i + u, 2 j + v]
  These are the windows of the forward pass, in the same order, with the same stride.

Gradient by b
  b[o] is added to every output of channel o, with the factor 1:
      dL/db[o] = sum[n,i,j] dL/dy[n,o,i,j]"""

KOREAN = """\
순전파
  출력 하나는 x의 윈도우 하나에 커널을 곱해 모두 더한 것이다.
      y[n,o,j] = sum[c,v] x[n, c, 3 j + 2 v - 1] w[o,c,v]
  윈도우의 각 가중치가 어느 화소 위에 놓이는지는 축마다 다음과 같다(보폭 s, 팽창 d, 앞쪽 패딩 p).
      w = j s + v d - p = 3 j + 2 v - 1
  그 자리가 x의 밖이면 패딩이므로 그 항은 0이다.
  2개의 그룹은 서로 섞이지 않는다. c와 o는 그룹 안에서 센 번호이다. 그룹 g에서 c는 x의 채널 \
2 g + c를, o는 y와 b의 채널이자 w의 첫째 첨자 g + o를 가리킨다.

x에 대한 기울기
  연쇄 법칙: x[n,c,w]는 출력을 거쳐 L에 영향을 준다. 각 출력의 기울기에, x[n,c,w]가 그 출력에서 \
곱해진 수를 곱해 모두 더한다.
      dL/dx[n,c,w] = sum[o,j] dL/dy[n,o,j] dy[n,o,j]/dx[n,c,w]
  x[n,c,w]는 가중치가 그 위에 놓일 때마다 y[n,o,j]에 쓰이고, 이때 곱해진 수는 w[o,c,v]이다.
      dL/dx[n,c,w] = sum[o,v,j: w = 3 j + 2 v - 1] dL/dy[n,o,j] w[o,c,v]
  어느 윈도우가 이 화소를 포함하는가? 첨자 식을 가중치의 번호에 대해 푼다. 번호는 정수이고 \
커널 안에 있어야 한다.
      v = (w + 1 - 3 j) / 2,  0 <= v <= 1   =>   (w - 1) / 3 <= j <= (w + 1) / 3,  0 <= j <= 2
  다음 자리는 어느 윈도우에도 들어가지 않아 0이다: 자리 0, 3, 6 (팽창의 틈); \
자리 8 (마지막 윈도우 뒤).

w에 대한 기울기
  연쇄 법칙: w[o,c,v]는 채널 o의 모든 출력에 쓰이고, 이때 곱해진 수는 그 아래에 놓인 x의 화소이다.
      dL/dw[o,c,v] = sum[n,j] dL/dy[n,o,j] x[n, c, 3 j + 2 v - 1]
  순전파와 같은 윈도우를 같은 순서, 같은 보폭으로 지나간다."""

TRANSPOSED = """\
Forward
  Every element of x spreads the kernel, scaled by it, over its window of y; where windows overlap \
they add up, and then comes the bias:
      y[n,o,w] = b[o] + sum[c,v,j: w = 2 j + v - 1] x[n,c,j] w[c,o,v]
  On which pixel a tap of a window lies, along each axis (stride s, dilation d, low padding p):
      w = j s + v d - p = 2 j + v - 1
  Where that is outside of y, the padding takes the term away.
  Which windows reach y[n,o,w]? Solve for the tap, which must be in the kernel:
      v = w + 1 - 2 j,  0 <= v <= 1   =>   w / 2 <= j <= (w + 1) / 2,  0 <= j <= 2
  No window lies on these, so they are the bias alone: place 5 (left over).

Gradient by x
  Chain rule: x[n,c,j] acts on L through the outputs, each with the factor that x[n,c,j] has in it:
      dL/dx[n,c,j] = sum[o,w] dL/dy[n,o,w] dy[n,o,w]/dx[n,c,j]
  x[n,c,j] has a part in every y[n,o,w] under its window, with the factor w[c,o,v]. So this is a \
convolution of dL/dy with w:
      dL/dx[n,c,j] = sum[o,v] dL/dy[n, o, 2 j + v - 1] w[c,o,v]

Gradient by w
  Chain rule: w[c,o,v] carries every element of channel c of x into y, with that element as its \
factor:
      dL/dw[c,o,v] = sum[n,j] dL/dy[n, o, 2 j + v - 1] x[n,c,j]
  These are the windows of the forward pass, in the same order, with the same stride.

Gradient by b
  b[o] is added to every output of channel o, with the factor 1:
      dL/db[o] = sum[n,w] dL/dy[n,o,w]"""


def test_the_worked_example():
    assert derive("c1 i5x5 o1 k3x3 s2").general().text() == ENGLISH


def test_korean_with_padding_dilation_groups_and_leftovers():
    d = derive("c4 i9 o2 k2 s3 p1:0 d2 g2", notation="indices", bias=False)
    assert d.general("ko").text() == KOREAN


def test_a_transposed_convolution():
    d = derive("c1 i6 o1 k2 s2 p1:0", transposed=True, notation="indices")
    assert d.general().text() == TRANSPOSED


def test_the_parts_and_their_formulas():
    general = derive("c1 i5x5 o1 k3x3 s2").general()
    assert [part.name for part in general.parts] == [
        "forward", "grad_input", "grad_weight", "grad_bias",
    ]  # fmt: skip
    gx = general.parts[1]
    assert gx.steps[1].formulas[0].latex == (
        r"\frac{\partial L}{\partial x_{n,c,h,w}} = "
        r"\sum_{\substack{o,u,v,i,j \\ h = 2 i + u, w = 2 j + v}} "
        r"\frac{\partial L}{\partial y_{n,o,i,j}} w_{o,c,u,v}"
    )
    assert gx.steps[2].formulas[0].latex == (
        r"u = h - 2 i,\quad 0 \leq u \leq 2 \quad\Rightarrow\quad "
        r"\frac{h - 2}{2} \leq i \leq \frac{h}{2},\quad 0 \leq i \leq 1"
    )
    assert gx.latex().startswith("\\paragraph{Gradient by x}\nChain rule: x[n,c,h,w] acts")
    assert general.latex() == "\n".join(part.latex() for part in general.parts)


def test_the_formulas_are_the_equations_of_the_ops_with_numbers():
    formula = derive("c1 i5x5 o1 k3x3 s2").general().parts[1].steps[1].formulas[0].text
    general = ConvGradInput.equation.replace("bx[c] + ", "").replace("gx", "dL/dx")
    for old, new in [("gy", "dL/dy"), (" * ", " "), ("i*sh", "2 i"), ("j*sw", "2 j"),
                     ("u*dh - ph", "u"), ("v*dw - pw", "v")]:  # fmt: skip
        general = general.replace(old, new)
    assert formula == general


def value(text, **letters):
    """The number that a text such as `(h - 2) / 2` is."""
    return eval(re.sub(r"(\d+) ([a-z])", r"\1*\2", text), {}, letters)


def test_the_solutions_are_right():
    """The printed inequalities, read as arithmetic, hold for the windows and taps that meet."""
    for axis in AXES[::7]:
        text = solved(axis, "h", "i", "u").text
        tap, arrow = text.split("   =>   ")
        formula, limits = re.fullmatch(r"u = (.*),  0 <= u <= (.*)", tap).groups()
        first, last, largest = re.fullmatch(r"(.*) <= i <= (.*),  0 <= i <= (.*)", arrow).groups()
        for h in range(axis.size):
            found = []
            for i in range(int(largest) + 1):
                at = Fraction(h)
                if value(first, h=at) <= i <= value(last, h=at):
                    u = value(formula, h=at, i=i)
                    assert 0 <= u <= int(limits), (axis, h, i)
                    if u == int(u):
                        found.append((i, int(u)))
            assert tuple(found) == axis.of_pixel(h), (axis, h)


def test_many_uncovered_places_are_shortened():
    text = derive("c1 i30 o1 k1 s2").general().text()
    assert "places 1, 3, 5, 7, 9, 11, ... 27 (between two windows); place 29 (left over)." in text


def test_an_unknown_language():
    with pytest.raises(ArgumentError, match="there is no language 'de'"):
        derive("c1 i5 o1 k3").general("de")
