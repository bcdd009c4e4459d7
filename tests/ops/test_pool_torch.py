"""Pooling against PyTorch, over every combination of awkward options."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

F = torch.nn.functional
rng = np.random.default_rng(5)
X = rng.standard_normal((2, 3, 9, 8))

KERNELS = [2, 3, (3, 2)]
STRIDES = [None, (2, 1), 3]
PADDINGS = [0, (0, 1), 1]


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("dilation", [1, 2, (1, 3)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_max_pool2d(kernel, dilation, ceil_mode):
    for stride, padding in itertools.product(STRIDES, PADDINGS):
        options = {
            "kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation,
            "ceil_mode": ceil_mode, "return_indices": True,
        }  # fmt: skip
        assert_like_torch(
            lambda x, o=options: ops.max_pool2d(x, **o),
            lambda x, o=options: F.max_pool2d(x, **o),
            X,
        )
        _, found = ops.max_pool2d(pellucid.Tensor(X), **options)
        _, wanted = F.max_pool2d(torch.tensor(X), **options)
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


@pytest.mark.parametrize("divisor", [None, 5])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_avg_pool2d(kernel, ceil_mode, count_include_pad, divisor):
    for stride, padding in itertools.product(STRIDES, PADDINGS):
        options = {
            "kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode,
            "count_include_pad": count_include_pad, "divisor_override": divisor,
        }  # fmt: skip
        assert_like_torch(
            lambda x, o=options: ops.avg_pool2d(x, **o),
            lambda x, o=options: F.avg_pool2d(x, **o),
            X,
        )


@pytest.mark.parametrize("output_size", [1, 3, (4, 3), (9, 8), (None, 5), 12, None])
def test_adaptive_avg_pool2d(output_size):
    assert_like_torch(
        lambda x: ops.adaptive_avg_pool2d(x, output_size),
        # For one None of all PyTorch wants the pair
        lambda x: F.adaptive_avg_pool2d(x, output_size or (None, None)),
        X,
    )


def test_one_axis():
    x = X[0]
    assert_like_torch(lambda x: ops.max_pool1d(x, 3, 2, 1), lambda x: F.max_pool1d(x, 3, 2, 1), x)
    assert_like_torch(lambda x: ops.avg_pool1d(x, 3, 2, 1), lambda x: F.avg_pool1d(x, 3, 2, 1), x)
    assert_like_torch(
        lambda x: ops.adaptive_avg_pool1d(x, 3), lambda x: F.adaptive_avg_pool1d(x, 3), x
    )


def test_every_size_and_option_has_pytorchs_output_size():
    """The correction of ceil mode, where a window would start in the high padding."""
    for size, k, s, p, d in itertools.product(
        range(1, 9), (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2)
    ):
        for ceil_mode in (False, True):
            try:
                y = F.max_pool2d(torch.zeros(1, 1, size), (1, k), (1, s), (0, p), (1, d), ceil_mode)
            except RuntimeError:
                with pytest.raises(pellucid.errors.PellucidError):
                    ops.max_pool1d(pellucid.zeros(1, size), k, s, p, d, ceil_mode)
            else:
                found = ops.max_pool1d(pellucid.zeros(1, size), k, s, p, d, ceil_mode)
                assert found.shape == tuple(y.shape[1:]), (size, k, s, p, d, ceil_mode)


@pytest.mark.parametrize("layout", ["row-major", "channels-last"])
def test_equal_elements_and_infinities(layout):
    x = rng.integers(0, 2, (2, 3, 7, 7)).astype(float)
    x[0, 0, :4] = -np.inf
    x[1, 0, 2, 2] = np.inf
    x = x if layout == "row-major" else np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    for kernel, stride, padding in ((2, 2, 0), (3, 1, 1), (3, 2, 1)):
        ours = pellucid.Tensor(x, requires_grad=True)
        theirs = torch.tensor(np.ascontiguousarray(x), requires_grad=True)
        y = ops.max_pool2d(ours, kernel, stride, padding)
        wanted = F.max_pool2d(theirs, kernel, stride, padding)
        np.testing.assert_array_equal(y.detach().numpy(), wanted.detach().numpy())
        y.sum().backward()
        wanted.sum().backward()
        np.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())


def test_a_nan_wins_its_windows_and_takes_their_gradient():
    x = rng.standard_normal((1, 2, 6, 6))
    x[0, 0, 1, 1] = x[0, 0, 1, 2] = x[0, 1, 5, 5] = np.nan
    ours, theirs = pellucid.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, indices = ops.max_pool2d(ours, 3, 1, 1, return_indices=True)
    wanted, places = F.max_pool2d(theirs, 3, 1, 1, return_indices=True)
    np.testing.assert_array_equal(y.detach().numpy(), wanted.detach().numpy())
    np.testing.assert_array_equal(indices.numpy(), places.numpy())
    y.backward(pellucid.ones_like(y))
    wanted.backward(torch.ones_like(wanted))
    np.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())
