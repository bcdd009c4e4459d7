"""What a graph holds, for how long, and that nothing which it saved has changed since."""

import gc
import tracemalloc

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid import autograd, nn
from pellucid.errors import GraphError
from pellucid.kernels import conv
from pellucid.kernels.native import module


def leaf(*values):
    return pellucid.tensor(values, "float64", requires_grad=True)


def test_second_backward_is_refused():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError) as caught:
        y.backward()
    assert str(caught.value) == (
        "Mul: backward passes through it a second time, and its saved tensors are released\n"
        "  fix: call the first backward with retain_graph=True"
    )


def test_retain_graph_allows_it():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_a_saved_input_changed_in_place_is_found():
    x, w = leaf(1.0, 2.0), pellucid.tensor([3.0, 4.0], "float64")
    y = x * w
    w[0] = 7.0
    with pytest.raises(GraphError) as caught:
        y.sum().backward()
    assert str(caught.value) == (
        "Mul: a tensor of shape (2,) that its backward needs was changed in place: version 1, "
        "saved at 0\n  fix: change a clone(), or change it after backward"
    )


def test_a_change_through_a_view_is_found():
    x, w = leaf(1.0, 2.0), pellucid.tensor([[3.0], [4.0]], "float64")
    y = x * w.reshape(2)
    w.T.detach()[0][1] = 0.0
    with pytest.raises(GraphError, match="was changed in place"):
        y.sum().backward()


def test_a_saved_output_changed_in_place_is_found():
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.detach().zero_()
    with pytest.raises(GraphError, match=r"Exp: .* was changed in place"):
        y.sum().backward()


def test_a_change_of_what_was_not_saved_is_fine():
    x, w = leaf(1.0, 2.0), pellucid.tensor([3.0, 4.0], "float64")
    y = x + w
    w[0] = 7.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_saved_arrays_go_as_backward_uses_them():
    x = pellucid.ones(1000, 1000, requires_grad=True)
    y = x.exp().exp().exp().sum()
    node = y.grad_fn.next_functions[0][0]
    y.backward()
    assert node._saved is None


@needs_native
def test_the_walk_needs_two_gradients_beside_the_graph():
    x = pellucid.ones(1 << 18, requires_grad=True)
    before, *_ = module.pool_state()
    y = x
    for _ in range(8):
        y = y.relu()
    gy = pellucid.Tensor(np.ones_like(x.array))
    held, *_ = module.pool_state()
    one = (held - before) / 8
    module.take_pool_peak()
    y.backward(gy)
    assert held + one <= module.take_pool_peak() < held + 2.5 * one
    del y
    assert module.pool_state()[0] < before + 1.5 * one  # x.grad


def test_images_get_no_gradient_that_nobody_asked_for(monkeypatch):
    ran = []

    def grad_input(gy, w, *rest, **options):
        ran.append(w.shape)
        return true_grad_input(gy, w, *rest, **options)

    true_grad_input = conv.grad_input
    monkeypatch.setattr(conv, "grad_input", grad_input)
    model, x = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)), pellucid.ones(2, 3, 9, 9)
    model(x).sum().backward()
    assert ran == [(4, 8, 3, 3)]


def test_graphs_have_no_cycles():
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(200):
            x = pellucid.ones(3, requires_grad=True)
            y = (x.exp() * x).sqrt().sum()
            y.backward()
            (gx,) = autograd.grad((x**3).sum(), x, create_graph=True)
            gx.sum().backward()
        del x, y, gx
        assert len(gc.get_objects()) - before < 50
    finally:
        gc.enable()


def test_memory_does_not_grow_with_the_collector_off():
    w = pellucid.randn(64, 64, requires_grad=True)
    gc.disable()
    try:
        sizes = []
        tracemalloc.start()
        for _ in range(220):
            ((w * w).exp().sum() / 100).backward()
            w.grad = None
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    finally:
        gc.enable()
    # Python's own free lists fill up to 100 kB; one array a step would be 3 MB.
    assert sizes[-1] - sizes[20] < 200_000
