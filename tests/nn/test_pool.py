"""Pooling layers pass their options on, each to its place."""

import numpy as np
import pytest

import pellucid
from pellucid import nn, ops

X = np.arange(2 * 3 * 8 * 7.0).reshape(2, 3, 8, 7) % 11
MAX = {"kernel_size": (3, 2), "stride": 2, "padding": (1, 0), "dilation": 2, "ceil_mode": True}
AVERAGE = {
    "kernel_size": 3, "stride": (2, 1), "padding": 1, "ceil_mode": True,
    "count_include_pad": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "op", "options"),
    [
        (nn.MaxPool2d, ops.max_pool2d, {"kernel_size": 2}),
        (nn.MaxPool2d, ops.max_pool2d, MAX),
        (nn.AvgPool2d, ops.avg_pool2d, {"kernel_size": (2, 3)}),
        (nn.AvgPool2d, ops.avg_pool2d, AVERAGE),
        (nn.AvgPool2d, ops.avg_pool2d, {"kernel_size": 2, "divisor_override": 3}),
        (nn.AdaptiveAvgPool2d, ops.adaptive_avg_pool2d, {"output_size": (2, None)}),
        (nn.MaxPool1d, ops.max_pool1d, {**MAX, "kernel_size": 3, "padding": 1}),
        (nn.AvgPool1d, ops.avg_pool1d, {**AVERAGE, "stride": 2}),
        (nn.AdaptiveAvgPool1d, ops.adaptive_avg_pool1d, {"output_size": 3}),
    ],
)
def test_options(layer, op, options):
    x = pellucid.tensor(X[..., 0] if layer.__name__.endswith("1d") else X)
    y = layer(**options)(x)
    np.testing.assert_array_equal(y.array, op(x, **options).array)
    for name in options:
        assert getattr(layer(**options), name) == options[name]


def test_each_option_counts():
    """A layer that mixed its options up would differ in one of these."""
    for layer, options in (
        (nn.MaxPool2d, MAX),
        (nn.AvgPool2d, AVERAGE),
        (nn.MaxPool1d, {**MAX, "kernel_size": 3, "padding": 1}),
        (nn.AvgPool1d, {**AVERAGE, "stride": 2}),
    ):
        x = pellucid.tensor(X[..., 0] if layer.__name__.endswith("1d") else X)
        whole = layer(**options)(x)
        for name in options:
            if name != "kernel_size":
                without = layer(**{k: v for k, v in options.items() if k != name})(x)
                assert without.shape != whole.shape or (without != whole).any(), name


def test_the_stride_is_the_kernel_if_not_given():
    assert nn.MaxPool2d((2, 3)).stride == (2, 3)
    assert nn.AvgPool2d(2).stride == 2


def test_indices():
    values, indices = nn.MaxPool2d(2, return_indices=True)(pellucid.tensor([[[[1.0, 3], [2, 0]]]]))
    assert (values.item(), indices.item()) == (3.0, 1)
