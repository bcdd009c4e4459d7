"""The register tile: it takes everything, and copies only what it cannot read as it lies."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.layouts import laid_out
from kernels.conv.native import needs_native, normal, peak_of

from pellucid.kernels.conv import ConvSpec, direct

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
