"""The page derives what Python derives: every element of random convolutions, to the letter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explain.page.conftest import EXAMPLE
from explain.problems import draw

from pellucid.errors import PellucidError
from pellucid.explain import derive
from pellucid.kernels.conv import ConvSpec, reference

BLOCK = 50

# All elements of all four arrays: [array, text, LaTeX, value, reason].
ALL = """
([text, notation, pattern, transposed]) => {
  const { parseSpec, Numbers, indicesOf, textOf, latexOf, valueOf, reasonAt, called } = pellucid;
  const spec = parseSpec(text, transposed);
  const numbers = new Numbers(spec, pattern);
  const at = (array, index) => numbers.at(array, index);
  return ["y", "gx", "gw", "gb"].map((name) => called(spec, name)).flatMap((array) =>
    [...indicesOf(spec.shapes[array])].map((index) => [
      called(spec, array),
      textOf(spec, array, index, notation),
      latexOf(spec, array, index, notation),
      valueOf(spec, array, index, at),
      array === "gx" ? reasonAt(spec, index.slice(2)) : null,
    ]));
}
"""


def mixed(shape: tuple[int, ...]) -> np.ndarray:
    """The page's pattern `mixed`, written as its code for Python writes it."""
    k = np.arange(np.prod(shape, dtype=int))
    return ((7.0 * (k % 19) ** 2 + 5 * k + 3) % 19 - 9).reshape(shape)


def arrays(spec: ConvSpec, transposed: bool = False) -> dict[str, np.ndarray]:
    named = derive(spec, transposed=transposed).names.arrays
    return {key: mixed(named[key[-1]].shape) for key in ("x", "w", "b", "gy")}


def by_python(spec: ConvSpec, notation: Any, transposed: bool = False) -> list[list[Any]]:
    d = derive(spec, notation=notation, transposed=transposed)
    given, found = arrays(spec, transposed), []
    parts = {"y": d.forward, "gx": d.grad_input, "gw": d.grad_weight, "gb": d.grad_bias}
    pixels = "y" if transposed else "gx"
    for array, elements in parts.items():
        for one in elements:
            reason = one.why.reason if one.why and array == pixels else None
            found.append([array, one.text(), one.latex(), one.evaluate(**given), reason])
    return found


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(BLOCK, 300, BLOCK))]
)
def test_every_element_is_pythons(functions: Any, first: int) -> None:
    for number in range(first, first + BLOCK):
        spec, notation = draw(number, seed=7), ("textbook", "indices")[number % 5 == 0]
        assert functions.evaluate(ALL, [str(spec), notation, "mixed"]) == by_python(
            spec, notation
        ), spec


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(BLOCK, 150, BLOCK))]
)
def test_every_element_of_a_transposed_convolution_is_pythons(functions: Any, first: int) -> None:
    for number in range(first, first + BLOCK):
        spec, notation = draw(number, seed=8), ("textbook", "indices")[number % 5 == 0]
        found = functions.evaluate(ALL, [str(spec), notation, "mixed", True])
        assert found == by_python(spec, notation, transposed=True), spec


@pytest.mark.parametrize("text", ["c1 i10x5 o1 k3 s2", "c1 i12 o1 k3 s3", "c10 i3 o1 k2"])
def test_a_size_above_nine_has_commas(functions: Any, text: str) -> None:
    expected = by_python(ConvSpec.parse(text), "textbook")
    assert functions.evaluate(ALL, [text, "textbook", "mixed"]) == expected


def test_the_worked_example_word_for_word(functions: Any) -> None:
    found = functions.evaluate(ALL, [EXAMPLE, "textbook", "counting"])
    said = {text.split(" = ")[0]: (text, value) for _, text, _, value, _ in found}
    assert said["dL/dx13"] == ("dL/dx13 = dL/do11 w13 + dL/do12 w11", 13)
    assert said["dL/dx33"][1] == 1379
    assert said["dL/db"] == ("dL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22", 1111)
    assert said["o11"][0] == (
        "o11 = x11 w11 + x12 w12 + x13 w13 + x21 w21 + x22 w22 + x23 w23 + x31 w31 + x32 w32 "
        "+ x33 w33 + b"
    )


# --- specs ----------------------------------------------------------------------------------------

READ = """
(text) => {
  try { return pellucid.formatSpec(pellucid.parseSpec(text)); } catch (error) { return error.rule; }
}
"""


@pytest.mark.parametrize(
    "text",
    [
        "n8 c3 i32x32 o16 k3", "c1 i5 o1 k3 p0:1", "c1 i5x6 o1 k3x2 s2x1 p1x0:2 d1x2",
        "  c1  i5 o1 k1 ", "c1 i5x5 o1 k3 p-1", "n0 c2 i4 o4 k2 g2", "c1 i4x4x4 o1 k2 p1:0",
        "c1 i5 o1 k3 p-0", "c1 i05 o1 k3",
    ],
)  # fmt: skip
def test_names_are_written_as_python_writes_them(functions: Any, text: str) -> None:
    assert functions.evaluate(READ, text) == str(ConvSpec.parse(text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("c1 i5 o1 k3 q2", "unknownKey"),
        ("c1 i5 o1 k3 k4", "twice"),
        ("c1 i5 o1 k3 s-1", "badValue"),
        ("c1 i5 o1 k3 p1:2:3", "badValue"),
        ("c1 i5 k3", "missing"),
        ("", "missing"),
        ("c1 i5x5x5x5 o1 k3", "axes"),
        ("c1 i5x5 o1 k3x3x3", "count"),
        ("c1 i5 o1 k3 s0", "positive"),
        ("c0 i5 o1 k3", "positive"),
        ("c3 i5 o2 k3 g2", "groups"),
        ("c2 i5 o3 k3 g2", "groups"),
        ("c1 i5 o1 k6", "kernel"),
        ("c1 i5 o1 k3 d3", "kernel"),
    ],
)
def test_what_python_refuses_is_refused(functions: Any, text: str, rule: str) -> None:
    with pytest.raises(PellucidError):
        ConvSpec.parse(text)
    assert functions.evaluate(READ, text) == rule


# --- views ----------------------------------------------------------------------------------------

# The last picture of a view's last step: the gradient of one plane.
LAST = """
([text, name, plane]) => {
  const { parseSpec, Numbers, viewOf, indicesOf } = pellucid;
  const spec = parseSpec(text);
  const numbers = new Numbers(spec, "mixed");
  const view = viewOf(name, spec, (array, index) => numbers.at(array, index), plane);
  const { array, shape, at } = view.at(view.count).pictures.at(-1);
  return [array, [...indicesOf(shape)].map((index) => at(index).number)];
}
"""


@pytest.mark.parametrize("view", ["scatter", "gather", "phases", "windows"])
def test_views_end_with_the_gradient(functions: Any, view: str) -> None:
    for number in range(40):
        spec = draw(number, seed=11)
        if spec.batch == 0:
            continue
        given = arrays(spec)
        if view == "windows":
            array, whole = "gw", reference.grad_weight(given["gy"], given["x"], spec)
        else:
            array, whole = "gx", reference.grad_input(given["gy"], given["w"], spec)
        plane = [number % size for size in whole.shape[:2]]
        assert functions.evaluate(LAST, [str(spec), view, plane]) == [
            array, whole[tuple(plane)].reshape(-1).tolist(),
        ], spec  # fmt: skip


# Gathering by hand: the picture of inserted zeros, correlated with the turned kernel at stride 1.
GATHERED = """
(text) => {
  const { parseSpec, Numbers, viewOf, indicesOf } = pellucid;
  const spec = parseSpec(text);
  const numbers = new Numbers(spec, "mixed");
  const view = viewOf("gather", spec, (array, index) => numbers.at(array, index), [0, 0]);
  const [wide, turned] = view.at(1).pictures;
  return [wide.shape, [...indicesOf(wide.shape)].map((at) => wide.at(at).number),
          turned.shape, [...indicesOf(turned.shape)].map((at) => turned.at(at).number)];
}
"""


@pytest.mark.parametrize(
    "text",
    ["c1 i6x6 o1 k3 s2", "c1 i7x5 o1 k2x3 s3x1 p1:0x2 d2x1", "c1 i9x9 o1 k3 s2 d2 p-1", EXAMPLE],
)
def test_the_picture_of_gathering_is_a_correlation(functions: Any, text: str) -> None:
    spec = ConvSpec.parse(text)
    shape, wide, kernel_shape, turned = functions.evaluate(GATHERED, text)
    given = arrays(spec)
    flat = ConvSpec.from_shapes((1, 1, *shape), (1, 1, *kernel_shape), dilation=spec.dilation)
    x, w = np.reshape(wide, flat.x_shape), np.reshape(turned, flat.w_shape)
    gx = reference.grad_input(given["gy"], given["w"], spec)
    assert np.array_equal(reference.forward(x * 1.0, w * 1.0, None, flat), gx)


def test_the_picture_of_gathering_says_what_each_zero_is(functions: Any) -> None:
    kinds = """(text) => {
      const spec = pellucid.parseSpec(text);
      const { shape, at } = pellucid.viewOf("gather", spec, () => 1, [0, 0]).at(0).pictures[0];
      return [...pellucid.indicesOf(shape)].map((place) => at(place).kind).join(" ");
    }"""
    around = "around around"
    found = functions.evaluate(kinds, "c1 i8 o1 k3 s3")
    assert found == f"{around} given between between given leftover leftover {around}"
    assert functions.evaluate(kinds, "c1 i5 o1 k3 s2 p1") == (
        "around given between given between given around"
    )


def test_coverage_is_a_gradient_of_ones(functions: Any) -> None:
    for number in range(40):
        spec = draw(number, seed=13)
        one = ConvSpec.from_shapes(
            (1, 1, *spec.in_size), (1, 1, *spec.kernel), spec.stride, spec.padding, spec.dilation
        )
        found = functions.evaluate(
            """(text) => { const spec = pellucid.parseSpec(text);
            return [...pellucid.indicesOf(spec.i)].map((at) => pellucid.coverageAt(spec, at)); }""",
            str(one),
        )
        gx = reference.grad_input(np.ones(one.y_shape), np.ones(one.w_shape), one)
        assert found == gx.reshape(-1).tolist(), one
