"""What lanewise refuses, and when it is chosen."""

from __future__ import annotations

import numpy as np
from kernels.conv.native import needs_native

from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec, lanewise
from pellucid.kernels.native import module

pytestmark = needs_native
LANES = module.vector_bytes() // 4 if module else 4  # of float32


def test_the_choice_and_what_it_refuses():
    float32 = np.dtype("float32")

    def reason(text: str) -> str | None:
        return lanewise.refuses(ConvSpec.parse(text), "forward", float32)

    assert conv.choose(ConvSpec.parse("c32 i9x9 o32 k3x3 g32"), "forward", float32) == "lanewise"
    assert reason("c32 i9x9 o32 k3x3") == "it is for groups"
    assert reason("c32 i9x9 o16 k3x3 g8") == (
        "a group has 4 channels of x and 2 of y, neither 1 nor the same number"
    )
    assert reason("c6 i9x9 o6 k3x3 g2") == (
        f"a group has 3 channels of y, which do not divide a vector of {LANES}"
    )
    assert reason("c3 i9x9 o3 k3x3 g3") == f"y has 3 channels, fewer than the {LANES} of a vector"
