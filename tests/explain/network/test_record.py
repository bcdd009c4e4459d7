"""`record`: what it keeps, of which layer and for how long, and that it changes nothing."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import GraphError, UnsupportedError
from pellucid.explain import contributions, record
from pellucid.explain.network.record import _kept, can_record, kept_of
from pellucid.hooks import watchers
from pellucid.models import digits_cnn
from pellucid.nn import functional
from pellucid.optim import SGD


def images(count: int = 4, channels: int = 1, size: int = 6, seed: int = 0) -> pellucid.Tensor:
    rng = np.random.default_rng(seed)
    return pellucid.tensor(rng.standard_normal((count, channels, size, size)).astype(np.float32))


def network() -> nn.Sequential:
    pellucid.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1))


def test_it_keeps_x_w_and_gy_of_one_layer_and_nothing_of_others() -> None:
    model, x = network(), images()
    y = model(x)
    with record(model[2]) as kept:
        y.pow(2).sum().backward()
    (call,) = kept.calls
    np.testing.assert_array_equal(call.x, model[1](model[0](x)).array)
    np.testing.assert_array_equal(call.gy, 2 * y.array)
    np.testing.assert_array_equal(call.w, model[2].weight.array)
    assert str(call.spec) == "n4 c4 i4x4 o2 k3x3 p1"
    assert kept_of(model[0]) is None
    with pytest.raises(GraphError, match="nothing was recorded"):
        contributions(model[0], "weight", (0, 0, 0, 0))


def test_what_is_kept_is_a_copy() -> None:
    layer, x = nn.Conv2d(1, 2, 3), images()
    with record(layer) as kept:
        layer(x).sum().backward()
    before = [array.copy() for array in (kept.calls[0].x, kept.calls[0].w)]
    SGD(layer.parameters(), lr=1.0).step()
    x.array[...] = 0
    np.testing.assert_array_equal(kept.calls[0].x, before[0])
    np.testing.assert_array_equal(kept.calls[0].w, before[1])


def test_a_copy_keeps_the_layout() -> None:
    model, x = network(), images(channels=1)
    with record(model[2]) as kept:
        model(x).sum().backward()
    strides = kept.calls[0].x.strides
    assert strides[1] == min(strides)  # channels last, as the convolution before made it


def test_a_layer_that_is_called_twice_has_two_calls_in_the_order_of_the_forward_pass() -> None:
    layer = nn.Conv2d(1, 1, 3, padding=1)
    small, large = images(2, size=4), images(3, size=5)
    loss = layer(small).sum() + layer(large).sum()
    with record(layer) as kept:
        loss.backward()
    assert [str(call.spec) for call in kept.calls] == [
        "n2 c1 i4x4 o1 k3x3 p1", "n3 c1 i5x5 o1 k3x3 p1"
    ]  # fmt: skip


def test_several_backward_passes_of_one_block_add_up() -> None:
    layer = nn.Conv2d(1, 2, 3)
    with record(layer) as kept:
        for seed in range(3):
            layer(images(seed=seed)).sum().backward()
    assert len(kept.calls) == 3
    found = contributions(layer, "weight", (1, 0, 2, 2))
    assert found.kernel == pytest.approx(float(layer.weight.grad[1, 0, 2, 2]), rel=1e-6)


def test_a_later_block_replaces_what_an_earlier_one_kept() -> None:
    layer = nn.Conv2d(1, 2, 3)
    for count in (2, 5):
        with record(layer):
            layer(images(count)).sum().backward()
    assert contributions(layer, "bias", 0).by_image.shape == (5,)
    with record(layer):
        pass
    with pytest.raises(GraphError) as refused:
        contributions(layer, "bias", 0)
    assert str(refused.value) == (
        "contributions: no gradient passed through this Conv2d inside of record(layer)\n"
        "  fix: use the layer in the forward pass, with gradients recorded, and run backward() "
        "inside the block"
    )


def test_outside_of_a_block_nothing_is_kept_and_contributions_says_so() -> None:
    layer = nn.Conv2d(1, 2, 3)
    layer(images()).sum().backward()
    with pytest.raises(GraphError) as refused:
        contributions(layer, "weight", (0, 0, 0, 0))
    assert str(refused.value) == (
        "contributions: nothing was recorded of this Conv2d: its backward pass ran outside of "
        "record(layer)\n"
        "  fix: run it as in: with record(layer): loss.backward()"
    )


def test_clear_lets_everything_go() -> None:
    layer = nn.Conv2d(1, 2, 3)
    with record(layer) as kept:
        layer(images()).sum().backward()
    copy = weakref.ref(kept.calls[0].x)
    kept.clear()
    assert kept.calls == ()
    assert copy() is None


def test_blocks_may_stand_in_each_other() -> None:
    model = network()
    with record(model[0]) as first, record(model[2]) as second, record(model[0]) as again:
        model(images()).sum().backward()
    assert [len(kept.calls) for kept in (first, second, again)] == [1, 1, 1]
    assert watchers() == ()


# --- nothing changes, nothing stays ---------------------------------------------------------------


def trained(recorded: bool) -> dict[str, Any]:
    """The state of a network after a few steps."""
    pellucid.manual_seed(0)
    model = digits_cnn()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    layers = [layer for layer in model.modules() if can_record(layer)]
    for step in range(3):
        x = images(8, size=8, seed=step)
        loss = functional.cross_entropy(model(x), pellucid.tensor(np.arange(8)))
        optimizer.zero_grad()
        if recorded:
            with record(layers[0]), record(layers[1]):
                loss.backward()
        else:
            loss.backward()
        optimizer.step()
    return model.state_dict()


def test_no_bit_of_a_training_changes() -> None:
    plain, watched = trained(False), trained(True)
    assert plain.keys() == watched.keys()
    for name, tensor in plain.items():
        assert tensor.array.tobytes() == watched[name].array.tobytes(), name


def test_nothing_is_held_but_the_copies_and_these_as_long_as_the_layer() -> None:
    gc.collect()
    gc.disable()
    try:
        before = len(_kept)
        layer, x = nn.Conv2d(1, 2, 3), images()
        y = layer(x)
        with record(layer) as kept:
            y.sum().backward()
        ends = [weakref.ref(thing) for thing in (x.array, y, y.grad_fn, kept.calls[0].gy, layer)]
        assert len(_kept) == before + 1
        del x, y
        assert [end() is None for end in ends] == [True, True, True, False, False]
        del kept, layer
        assert [end() is None for end in ends] == [True] * 5
        assert len(_kept) == before
    finally:
        gc.enable()


def test_a_hundred_blocks_keep_no_more_than_one() -> None:
    layer, x = nn.Conv2d(1, 2, 3), images()
    for _ in range(100):
        with record(layer) as kept:
            layer(x).sum().backward()
    gone = weakref.ref(kept.calls[0].x)
    with record(layer) as kept:
        layer(x).sum().backward()
    assert len(kept.calls) == 1
    assert gone() is None
    assert sum(kept_of(layer) is each for each in _kept.values()) == 1


def test_an_error_in_the_block_ends_it() -> None:
    with pytest.raises(ZeroDivisionError), record(nn.Conv2d(1, 2, 3)):
        raise ZeroDivisionError
    assert watchers() == ()


def test_another_thread_is_not_watched() -> None:
    layer = nn.Conv2d(1, 2, 3)
    loss = layer(images()).sum()
    with record(layer) as kept:
        other = threading.Thread(target=loss.backward)
        other.start()
        other.join()
    assert kept.calls == ()
    assert layer.weight.grad is not None


# --- which uses count -----------------------------------------------------------------------------


def test_frozen_weights_and_an_input_without_gradient() -> None:
    layer = nn.Conv2d(1, 2, 3)
    layer.weight.requires_grad_(False)
    with record(layer) as kept:
        layer(images()).sum().backward()  # through the bias
    assert len(kept.calls) == 1
    assert contributions(layer, "weight", (0, 0, 0, 0)).terms.size == 4 * 16


def test_the_op_may_be_used_without_the_layer() -> None:
    layer = nn.Conv2d(1, 2, 3)
    with record(layer) as kept:
        functional.conv2d(images(), layer.weight, layer.bias, stride=2).sum().backward()
    assert str(kept.calls[0].spec) == "n4 c1 i6x6 o2 k3x3 s2"


def test_other_ways_to_the_weight_are_named() -> None:
    layer = nn.Conv2d(1, 2, 3)
    loss = layer(images()).sum() + 0.5 * layer.weight.pow(2).sum()
    with record(layer):
        loss.backward()
    found = contributions(layer, "weight", (0, 0, 0, 0))
    assert len(found.others) == 1
    assert f"not counted here: the gradient also came through {found.others[0]}" in found.table()
    assert contributions(layer, "bias", 0).others == ()
    weight = float(layer.weight.array[0, 0, 0, 0])
    assert float(layer.weight.grad[0, 0, 0, 0]) == pytest.approx(found.value + weight, rel=1e-5)


def test_a_gradient_penalty_is_another_way_too() -> None:
    layer, x = nn.Conv2d(1, 1, 3), images().requires_grad_()
    y = layer(x).pow(2).sum()
    (gx,) = pellucid.autograd.grad(y, x, create_graph=True)
    with record(layer) as kept:
        (y + gx.pow(2).sum()).backward()
    assert len(kept.calls) == 1
    assert "ConvGradInput" in contributions(layer, "weight", (0, 0, 0, 0)).others


def test_autograd_grad_is_recorded_as_well() -> None:
    layer = nn.Conv2d(1, 2, 3)
    with record(layer):
        (gw,) = pellucid.autograd.grad(layer(images()).sum(), layer.weight)
    assert contributions(layer, "weight", (1, 0, 1, 1)).kernel == float(gw[1, 0, 1, 1])


def test_what_cannot_be_recorded() -> None:
    with pytest.raises(UnsupportedError) as refused:
        record(nn.ReLU())
    assert str(refused.value) == (
        "record: ReLU is neither a convolution nor a Linear\n  fix: record such a layer"
    )
    with pytest.raises(UnsupportedError) as refused:
        record(digits_cnn())
    assert str(refused.value).endswith(
        "  fix: record one of its layers: conv1, conv2, linear1, linear2"
    )
