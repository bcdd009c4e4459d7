"""Batch normalisation with what follows it against its parts: no bit differs, in either order."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid import nn, ops
from pellucid.kernels import norm as kernels
from pellucid.kernels.activation import relu_gradient_sums
from pellucid.ops.conv import Conv
from pellucid.ops.conv_fused import ConvReLU
from pellucid.ops.norm_fused import BatchNormAddReLU, BatchNormReLU
from pellucid.profiler import profile

rng = np.random.default_rng(5)
SHAPES = [(6, 3), (4, 5, 7), (3, 17, 4, 5), (4, 16, 12, 12)]


def channels_last(array):
    return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)


def fused(x, running, weight, bias, residual, training, six):
    ceiling = 6 if six else np.inf
    return ops.batch_norm_relu(x, *running, weight, bias, training, 0.3, 1e-3, residual, ceiling)


def in_parts(x, running, weight, bias, residual, training, six):
    y = ops.batch_norm(x, *running, weight, bias, training, 0.3, 1e-3)
    return (ops.relu6 if six else ops.relu)(y if residual is None else y + residual)


def arrays_of(op, shape, layout, dtype, training, residual, second, six):
    """The result, running statistics, gradients, and the gradients of those."""
    drawn = np.random.default_rng([1, *shape])
    C = shape[1]
    x, gy, r = (layout(drawn.standard_normal(shape).astype(dtype)) for _ in range(3))
    r *= 5  # also above 6
    w, b, mean = (drawn.standard_normal(C).astype(dtype) for _ in range(3))
    leaves = [pellucid.Tensor(a, requires_grad=True) for a in (x, w, b, r)[: 3 + residual]]
    running = pellucid.Tensor(mean), pellucid.Tensor(np.ones(C, dtype))
    y = op(leaves[0], running, *leaves[1:3], leaves[3] if residual else None, training, six)
    gradients = pellucid.autograd.grad(y, leaves, pellucid.Tensor(gy), create_graph=second)
    found = [y, *running, *gradients]
    if second:
        total = sum((g * g * pellucid.Tensor(np.array(0.1, dtype))).sum() for g in gradients)
        found += pellucid.autograd.grad(total, leaves[:2])
    return [a.detach().numpy() for a in found]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("six", [True, False])
def test_as_its_parts(shape, layout, dtype, training, residual, second, six):
    case = shape, layout, dtype, training, residual, second, six
    for found, wanted in zip(arrays_of(fused, *case), arrays_of(in_parts, *case), strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)
        assert found.strides == wanted.strides


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_a_layer(training, residual):
    layer, other = nn.BatchNorm2d(3).train(training), nn.BatchNorm2d(3).train(training)
    x = pellucid.Tensor(rng.standard_normal((4, 3, 5, 6)).astype("float32"))
    r = pellucid.Tensor(rng.standard_normal((4, 3, 5, 6)).astype("float32")) if residual else None
    y, wanted = layer.with_relu(x, r), other(x)
    wanted = (wanted if r is None else wanted + r).relu()
    np.testing.assert_array_equal(y.detach().numpy(), wanted.detach().numpy())
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(layer.state_dict()[name].numpy(), value.numpy(), name)


def test_one_record_takes_the_place_of_two_or_three():
    x = pellucid.ones(4, 3, 2, 2, requires_grad=True)
    y = ops.batch_norm_relu(x, None, None, training=True)
    assert y.grad_fn.name == "BatchNormReLU"
    assert y.grad_fn.next_functions[0] == (x, 0)
    y = ops.batch_norm_relu(x, None, None, training=True, residual=x)
    assert y.grad_fn.name == "BatchNormAddReLU"


def test_a_sum_changed_in_place_is_refused_and_a_normalised_is_not_needed():
    x = pellucid.Tensor(rng.standard_normal((4, 3)), requires_grad=True)
    y = ops.batch_norm_relu(x, None, None, training=True)
    y.detach().mul_(2)
    y.sum().backward()
    y = ops.batch_norm_relu(x, None, None, training=True, residual=x)
    y.detach().mul_(2)
    with pytest.raises(pellucid.errors.GraphError, match="changed in place"):
        y.sum().backward()


def test_gradients_of_an_evaluation_are_those_of_its_own_statistics():
    layer = nn.BatchNorm1d(3).eval()
    x = pellucid.Tensor(rng.standard_normal((5, 3)).astype("float32"), requires_grad=True)
    y = layer.with_relu(x)
    layer.train()(x * 100 + 50)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), (x.detach().numpy() > 0) / np.sqrt(1 + 1e-5), 1e-6)


@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("residual", [True, False])
def test_what_is_no_number_passes_without_a_word(residual, second):
    x = pellucid.Tensor(np.array([[np.inf], [1.0], [2.0]]), requires_grad=True)
    y = ops.batch_norm_relu(x, None, None, training=True, residual=x if residual else None)
    (gx,) = pellucid.autograd.grad(y.sum(), x, create_graph=second)
    assert np.isnan(gx.detach().numpy()).all()


@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_two_paths_meet_in_the_backward_of_a_sum_with_relu(monkeypatch, layout):
    """As they would if their gradients were added first, bit for bit."""
    given = layout(rng.standard_normal((4, 16, 9, 9)).astype("float32"))
    gradients = []
    for pairs in (True, False):
        monkeypatch.setattr(BatchNormAddReLU, "takes_pairs", pairs)
        x = pellucid.Tensor(given, requires_grad=True)
        y = ops.batch_norm_relu(x, None, None, training=True, residual=x)
        z = ops.batch_norm_relu(y, None, None, training=True, residual=y)
        with profile() as measured:
            (z * pellucid.Tensor(given)).sum().backward()
        gradients.append(x.grad.numpy())
        names = [event.name for event in measured.events]
        assert names.count("Add") == (1 if pairs else 2)
    np.testing.assert_array_equal(*gradients)


FUSED = BatchNormReLU, BatchNormAddReLU, ConvReLU, Conv


@pytest.mark.parametrize("shape", [(4, 16, 9, 9), (2, 7, 5, 6)])
@pytest.mark.parametrize("order", ["channels-last", "row-major"])
def test_gradients_that_nobody_holds_are_overwritten_and_no_other(monkeypatch, shape, order):
    """Nothing changes but where results lie, and what a hook or `grad` got stays as it was."""
    x = rng.standard_normal(shape).astype("float32")
    x = channels_last(x) if order == "channels-last" else x
    C = shape[1]
    w = [rng.standard_normal((C, C, 3, 3)).astype("float32") / C for _ in range(3)]
    b = rng.standard_normal(C).astype("float32")
    found = []
    for own in (True, False):
        for op in FUSED:
            monkeypatch.setattr(op, "makes_gradients", own)
        leaves = [pellucid.Tensor(a, requires_grad=True) for a in (x, *w, b)]
        first = ops.conv2d_relu(leaves[0], leaves[1], leaves[4], padding=1)
        second = ops.batch_norm_relu(
            ops.conv2d(first, leaves[2], padding=1), None, None, training=True, residual=first
        )
        third = ops.batch_norm_relu(
            ops.conv2d(second, leaves[3], padding=1), None, None, training=True, residual=second
        )
        last = ops.conv2d_relu(third, leaves[1], leaves[4], padding=1)
        y = ops.conv2d(ops.batch_norm_relu(last, None, None, training=True), leaves[2], padding=1)
        kept = []
        if not own:
            second.register_hook(kept.append)
        (y * y).sum().backward(retain_graph=True)
        copies = [g.numpy().copy() for g in kept]
        found.append([leaf.grad.numpy().copy() for leaf in leaves])
        (y * y).sum().backward()
        for one, copy in zip(kept, copies, strict=False):
            np.testing.assert_array_equal(one.numpy(), copy)
        found.append([leaf.grad.numpy() / 2 for leaf in leaves])
    for others in found[1:]:
        for gradient, wanted in zip(others, found[0], strict=True):
            np.testing.assert_array_equal(gradient, wanted)


@needs_native
def test_no_memory_is_taken_where_a_gradient_is_overwritten():
    x = channels_last(rng.standard_normal((4, 16, 9, 9)).astype("float32"))
    gy, more, y = x.copy("K"), x.copy("K"), np.maximum(x, 0)
    one = np.ones(16, "float32")
    gx, *_ = kernels.backward_relu(gy, x, one, one, one, one, False, overwrite=True)
    assert gx is gy
    gx, _, _, gr = kernels.backward_add_relu(
        gy, y, x, one, one, one, False, more=more, overwrite=True
    )
    assert gr is gy
    assert gx is more
    gx, _, _, gr = kernels.backward_add_relu(gy, y, x, one, one, one, False, overwrite=True)
    assert gr is gy
    assert not np.shares_memory(gx, gy)
    gx, _ = relu_gradient_sums(gy, y, overwrite=True)
    assert gx is gy
