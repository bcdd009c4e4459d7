"""The order of axes in memory."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.kernels.layout import (
    as_channels_last,
    empty_channels_last,
    is_channels_last,
    like,
)

SHAPES = [(2, 3, 5), (2, 3, 4, 5), (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("shape", [*SHAPES, (0, 3, 4, 5), (2, 1, 4, 5), (1, 3, 1, 1)])
def test_channels_last_memory_has_channels_innermost_and_no_gaps(shape):
    array = empty_channels_last(shape, np.dtype("float32"))
    assert array.shape == shape
    assert array.dtype == np.float32
    assert np.moveaxis(array, 1, -1).flags.c_contiguous
    assert is_channels_last(array)


@pytest.mark.parametrize("shape", SHAPES)
def test_row_major_memory_is_not_channels_last(shape):
    assert not is_channels_last(np.zeros(shape))


def test_axes_of_size_1_say_nothing():
    one_channel = np.zeros((8, 1, 4, 4))
    assert is_channels_last(one_channel)
    assert as_channels_last(one_channel).base is one_channel
    odd = np.zeros((8, 4, 4, 7)).transpose(0, 3, 1, 2)[:, 3:4]  # its channel stride means nothing
    assert odd.shape == (8, 1, 4, 4)
    assert like(one_channel, odd) is one_channel


def test_gaps_are_not_channels_last():
    wide = empty_channels_last((2, 6, 4, 4), np.dtype("float32"))
    assert not is_channels_last(wide[:, :3])
    assert not is_channels_last(wide[:, :, ::2])


@pytest.mark.parametrize("shape", SHAPES)
def test_as_channels_last_copies_only_where_it_must(shape):
    array = np.random.default_rng(0).random(shape)
    last = as_channels_last(array)
    assert is_channels_last(last)
    assert np.array_equal(last, array)
    assert not np.shares_memory(last, array)
    assert np.shares_memory(as_channels_last(last), last)


@pytest.mark.parametrize(
    "template",
    [
        np.zeros((2, 3, 4, 5)),
        empty_channels_last((2, 3, 4, 5), np.dtype("float64")),
        np.zeros((5, 4, 3, 2)).T,
        np.zeros((2, 3, 4, 5))[:, ::-1, :, ::-1],
        np.zeros((4, 6, 8, 10))[::2, ::2, ::2, ::2],
    ],
    ids=["row-major", "channels-last", "column-major", "negative", "gaps"],
)
def test_like_takes_the_order_of_the_template(template):
    gradient = np.random.default_rng(0).random((2, 3, 4, 5)).astype("float32")
    gradient = gradient.transpose(3, 1, 0, 2).copy().transpose(2, 1, 3, 0)  # an order of its own
    result = like(gradient, template)
    assert np.array_equal(result, gradient)
    assert result.dtype == np.float32
    assert np.argsort([-s for s in result.strides]).tolist() == (
        np.argsort([-abs(s) for s in template.strides]).tolist()
    )
    assert like(result, template) is result
