"""Transposed convolution beside PyTorch in float64, a peer: values, both orders of gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pellucid
from pellucid import ops
from pellucid.errors import ShapeError

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch, weights  # noqa: E402

GRID = {
    "stride": [1, 2, 3],
    "padding": [0, 1],
    "dilation": [1, 2, 4],
    "output_padding": [0, 1, 3],
    "groups": [1, 2],
}
SIZES = {1: (6,), 2: (4, 3), 3: (3, 2, 2)}
OTHERS = [
    ((2, 3, 5, 4), (3, 2, 3, 2), {"stride": (3, 2), "output_padding": (2, 1), "padding": (1, 0)}),
    ((2, 3, 5, 4), (3, 2, 3, 2), {"stride": (1, 4), "dilation": (4, 2), "output_padding": (3, 2)}),
    ((1, 6, 3, 3), (6, 1, 2, 2), {"stride": 3, "groups": 6}),
    ((1, 2, 3, 3), (2, 2, 1, 1), {"stride": 2, "output_padding": 1}),
    ((0, 2, 3, 3), (2, 2, 3, 3), {"stride": 2}),
    ((1, 20, 6, 6), (20, 24, 3, 3), {"padding": 1}),  # Winograd's size
    ((1, 2, 2, 3, 4), (2, 1, 3, 2, 1), {"stride": (1, 2, 3), "groups": 2, "padding": (1, 0, 0)}),
]


def allowed(options):
    return options["output_padding"] < max(options["stride"], options["dilation"])


def grid():
    for values in itertools.product(*GRID.values()):
        options = dict(zip(GRID, values, strict=True))
        if allowed(options):
            yield options


def both(axes):
    name = f"conv_transpose{axes}d"
    return getattr(ops, name), getattr(torch.nn.functional, name)


@pytest.mark.parametrize("axes", SIZES)
def test_values_like_torch_for_all_options(axes):
    ours, theirs = both(axes)
    seen = 0
    for options in grid():
        kernel = (3, 2, 2)[:axes]
        arrays = weights((2, 4, *SIZES[axes]), 0), weights((4, 3, *kernel), 1)
        arrays += (weights((3 * options["groups"],), 2),)
        found = ours(*map(pellucid.Tensor, arrays), **options).numpy()
        wanted = theirs(*map(torch.from_numpy, arrays), **options).numpy()
        assert found.shape == wanted.shape, options
        np.testing.assert_allclose(found, wanted, atol=1e-12, err_msg=str(options))
        seen += 1
    assert seen == 80


@pytest.mark.parametrize(("x", "w", "options"), OTHERS, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_like_torch_to_second_order(x, w, options, bias):
    ours, theirs = both(len(x) - 2)
    arrays = [weights(x, 0), weights(w, 1)]
    arrays += [weights((w[1] * options.get("groups", 1),), 2)] if bias else []
    assert_like_torch(
        lambda *given: ours(*given, **options), lambda *given: theirs(*given, **options), *arrays
    )


def test_torch_refuses_the_same_output_padding():
    x, w = np.ones((1, 1, 3)), np.ones((1, 1, 2))
    ours, theirs = both(1)
    for options in ({"stride": 2, "output_padding": 2}, {"dilation": 2, "output_padding": 2}):
        with pytest.raises(RuntimeError, match="output padding must be smaller"):
            theirs(torch.from_numpy(x), torch.from_numpy(w), **options)
        with pytest.raises(ShapeError, match="output_padding=2 along W is not from 0 to 1"):
            ours(pellucid.Tensor(x), pellucid.Tensor(w), **options)


def test_istft_like_torch():
    """The shape of an inverse Fourier transform: one output channel, 1024 taps, 256 phases."""
    arrays = [weights(shape, k) for k, shape in enumerate([(1, 1026, 224), (1026, 1, 1024)])]
    ours, theirs = both(1)
    found = ours(*map(pellucid.Tensor, arrays), stride=256)
    wanted = theirs(*map(torch.from_numpy, arrays), stride=256).numpy()
    assert found.shape == (1, 1, 58112)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-9)
