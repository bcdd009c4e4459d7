"""Frames: the steps of a view for one image and one channel, all of them while they are few."""

import pytest
from explain.problems import draw

from pellucid.errors import UnsupportedError
from pellucid.explain import derive, view
from pellucid.explain.pictures.frames import MOST_FRAMES, Reel
from pellucid.explain.pictures.spread import SpreadPart
from pellucid.explain.views import VIEWS

EXAMPLE = derive("c1 i5x5 o1 k3x3 s2")


@pytest.mark.parametrize("name", VIEWS)
def test_the_worked_example_is_drawn_whole(name):
    seen = view(EXAMPLE, name)
    reel = Reel(seen, "en")
    assert reel.is_whole
    assert [step.adds for step in reel.steps] == [step.adds for step in seen.steps]


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("number", range(25))
def test_frames_add_all_terms_of_one_plane_once(number, name):
    spec = draw(number, seed=5)
    if not spec.batch:
        return
    seen = view(derive(spec, transposed=number % 3 == 0), name)
    reel = Reel(seen, "en")
    found = [add.text() for step in reel.steps for add in step.adds]
    assert len(set(found)) == len(found)
    lead = {part.key: part.lead for part in reel.parts}

    def is_drawn(element):
        return element.index[: -reel.kept] == lead[element.key]

    expected = {
        add.text()
        for step in seen.steps
        for add in step.adds
        if all(map(is_drawn, (*add.term.factors, add.target)))
    }
    cut = len(reel.steps) == MOST_FRAMES or any(
        not set(range(size)) <= set(at)
        for part in reel.parts if not isinstance(part, SpreadPart)
        for at, size in zip(part.places, part.shape, strict=True)
    )  # fmt: skip
    assert set(found) <= expected if cut else set(found) == expected


def test_steps_without_terms_stay():
    reel = Reel(view(derive("c1 i6 o1 k3 s2"), "gather"), "en")
    assert [len(step.adds) for step in reel.steps] == [1, 1, 2, 1, 1, 0]
    assert reel.steps[-1].at == (5,)


def test_what_is_the_same_in_all_terms():
    shared = {name: Reel(view(EXAMPLE, name), "en") for name in VIEWS}
    first = {name: reel.shared(reel.steps[0]) for name, reel in shared.items()}
    assert first == {
        "scatter": 0, "gather": None, "phases": None, "windows": 0, "correlation": None,
    }  # fmt: skip
    transposed = derive("c1 i5x5 o1 k3x3 s2", transposed=True)
    reel = Reel(view(transposed, "windows"), "en")
    assert reel.shared(reel.steps[0]) == 1  # x, which has the place of gy


def test_windows():
    reel = Reel(view(derive("c1 i5x5 o1 k3x3 s2 p1"), "scatter"), "en")
    gy, w, gx = reel.parts
    assert reel.window(gx, reel.steps[1]) == [range(-1, 2), range(1, 4)]
    assert reel.window(gy, reel.steps[1]) == reel.window(w, reel.steps[1]) == []
    reel = Reel(view(EXAMPLE, "gather"), "en")
    assert isinstance(reel.parts[0], SpreadPart)
    assert reel.window(reel.parts[0], reel.steps[7]) == [range(1, 4), range(2, 5)]
    assert reel.parts[1].places == (range(2, -1, -1),) * 2


def test_of_a_large_problem_the_first_steps_are_drawn():
    seen = view(derive("n8 c3 i224x224 o8 k7x7 s2 p3"), "scatter")
    reel = Reel(seen, "en")
    assert not reel.is_whole
    assert [step.at for step in reel.steps] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    with pytest.raises(UnsupportedError) as raised:
        Reel(view(seen.derivation, "phases"), "en")
    assert str(raised.value) == (
        "animation: the steps of 'phases' have 118,013,952 terms, of which 200,000 can be drawn\n"
        "  n8 c3 i224x224 o8 k7x7 s2 p3\n"
        "  fix: draw a smaller problem, or the figure of one element"
    )
    assert Reel(view(derive("n0 c1 i5 o1 k3"), "scatter"), "en").steps == []
