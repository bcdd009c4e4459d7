"""The register tile: it takes everything, and copies only what it cannot read as it lies."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.layouts import laid_out
from kernels.conv.native import needs_native, normal, peak_of

from pellucid.kernels.conv import ConvSpec, direct, reference

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


def test_a_tap_that_meets_no_pixel_adds_nothing():
    """Not even 0 times NaN."""
    spec = ConvSpec.parse("n2 c4 i3x7 o4 k3x3 p6 d6")
    x, w, gy = (
        normal(s, k, "float64") for k, s in enumerate((spec.x_shape, spec.w_shape, spec.y_shape))
    )
    w[:, :, [0, 2]] = np.nan  # of 3 rows
    for found, exact in (
        (direct.forward(x, w, None, spec), reference.forward(x, w, None, spec)),
        (direct.grad_input(gy, w, spec), reference.grad_input(gy, w, spec)),
    ):
        assert np.isfinite(exact).all()
        assert np.abs(found - exact).max() <= 1e-13
