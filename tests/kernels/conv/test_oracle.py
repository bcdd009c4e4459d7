"""The second oracle equals the first, to the bit in small integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from kernels.conv import oracle
from kernels.conv.problems import PROBLEMS, conv_specs, integers

from pellucid.kernels.conv import ConvSpec, reference


def check_against_reference(spec: ConvSpec) -> None:
    shapes = (spec.x_shape, spec.w_shape, spec.b_shape, spec.y_shape, spec.bx_shape)
    x, w, b, gy, bx = (integers(shape, k) for k, shape in enumerate(shapes))
    for name, arguments in (
        ("forward", (x, w, b, spec)),
        ("grad_input", (gy, w, spec)),
        ("grad_input", (gy, w, spec, bx)),
        ("grad_weight", (gy, x, spec)),
        ("grad_bias", (gy, spec)),
    ):
        found = getattr(oracle, name)(*arguments)
        assert np.array_equal(found, getattr(reference, name)(*arguments)), name


@pytest.mark.parametrize("spec", PROBLEMS, ids=str)
def test_problems(spec):
    check_against_reference(spec)


@settings(max_examples=200, deadline=None)
@given(conv_specs())
def test_drawn_specs(spec):
    check_against_reference(spec)


@pytest.mark.parametrize(
    "text", ["c2 i5 o1 k2 p-7:5", "c1 i5x4 o1 k1 p9:-7x-5:6", "i3 c1 o1 k1 p-4:9"]
)
def test_crops_beyond_x(text):
    check_against_reference(ConvSpec.parse(text))
