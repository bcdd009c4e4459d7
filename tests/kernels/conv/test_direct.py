"""The register tile: it takes everything, copies only what it cannot read as it lies, and makes
phases side by side."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from kernels.conv.checks import Case, check
from kernels.conv.layouts import laid_out
from kernels.conv.native import needs_native, normal, peak_of
from kernels.conv.problems import WIDE

from pellucid.kernels.conv import ConvSpec, direct, reference
from pellucid.kernels.conv.correlation import wide_phases

pytestmark = needs_native

SPEC = ConvSpec.parse("n4 c64 i64x64 o8 k1x1")  # x is large, all else is small
IMAGES = 4 * 64 * 64 * 64 * 4  # bytes of x


def test_it_refuses_nothing():
    for direction in ("forward", "grad_input", "grad_weight"):
        assert direct.refuses(SPEC, direction, np.dtype("float32")) is None
        assert direct.slower(SPEC, direction, np.dtype("float32")) is None


@pytest.mark.parametrize(
    ("layout", "copied"),
    [
        ("channels-last", False),
        ("sliced", False),
        ("negative-channels-last", False),
        ("row-major", True),
        ("negative", True),
        ("every-other", True),
    ],
)
def test_only_what_cannot_be_read_as_it_lies_is_copied(layout, copied):
    x, w = laid_out(normal(SPEC.x_shape, 0, "float32"), layout), normal(SPEC.w_shape, 1, "float32")
    gy = normal(SPEC.y_shape, 2, "float32")
    for call in (
        lambda: direct.forward(x, w, None, SPEC),
        lambda: direct.grad_weight(gy, x, SPEC),
    ):
        assert (peak_of(call) > IMAGES) == copied


def test_weights_that_lie_otherwise_are_copied_once():
    spec = ConvSpec.parse("c256 i4x4 o256 k3x3")
    x, w = normal(spec.x_shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
    w_as_columns = laid_out(w, "column-major")
    least, most = (peak_of(lambda w=w: direct.forward(x, w, None, spec)) for w in (w, w_as_columns))
    assert w.nbytes <= most - least <= 1.3 * w.nbytes


# ---- phases side by side -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", [*WIDE, ConvSpec.parse("n8 c3 i40x40 o20 k4x4 s2 p1")], ids=str)
def test_phases_side_by_side(spec, dtype, monkeypatch):
    monkeypatch.setattr(direct, "LEAST_WIDE", 0)
    assert wide_phases(spec, 8) is not None
    check(Case(spec, dtype))


def test_phases_stand_side_by_side_where_there_is_work():
    for text, calls in (("c1 i64 o80 k32 s4", 1), ("c1 i64 o4 k32 s4", 0)):
        spec = ConvSpec.parse(text)
        gy, w = normal(spec.y_shape, 0, "float32"), normal(spec.w_shape, 1, "float32")
        with mock.patch.object(direct, "_side_by_side", wraps=direct._side_by_side) as made:
            direct.grad_input(gy, w, spec)
        assert made.call_count == calls


@pytest.mark.parametrize("spec", WIDE, ids=str)
def test_a_nan_spoils_the_pixels_that_it_meets_and_no_other(spec, monkeypatch):
    monkeypatch.setattr(direct, "LEAST_WIDE", 0)
    gy, w = np.ones(spec.y_shape, "float32"), np.ones(spec.w_shape, "float32")
    gy[(0, 0, *[size // 2 for size in spec.out_size])] = np.nan
    found = np.isnan(direct.grad_input(gy, w, spec))
    assert found.any()
    assert np.array_equal(found, np.isnan(reference.grad_input(gy, w, spec)))
