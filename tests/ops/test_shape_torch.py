"""Padding modes against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

MODES = ["reflect", "replicate", "circular"]
X = np.random.default_rng(0).standard_normal((2, 3, 5, 6))


@pytest.mark.parametrize("mode", MODES)
def test_modes(mode):
    for x, amounts in ((X, (2, 1, 3, 0)), (X[0], (4, 4)), (X, (0, 0, 0, 4))):
        assert_like_torch(
            lambda x, a=amounts: ops.pad(x, a, mode),
            lambda x, a=amounts: torch.nn.functional.pad(x, a, mode),
            x,
        )


def test_constants_and_crops():
    for amounts in ((1, 2), (0, 1, 2, 3), (-1, 2, 1, -2), (-1, -1, -1, -1)):
        assert_like_torch(
            lambda x, a=amounts: ops.pad(x, a, value=1.5),
            lambda x, a=amounts: torch.nn.functional.pad(x, a, value=1.5),
            X,
        )


@pytest.mark.parametrize(
    "mode",
    [
        "reflect",
        "replicate",
        "circular",
    ],
)
def test_an_empty_batch(mode):
    assert ops.pad(pellucid.zeros(0, 3, 5), (1, 2), mode).shape == (0, 3, 8)
