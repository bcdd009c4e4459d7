"""The output with zeros in it, as a part of a picture."""

from pellucid.explain import derive, view
from pellucid.explain.pictures.spread import SpreadPart


def spread(spec):
    gather = view(derive(spec), "gather")
    cells = tuple(place.cells() for place in gather.places)
    return SpreadPart(gather.names, "gy", (0, 0), tuple(map(range, map(len, cells))), "", cells)


def test_elements_stand_between_zeros():
    part = spread("c1 i5 o1 k3 s2")
    assert part.shape == (7,)
    assert [place for place in range(7) if part.is_inside((place,))] == [2, 4]
    assert (part.name((4,)), part.text((2,))) == ("∂L/∂o_{2}", "dL/do1")
    assert (part.place((0,)), part.place((1,))) == ((2,), (4,))
    assert not part.is_counted


def test_zeros_between_are_tiles_and_padding_has_dashes():
    part = spread("c1 i6 o1 k3 s2")  # one place is left over
    fills = [part.style((place,)).fill for place in range(8)]
    assert fills == [None, None, "paper", "tile", "paper", "tile", None, None]
    assert [part.style((place,)).dash > 0 for place in range(8)] == [
        True, True, False, False, False, False, True, True,
    ]  # fmt: skip
    assert spread("c1 i5x5 o1 k3x3 s2").style((2, 0)).dash > 0
