"""Pooling: windows, shares, who is the largest, and elements that no window holds."""

import numpy as np
import pytest
from explain.layers.checks import agrees_with_op, agrees_with_sympy, close, random, says, texts

import pellucid
from pellucid import nn, ops
from pellucid.errors import ShapeError
from pellucid.explain import derive
from pellucid.explain.layers.pool import axes_of_pool
from pellucid.kernels.pool import PoolSpec


def test_the_equations():
    says(derive(nn.MaxPool2d(2, 1), (1, 1, 2, 3)), {
        "forward": "o12 = max(x12, x13, x22, x23)",
        "grad_input": "dL/dx23 = dL/do12 [o12 = x23]",
    })  # fmt: skip
    d = derive(nn.MaxPool2d(2, 1), (1, 1, 2, 3))
    assert str(d.grad_input[0, 0, 0, 1]) == ("dL/dx12 = dL/do11 [o11 = x12] + dL/do12 [o12 = x12]")
    says(derive(nn.AvgPool2d(2), (1, 2, 2, 2)), {
        "forward": "o211 = 1/4 x211 + 1/4 x212 + 1/4 x221 + 1/4 x222",
        "grad_input": "dL/dx222 = 1/4 dL/do211",
    })  # fmt: skip


def test_shares_where_the_padding_does_not_count():
    layer = nn.AvgPool2d((1, 2), padding=(0, 1), count_include_pad=False)
    assert texts(derive(layer, (1, 1, 1, 3)), "forward") == ["o11 = x11", "o12 = 1/2 x12 + 1/2 x13"]
    assert texts(derive(nn.AvgPool2d((1, 2), divisor_override=3), (1, 1, 1, 2)), "grad_input") == [
        "dL/dx11 = 1/3 dL/do11", "dL/dx12 = 1/3 dL/do11",
    ]  # fmt: skip


def test_what_no_window_holds():
    e = derive(nn.MaxPool2d(2), (1, 1, 2, 5)).grad_input[0, 0, 0, 4]
    assert str(e) == "dL/dx15 = 0"
    assert str(e.why) == "column 5 lies behind the last window, so it is left over"
    e = derive(nn.AvgPool2d(1, 2), (1, 1, 3, 3)).grad_input[0, 0, 1, 0]
    assert (e.why.reason, e.why.axis) == ("stride", 0)


OPTIONS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (2, 3), "stride": (3, 1), "ceil_mode": True},
    {"kernel_size": 2, "stride": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_against_the_op_and_sympy(options):
    shape = (2, 1, 5, 4)
    for layer, op in (
        (nn.MaxPool2d(**options), ops.max_pool2d),
        (nn.AvgPool2d(**options), ops.avg_pool2d),
        (nn.AvgPool2d(**options, count_include_pad=False), None),
    ):
        d = derive(layer, shape)
        arrays = {"x": random(shape, 0), "gy": random(d.forward.shape, 1)}
        agrees_with_op(d, layer, **arrays)
        if op is not None:
            y = op(pellucid.zeros(*shape, requires_grad=True), **options)
            assert repr(derive(y)) == repr(d)
            assert texts(derive(y), "grad_input") == texts(d, "grad_input")


def test_against_sympy():
    for layer in (nn.MaxPool2d(2, 1), nn.AvgPool2d(2, 1, 1)):
        d = derive(layer, (1, 1, 2, 3))
        agrees_with_sympy(d, x=random((1, 1, 2, 3), 0), gy=random(d.forward.shape, 1))


@pytest.mark.parametrize("numbers", [[3, 3, 1, 3], [-np.inf] * 4, [1, np.nan, 2, np.nan]])
def test_ties_and_nan(numbers):
    d = derive(nn.MaxPool2d(2), (1, 1, 2, 2))
    x = pellucid.tensor(np.array(numbers, float).reshape(1, 1, 2, 2), requires_grad=True)
    ops.max_pool2d(x, 2).sum().backward()
    found = d.grad_input.evaluate(x=x.detach(), gy=np.ones((1, 1, 1, 1)))
    assert np.array_equal(found, x.grad.numpy())


def test_one_axis_of_a_tensor_and_no_batch():
    y = ops.max_pool1d(pellucid.zeros(2, 4, requires_grad=True), 2)
    assert texts(derive(y), "grad_input")[-1] == "dL/dx24 = dL/do22 [o22 = x24]"
    y = ops.avg_pool1d(pellucid.zeros(1, 2, 5, requires_grad=True), 2)
    assert texts(derive(y), "grad_input")[-1] == "dL/dx25 = 0"
    values = ops.max_pool2d(pellucid.zeros(1, 1, 2, 2, requires_grad=True), 2, return_indices=True)
    assert derive(values[0]).forward.shape == (1, 1, 1, 1)
    assert derive(nn.MaxPool2d(2, return_indices=True), (3, 1, 2, 2)).forward.shape == (3, 1, 1, 1)


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_axes_have_the_windows_of_the_op(ceil_mode):
    for size in range(2, 12):
        for kernel, stride, pad, dilation in [
            (2, 1, 0, 1),
            (2, 3, 1, 1),
            (3, 2, 1, 2),
            (1, 4, 0, 1),
        ]:
            spec = PoolSpec((size,), (kernel,), (stride,), (pad,), (dilation,), ceil_mode)
            if spec.out_size[0] >= 1:
                (axis,) = axes_of_pool(spec)
                assert (axis.windows, axis.low) == (spec.out_size[0], pad), spec


def test_a_large_image_is_derived_at_once():
    d = derive(nn.MaxPool2d(3, 2, 1), (64, 64, 112, 112))
    assert str(d.grad_input[0, 0, 1, 0]).count("dL/do") == 2
    close(np.array(d.forward.shape), np.array([64, 64, 56, 56]))


def test_a_shape_that_does_not_fit():
    with pytest.raises(ShapeError, match="no window of 9 fits into H=4"):
        derive(nn.MaxPool2d(9), (1, 1, 4, 4))
