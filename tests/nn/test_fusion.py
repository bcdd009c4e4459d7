"""Layers that are computed in one op with the ReLU behind them, and when they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.explain import record
from pellucid.nn.fusion import can_fuse, with_relu

rng = np.random.default_rng(0)


def images() -> pellucid.Tensor:
    return pellucid.from_numpy(rng.standard_normal((4, 3, 6, 6)).astype("float32"))


def ops_of(y: pellucid.Tensor) -> set[str]:
    """The names of the ops that made y."""
    names, waiting = set(), [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and hasattr(node, "next_functions"):
            names.add(node.name)
            waiting += [edge[0] for edge in node.next_functions if edge is not None]
    return names


def results(net: Any, x: pellucid.Tensor) -> list[np.ndarray]:
    """What a net computes, its gradients and what it keeps of the batch."""
    x = pellucid.Tensor(x.array, requires_grad=True)
    y = net(x)
    (y * y).sum().backward()
    tensors = [p.grad for p in net.parameters()] + list(net.buffers())
    return [y.array, x.grad.array, *(t.array for t in tensors)]


class Parts(nn.Module):
    """The layers of a net, called one after the other."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: pellucid.Tensor) -> pellucid.Tensor:
        for layer in self.net:
            x = layer(x)
        return x


def net_of(conv: bool = True) -> nn.Sequential:
    pellucid.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 2, 1))


@pytest.mark.parametrize("training", [True, False])
def test_sequential_fuses_and_the_results_are_those_of_the_parts(training: bool) -> None:
    x = images()
    net, parts = net_of().train(training), Parts(net_of()).train(training)
    assert "BatchNormReLU" in "".join(ops_of(net(x))) or "ReLU" not in ops_of(net(x))
    assert "ReLU" in ops_of(parts(x))
    net, parts = net_of().train(training), Parts(net_of()).train(training)
    for found, wanted in zip(results(net, x), results(parts, x), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)


class OwnReLU(nn.ReLU):
    """Somebody's own layer."""


@pytest.mark.parametrize("where", [1, 2])
@pytest.mark.parametrize("hook", ["forward_pre", "forward", "full_backward"])
def test_a_hook_keeps_the_layers_apart(where: int, hook: str) -> None:
    net, seen = net_of(), []
    getattr(net[where], f"register_{hook}_hook")(lambda *args: seen.append(args) or None)
    y = net(images())
    y.sum().backward()
    assert len(seen) == 1
    assert "ReLU" in ops_of(net(images()))


def test_only_the_library_s_own_layers_are_fused() -> None:
    assert can_fuse(nn.BatchNorm2d(2), nn.ReLU())
    assert can_fuse(nn.BatchNorm2d(2), nn.ReLU6())
    assert can_fuse(nn.Conv2d(2, 2, 1), nn.ReLU())
    assert not can_fuse(nn.Conv2d(2, 2, 1), nn.ReLU6())
    assert not can_fuse(nn.BatchNorm2d(2), OwnReLU())
    assert not can_fuse(nn.BatchNorm2d(2), nn.Sigmoid())
    assert not can_fuse(nn.MaxPool2d(2), nn.ReLU())


def test_a_residual_is_added_before_the_relu() -> None:
    x, r = images(), images()
    for relu in (nn.ReLU(), OwnReLU()):
        norm, other = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        y = with_relu(norm, relu, x, r)
        np.testing.assert_allclose(y.array, (other(x) + r).relu().array, rtol=1e-6, atol=1e-6)


def test_a_layer_of_a_fused_net_can_be_recorded() -> None:
    net = net_of()
    loss = net(images()).sum()
    with record(net[0]) as kept:
        loss.backward()
    assert len(kept.calls) == 1


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3)])
@pytest.mark.parametrize("relu", [nn.ReLU(), nn.ReLU6()])
def test_one_op_or_two(layer: nn.Module, relu: nn.Module) -> None:
    x = images() * 5
    y, wanted = with_relu(layer, relu, x), relu(layer(x))
    np.testing.assert_array_equal(y.array, wanted.array)
    r = pellucid.ones(*y.shape)
    np.testing.assert_array_equal(with_relu(layer, relu, x, r).array, relu(layer(x) + r).array)
    assert (y.grad_fn.name in ("BatchNormReLU", "ConvReLU")) == can_fuse(layer, relu)


def test_a_convolution_that_is_fused_is_recorded_with_what_passes_the_relu() -> None:
    net, parts = (nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()) for _ in range(2))
    parts.load_state_dict(net.state_dict())
    x, kept = images(), []
    for model, y in ((net, net(x)), (parts, Parts(parts)(x))):
        assert (y.grad_fn.name == "ConvReLU") == (model is net)
        with record(model[0]) as seen:
            (y * y).sum().backward()
        kept.append(seen.calls[0])
    np.testing.assert_array_equal(kept[0].gy, kept[1].gy)
