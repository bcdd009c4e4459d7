"""The heat map: its numbers are the gradient of a sum, its grey is what no window holds."""

import re

import numpy as np
import pytest
from explain.pictures.reading import Reading
from explain.problems import draw

from pellucid.explain import derive
from pellucid.kernels.conv import grad_input


def read(d, lang="en"):
    return Reading(d.coverage(lang).svg("light"))


@pytest.mark.parametrize("number", range(40))
def test_the_numbers_are_the_gradient_of_a_sum(number):
    spec = draw(number, seed=2)
    if not spec.batch:
        return
    d = derive(spec, transposed=number % 2 == 1)
    weight = np.ones(spec.w_shape) / (spec.out_channels // spec.groups)
    counts = grad_input(np.ones(spec.y_shape), weight, spec)[0, 0].round().astype(int)
    reading = read(d)
    cells = reading.cells()
    assert len(cells) == counts.size
    for (said, cell), count in zip(cells.items(), counts.ravel(), strict=True):
        assert reading.label_in(cell) == [str(count)]
        words = said.partition(": ")[2]
        assert words == {1: "1 window"}.get(count, f"{count} windows") or count == 0
        is_grey = "fill:#eaeef2" in reading.fills()[said]
        assert is_grey == (count == 0)


def test_grey_cells_say_why():
    reading = read(derive("c1 i6x6 o1 k3x3 s2"))
    said = {said.partition(": ")[0]: said.partition(": ")[2] for said in reading.cells()}
    assert said["x16"] == "column 6 lies behind the last window, so it is left over"
    assert said["x33"] == "4 windows"
    texts = " ".join(label.text for label in reading.labels())
    assert "Grey: no window holds row 6 (left over) and column 6 (left over)." in texts
    assert "here 0 to 4 for every channel of the output." in texts
    assert reading.text("desc").startswith(
        "How many windows hold each pixel of X. Row by row: 1 1 2 1 1 0; 1 1 2 1 1 0; 2 2 4 2 2 0;"
    )


def test_reasons_are_grouped_by_axis():
    texts = " ".join(label.text for label in read(derive("c1 i9 o1 k2 s3")).labels())
    assert "places 3, 6 (between two windows) and place 9 (left over)" in texts
    texts = " ".join(label.text for label in read(derive("c1 i30 o1 k2 s3")).labels())
    assert "places 3, 6, 9, 12, 15, 18, ... 27 (between two windows)" in texts


def test_of_a_large_image_both_ends_are_drawn():
    reading = read(derive("n8 c3 i224x224 o8 k7x7 s2 p3"))
    assert len(reading.cells()) == 400
    texts = [label.text for label in reading.labels()]
    assert "Only a part is drawn: 20 of 224 rows and 20 of 224 columns." in texts
    assert [text for text in texts if text in {"14", "219", "224"}] == ["14", "219", "224"] * 2
    assert len(derive("n8 c3 i224x224 o8 k7x7 s2 p3").coverage().svg()) < 100_000


def test_a_transposed_convolution_counts_what_reaches_its_output():
    reading = read(derive("c1 i5x5 o1 k3x3 s2", transposed=True))
    texts = [label.text for label in reading.labels()]
    assert texts[0] == "How many windows reach each place of O"
    assert set(reading.cells()) >= {"o11: 1 window", "o33: 4 windows"}


def test_korean():
    reading = read(derive("c1 i6x6 o1 k3x3 s2"), "ko")
    words = " ".join(label.text for label in reading.labels())
    assert "X의 각 화소를 품은 윈도우의 수" in words
    assert "행 6 (마지막 윈도우 뒤), 열 6 (마지막 윈도우 뒤)" in words.replace(") ", ") ")
    assert re.search("[가-힣]", reading.text("desc"))
