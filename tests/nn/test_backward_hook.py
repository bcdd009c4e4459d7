"""Full backward hooks: what a module sees of its gradients, and what it may replace."""

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.autograd import grad
from pellucid.errors import DTypeError, ShapeError


class Pair(nn.Module):
    """Two inputs and an option, two outputs."""

    def forward(self, a, power, b=None):
        return a**power * b, b * 3


def watched(module, hook=None):
    """Register a hook that notes its arguments as lists, and return the notes."""
    notes = []

    def note(owner, gx, gy):
        notes.append((owner, *[[g if g is None else g.tolist() for g in gs] for gs in (gx, gy)]))
        return None if hook is None else hook(gx, gy)

    return notes, module.register_full_backward_hook(note)


def test_gradients_of_inputs_and_outputs():
    layer = nn.Linear(2, 1)
    layer.weight.detach().copy_(np.array([[0.5, -2.0]]))
    notes, handle = watched(layer)
    x = pellucid.ones(1, 2, requires_grad=True)
    (layer(x) * 5).sum().backward()
    assert notes == [(layer, [[[2.5, -10.0]]], [[[5.0]]])]
    assert x.grad.tolist() == notes[0][1][0]
    handle.remove()
    layer(x).sum().backward()
    assert len(notes) == 1


def test_the_gradients_are_those_without_hooks():
    x, layer = pellucid.randn(3, 2, 6, 6, dtype="float64"), nn.Conv2d(2, 4, 3).double()
    layer(x.requires_grad_()).sum().backward()
    plain = [x.grad, layer.weight.grad, layer.bias.grad]
    x.grad = None
    layer.zero_grad()
    watched(layer)
    layer(x).sum().backward()
    for found, wanted in zip([x.grad, layer.weight.grad, layer.bias.grad], plain, strict=True):
        np.testing.assert_allclose(found.array, wanted.array, atol=1e-12)


def test_several_inputs_and_outputs():
    pair = Pair()
    notes, _ = watched(pair)
    a, b = (pellucid.tensor([v], requires_grad=True) for v in (2.0, 7.0))
    first, second = pair(a, 2, b)
    (first + second * 10).sum().backward()
    assert notes == [(pair, [[28.0], None, [4.0 + 30.0]], [[1.0], [10.0]])]
    assert (a.grad.item(), b.grad.item()) == (28.0, 34.0)


def test_an_output_that_nothing_used_has_a_gradient_of_zero():
    pair = Pair()
    notes, _ = watched(pair)
    a, b = (pellucid.tensor([v], requires_grad=True) for v in (2.0, 7.0))
    pair(a, 2, b)[0].sum().backward()
    assert notes == [(pair, [[28.0], None, [4.0]], [[1.0], [0.0]])]


def test_without_inputs_that_require_grad():
    layer = nn.Linear(2, 1)
    notes, _ = watched(layer)
    layer(pellucid.ones(1, 2)).sum().backward()
    assert notes == [(layer, [None], [[[1.0]]])]


def test_without_a_graph_the_hook_is_silent():
    layer = nn.Linear(2, 1)
    notes, _ = watched(layer)
    with pellucid.no_grad():
        assert not layer(pellucid.ones(1, 2, requires_grad=True)).requires_grad
    assert notes == []


def test_a_hook_replaces_the_gradients_of_the_inputs():
    layer = nn.Identity()
    watched(layer, lambda gx, gy: (gx[0] * 10,))
    watched(layer, lambda gx, gy: gx[0] + 1)
    x = pellucid.ones(2, requires_grad=True)
    (layer(x) * 3).sum().backward()
    assert x.grad.tolist() == [31.0, 31.0]


def test_none_in_place_of_a_gradient_stops_it():
    layer = nn.Identity()
    watched(layer, lambda gx, gy: (None,))
    x = pellucid.ones(2, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is None


def test_gradients_that_a_hook_keeps_stay_as_they_are():
    layer, kept = nn.Linear(2, 2), []
    layer.register_full_backward_hook(lambda m, gx, gy: kept.append((gx[0], gy[0])))
    x = pellucid.ones(1, 2, requires_grad=True)
    for _ in range(2):
        layer(x).sum().backward()
    assert kept[0][0].tolist() == kept[1][0].tolist()
    assert kept[0][1].tolist() == [[1.0, 1.0]]


def test_gradients_that_a_leaf_would_take_over_stay_as_they_are():
    class Shift(nn.Module):
        def __init__(self):
            super().__init__()
            self.by = nn.Parameter(pellucid.zeros(2))

        def forward(self, x):
            return x + self.by

    layer, kept = Shift(), []
    layer.register_full_backward_hook(lambda m, gx, gy: kept.append((gx[0], gy[0])))
    x = pellucid.ones(2, requires_grad=True)
    for _ in range(2):
        (layer(x) * pellucid.tensor([3.0, 4.0])).sum().backward()
    assert [g.tolist() for pair in kept for g in pair] == [[3.0, 4.0]] * 4
    assert layer.by.grad.tolist() == x.grad.tolist() == [6.0, 8.0]


def test_second_order_passes_through():
    layer = nn.Identity()
    watched(layer)
    x = pellucid.tensor([2.0], requires_grad=True)
    (gx,) = grad((layer(x) ** 3).sum(), x, create_graph=True)
    (ggx,) = grad(gx.sum(), x)
    assert (gx.item(), ggx.item()) == (12.0, 12.0)


def test_backward_twice():
    layer = nn.Identity()
    notes, _ = watched(layer)
    x = pellucid.ones(1, requires_grad=True)
    y = (layer(x) ** 2).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert notes == [(layer, [[2.0]], [[2.0]])] * 2
    assert x.grad.tolist() == [4.0]


def test_an_output_that_cannot_be_watched():
    class Listed(nn.Module):
        def forward(self, x):
            return [x]

    layer = Listed()
    watched(layer)
    with pytest.raises(DTypeError) as caught:
        layer(pellucid.ones(1))
    assert str(caught.value) == (
        "Listed.register_full_backward_hook: forward returned a list, whose gradients cannot be "
        "watched\n  fix: return a tensor or a tuple of tensors"
    )


def test_a_hook_that_returns_too_many_gradients():
    layer = nn.Identity()
    watched(layer, lambda gx, gy: (gx[0], gx[0]))
    y = layer(pellucid.ones(1, requires_grad=True))
    with pytest.raises(ShapeError) as caught:
        y.backward()
    assert str(caught.value) == (
        "Identity.register_full_backward_hook: the hook returned 2 gradients for 1 inputs\n"
        "  fix: return one gradient, or None, for each input"
    )
