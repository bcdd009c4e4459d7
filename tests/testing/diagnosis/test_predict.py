"""Predictions: right without a change, and each change as plain NumPy would make it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec
from pellucid.testing.diagnosis.predict import FACTORS, MAPS, mapping, predict, reordered
from pellucid.testing.diagnosis.problems import Problem, problems

CASES = {str(problem.spec): problem for problem in problems(0)}
PLAIN = CASES["n2 c2 i4x4 o2 k3x3"]
GROUPS = CASES["n2 c6 i4x3 o9 k2x2 g3"]


@pytest.mark.parametrize("problem", problems(0), ids=lambda problem: str(problem.spec))
@pytest.mark.parametrize("name", ["gx", "gw", "gb", "y"])
def test_no_change_is_right(name: str, problem: Problem) -> None:
    found = predict(name, problem, {})
    assert found is not None
    np.testing.assert_allclose(found, problem.right[name], rtol=1e-12, atol=1e-12)


def gx(problem: Problem, gy: Any = None, w: Any = None) -> Any:
    return conv.grad_input(
        problem.gy if gy is None else gy, problem.w if w is None else w, problem.spec
    )


def gw(problem: Problem, gy: Any = None, x: Any = None) -> Any:
    return conv.grad_weight(
        problem.gy if gy is None else gy, problem.x if x is None else x, problem.spec
    )


def only(array: Any, *at: Any) -> Any:
    kept = np.zeros_like(array)
    kept[at] = array[at]
    return kept


def spread(array: Any, axis: int) -> Any:
    return np.broadcast_to(array.sum(axis, keepdims=True), array.shape).copy()


ALL = slice(None)
W = PLAIN.w
# The way, and what it is in plain NumPy for PLAIN: (name, way, wanted).
WAYS: list[tuple[str, dict[str, Any], Any]] = [
    ("gx", {"h.flip": "yes", "w.flip": "yes"}, gx(PLAIN, w=W[:, :, ::-1, ::-1].copy())),
    ("gx", {"weights": "transposed"}, gx(PLAIN, w=W.swapaxes(2, 3).copy())),
    ("gx", {"weights": "exchanged"}, gx(PLAIN, w=W.swapaxes(0, 1).copy())),
    ("gx", {"weights": ("order", "ocuv", "cuvo", "")},
     gx(PLAIN, w=W.reshape(2, 3, 3, 2).transpose(3, 0, 1, 2).copy())),
    ("gx", {"channels": "first for all"}, gx(PLAIN, w=W[:, [0, 0]].copy())),
    ("gx", {"channels": "sum for all"}, gx(PLAIN, w=spread(W, 1))),
    ("gx", {"outputs": "last"}, gx(PLAIN, gy=only(PLAIN.gy, ALL, -1))),
    ("gx", {"images": "first"}, gx(PLAIN, gy=only(PLAIN.gy, 0))),
    ("gx", {"images": "sum for all"}, gx(PLAIN, gy=spread(PLAIN.gy, 0))),
    ("gx", {"images": "sum in first"}, gx(PLAIN, gy=only(spread(PLAIN.gy, 0), 0))),
    ("gx", {"gy": ("flip", "w")}, gx(PLAIN, gy=PLAIN.gy[..., ::-1].copy())),
    ("gx", {"gy": ("transpose",)}, gx(PLAIN, gy=PLAIN.gy.swapaxes(2, 3).copy())),
    ("gx", {"gy": ("order", "noij", "onij", "")},
     gx(PLAIN, gy=PLAIN.gy.reshape(2, 2, 2, 2).swapaxes(0, 1).copy())),
    ("gx", {"result": ("axes", (0, 1, 3, 2))}, gx(PLAIN).swapaxes(2, 3)),
    ("gx", {"result": ("flip", "hw")}, gx(PLAIN)[:, :, ::-1, ::-1]),
    ("gx", {"factor": "1/N"}, gx(PLAIN) / 2),
    ("gw", {"images": "last"}, gw(PLAIN, gy=only(PLAIN.gy, -1))),
    ("gw", {"x images": "first for all"}, gw(PLAIN, x=PLAIN.x[[0, 0]].copy())),
    ("gw", {"x channels": "last"}, gw(PLAIN, x=only(PLAIN.x, ALL, -1))),
    ("gw", {"all outputs": "sum for all"}, gw(PLAIN, gy=spread(PLAIN.gy, 1))),
    ("gw", {"x": ("order", "nchw", "cnhw", "")}, gw(PLAIN, x=PLAIN.x.swapaxes(0, 1).copy())),
    ("gw", {"result": ("order", "cuvo", "ocuv", "")},
     gw(PLAIN).reshape(2, -1).T.reshape(2, 2, 3, 3)),
    ("gw", {"h.windows": "last", "w.windows": "last"}, gw(PLAIN, gy=only(PLAIN.gy, ..., -1, -1))),
    ("gb", {"sum": (2, 3)}, PLAIN.gy.sum((2, 3))),
    ("gb", {"keep": True}, PLAIN.gy.sum((0, 2, 3), keepdims=True)),
    ("gb", {"rows": "last"}, PLAIN.gy[:, :, -1].sum((0, 2))),
    ("y", {"bias": "left out"}, conv.forward(PLAIN.x, W, None, PLAIN.spec)),
    ("y", {"h.flip": "yes", "w.flip": "yes"},
     conv.forward(PLAIN.x, W[:, :, ::-1, ::-1].copy(), PLAIN.b, PLAIN.spec)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "way", "wanted"), WAYS, ids=str)
def test_a_change(name: str, way: dict[str, Any], wanted: Any) -> None:
    found = predict(name, PLAIN, way)
    assert found is not None
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    assert not PLAIN.is_right(name, found)


def test_one_gradient_for_each_image() -> None:
    found = predict("gw", PLAIN, {"result": "per image"})
    assert found is not None
    spec = ConvSpec.parse("c2 i4x4 o2 k3x3")
    for n in range(2):
        alone = conv.grad_weight(PLAIN.gy[n : n + 1], PLAIN.x[n : n + 1], spec)
        np.testing.assert_allclose(found[n], alone)


def test_groups_that_are_ignored() -> None:
    found = predict("gw", GROUPS, {"result": "dense"})
    dense = ConvSpec.parse("n2 c6 i4x3 o9 k2x2")
    np.testing.assert_allclose(found, conv.grad_weight(GROUPS.gy, GROUPS.x, dense))


def test_columns_that_are_read_in_another_order() -> None:
    """The columns (N OH OW, C KH KW) read as (N, C, KH, KW, OH, OW)."""
    found = predict("gx", PLAIN, {"columns": ("order", "nijcuv", "ncuvij", "")})
    terms = np.einsum("noij,ocuv->nijcuv", PLAIN.gy, W).reshape(2, 2, 3, 3, 2, 2)
    wanted = np.zeros_like(PLAIN.x)
    for u, v in np.ndindex(3, 3):
        wanted[:, :, u : u + 2, v : v + 2] += terms[:, :, u, v]
    np.testing.assert_allclose(found, wanted)


def test_the_maps_of_groups() -> None:
    C, O, G = 4, 6, 2
    own = mapping("own", C, O, G)
    for o, c in np.ndindex(O, C):
        assert own[o, c].sum() == (o // 3 == c // 2)
    for name in MAPS:
        cube = mapping(name, C, O, G)
        assert cube.shape == (O, C, C // G)
        assert (name == "own") == np.array_equal(cube, own)
    assert mapping("outputs interleaved", C, O, G)[1, 2, 0] == 1
    assert mapping("channels interleaved", C, O, G)[0, 2, 1] == 1


def test_interleaved_groups() -> None:
    order = [0, 3, 6, 1, 4, 7, 2, 5, 8]  # channel 3 k + g stands where 3 g + k should
    found = predict("gx", GROUPS, {"gy": ("groups", "taken")})
    np.testing.assert_allclose(found, gx(GROUPS, gy=GROUPS.gy[:, order].copy()))
    found = predict("gx", GROUPS, {"weights": ("groups", "put")})
    np.testing.assert_allclose(found, gx(GROUPS, w=GROUPS.w[np.argsort(order)].copy()))


def test_orders_within_groups() -> None:
    array = np.arange(8).reshape(2, 4)
    found = reordered(array, "ab", "ba", "ab", "b", groups=2)
    halves = [half.T.reshape(2, 2) for half in (array[:, :2], array[:, 2:])]
    np.testing.assert_array_equal(found, np.concatenate(halves, 1))


def test_what_cannot_be_predicted() -> None:
    unequal = CASES["c2 i3x4 o3 k2x2"]
    assert predict("gx", unequal, {"weights": "exchanged"}) is None
    assert predict("y", CASES["c1 i4x4 o1 k2x3"], {"weights": "transposed"}) is None
    assert predict("gx", CASES["c1 i4x5 o1 k3x3"], {"gy": ("transpose",)}) is None


def test_the_factors() -> None:
    spec = ConvSpec.parse("n2 c6 i4x5 o4 k3x2 s2x1 g2")
    found = {name: of(spec) for name, of in FACTORS.items()}
    assert (found["1/N"], found["OH OW"], found["C/G KH KW"], found["SH SW"]) == (0.5, 4, 18, 2)
    assert (found["1/(N OH OW)"], found["-1"], found["0"], found["1/G"]) == (1 / 8, -1, 0, 0.5)
