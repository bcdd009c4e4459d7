"""Moving pictures: a frame for each step, with its equation, and what was added before."""

import re

import pytest
from explain.pictures.reading import Reading

from pellucid.errors import ArgumentError
from pellucid.explain import derive, view
from pellucid.explain.pictures.scene import Box, Label
from pellucid.explain.pictures.text import plain
from pellucid.explain.views import VIEWS

EXAMPLE = derive("c1 i5x5 o1 k3x3 s2")


def moving(name, d=EXAMPLE, lang="en"):
    return view(d, name).animation(lang)


def labels(picture, frame):
    """The labels that only one frame has."""
    return [
        plain(shape.text)
        for shape in picture.scene.shapes
        if isinstance(shape, Label) and shape.frames == frozenset([frame])
    ]


def test_the_frames_of_the_worked_example():
    counts = {name: moving(name).frames for name in VIEWS}
    assert counts == {"scatter": 4, "gather": 25, "phases": 4, "windows": 4, "correlation": 9}


def test_gather_has_the_equation_of_each_pixel():
    picture = moving("gather")
    for frame, expression in enumerate(EXAMPLE.grad_input):
        found = labels(picture, frame)
        equation = [text for text in found[found.index(f"{frame + 1} / 25") + 1 :]
                    if not text.isdigit()]  # fmt: skip
        assert " ".join(equation).replace("∂L/∂", "dL/d") == expression.text()


def test_scatter_writes_what_is_added_into_each_cell():
    picture = moving("scatter")
    for frame, output in enumerate(["11", "12", "21", "22"]):
        found = labels(picture, frame)
        assert found[:9] == [f"+ w{u}{v}" for u in range(1, 4) for v in range(1, 4)]
        assert found[9:] == [f"{frame + 1} / 4", "∂L/∂X", "+=", f"∂L/∂o{output} · W"]
    found = labels(moving("windows", lang="ko"), 1)
    assert found[:3] == ["+ x13", "+ x14", "+ x15"]
    assert found[-1] == "∂L/∂o12 · (X의 윈도우)"


def test_of_a_transposed_convolution_x_has_the_windows():
    d = derive("c1 i5x5 o1 k3x3 s2", transposed=True)
    assert labels(moving("windows", d), 1)[-3:] == ["∂L/∂W", "+=", "x12 · (window of ∂L/∂O)"]
    assert labels(moving("scatter", d), 1)[-3:] == ["O", "+=", "x12 · W"]


def test_an_element_that_nothing_is_added_to_is_zero():
    picture = moving("gather", derive("c1 i6 o1 k3 s2"))
    assert labels(picture, 5)[-3:] == ["∂L/∂x6", "=", "0"]


def test_terms_of_other_channels_are_not_forgotten():
    picture = moving("gather", derive("c1 i5x5 o2 k3x3 s2"))
    assert "+=" in labels(picture, 0)
    assert "=" not in labels(picture, 0)
    assert "Only a part is drawn" not in picture.scene.desc


def test_what_was_added_before_stays_as_a_shade():
    shades = [
        shape.frames
        for shape in moving("scatter").scene.shapes
        if isinstance(shape, Box) and shape.style.fill == "ink" and not shape.style.stroke
    ]
    assert shades == [frozenset({1, 2, 3})] * 9 + [frozenset({2, 3})] * 9 + [frozenset({3})] * 9


def test_at_rest_a_frame_with_the_most_terms_is_seen():
    assert moving("gather").scene.still == 12  # x33, with four terms
    assert moving("scatter").scene.still == 3  # all has been added
    reading = Reading(moving("gather").svg("light"))
    texts = [label.text for label in reading.labels()]
    assert "13 / 25" in texts
    assert "12 / 25" not in texts
    assert [text for text in texts if re.fullmatch(r"∂L/∂o\d+ w\d+", text)] == [
        "∂L/∂o11 w33", "∂L/∂o12 w31", "∂L/∂o21 w13", "∂L/∂o22 w11",
    ]  # fmt: skip


def test_it_says_what_it_shows():
    scene = moving("scatter").scene
    assert scene.title == "c1 i5x5 o1 k3x3 s2: scatter, step by step"
    assert scene.desc.startswith("Scatter: every element of ∂L/∂o spreads the kernel")
    assert "Step 2: dL/dx13 += dL/do12 w11, dL/dx14 += dL/do12 w12," in scene.desc
    korean = moving("gather", lang="ko").scene
    assert korean.desc.startswith("모으기(gather): ∂L/∂x는 사이에 0을 끼운 ∂L/∂o에")
    assert "dL/d" not in korean.desc.split("1단계")[0]


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize(
    "spec",
    [
        "c1 i12 o1 k3 s2",
        "c1 i4x4x4 o1 k2x2x2 s2 p1",
        "n2 c2 i6x6 o4 k3x3 d2 g2 p1",
        "n0 c1 i5 o1 k3",
    ],
)
def test_all_kinds_are_drawn(name, spec):
    picture = moving(name, derive(spec))
    svg = picture.svg()
    Reading(svg)
    assert len(svg) < 260_000
    assert picture.scene.width < 870
    assert picture.scene.height < 1300


def test_a_large_problem_says_what_is_left_out():
    picture = moving("scatter", derive("n8 c3 i224x224 o8 k7x7 s2 p3"))
    assert "Only a part is drawn: 4 of 802,816 steps." in picture.svg()
    assert len(picture.svg()) < 60_000


def test_the_worked_example_is_small():
    sizes = {name: len(moving(name).svg()) for name in VIEWS}
    assert max(sizes.values()) < 90_000
    assert sizes["scatter"] < 30_000


def test_what_animation_refuses():
    with pytest.raises(ArgumentError, match="there is no language 'fr'"):
        moving("scatter", lang="fr")
    assert re.search("[가-힣]", moving("phases", lang="ko").svg())
