"""What all optimizers share, tested on each of them."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from optim.descent import descend, gradient, start

import pellucid
from pellucid.errors import ArgumentError, DTypeError, GraphError, ShapeError, StateError
from pellucid.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from pellucid.optim.optimizer import number

MAKERS = {
    "SGD": lambda params: SGD(params, lr=0.1),
    "SGD momentum": lambda params: SGD(params, 0.1, 0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda params: Adam(params, lr=0.1, amsgrad=True),
    "AdamW": lambda params: AdamW(params, lr=0.1),
    "Adagrad": lambda params: Adagrad(params, lr=0.1, initial_accumulator_value=0.5),
    "RMSprop": lambda params: RMSprop(params, lr=0.1, momentum=0.5, centered=True),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def weight(shape=(3, 4), dtype=np.float64):
    return pellucid.Tensor(start(shape, dtype), requires_grad=True)


def arrays(optimizer) -> list:
    states = optimizer.state.values()
    return [v.array for state in states for v in state.values() if isinstance(v, pellucid.Tensor)]


@each
def test_layouts_do_not_matter(make):
    plain = pellucid.Tensor(start((4, 3, 5, 2)), requires_grad=True)
    descend(pellucid, make([plain]), [plain], range(5))
    layouts = [
        start((4, 3, 5, 2)).transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2),
        np.asfortranarray(start((4, 3, 5, 2))),
        start((4, 3, 5, 2))[::-1].copy()[::-1],
    ]
    for array in layouts:
        w = pellucid.Tensor(array, requires_grad=True)
        optimizer = make([w])
        for step in range(5):
            w.grad = pellucid.Tensor(np.asfortranarray(gradient(w.array, step)))
            optimizer.step()
        assert w.array is array
        assert array.tobytes() == plain.array.tobytes()
        assert all(a.strides == np.empty_like(array).strides for a in arrays(optimizer))


@each
def test_float32_is_not_widened(make):
    w = weight(dtype=np.float32)
    optimizer = make([w])
    for group in optimizer.param_groups:
        group["lr"], group["weight_decay"] = np.float64(0.1), np.float64(0.01)
    descend(pellucid, optimizer, [w], range(3))
    assert w.dtype == pellucid.float32
    assert all(a.dtype == pellucid.float32 for a in arrays(optimizer))
    plain = weight(dtype=np.float32)
    optimizer = make([plain])
    for group in optimizer.param_groups:
        group["lr"], group["weight_decay"] = 0.1, 0.01
    descend(pellucid, optimizer, [plain], range(3))
    assert w.array.tobytes() == plain.array.tobytes()


@each
def test_a_step_allocates_little_and_changes_memory_in_place(make):
    w = weight(500_000)
    optimizer = make([w])
    descend(pellucid, optimizer, [w], range(1))
    before = [w.array, *arrays(optimizer)]
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.25 * w.array.nbytes
    assert all(a is b for a, b in zip(before, [w.array, *arrays(optimizer)], strict=True))


@each
def test_the_gradient_is_left_alone(make):
    w = weight()
    w.grad = grad = pellucid.Tensor(gradient(w.array, 0))
    kept = grad.array.copy()
    make([w]).step()
    assert w.grad is grad
    assert grad.array.tobytes() == kept.tobytes()


@each
def test_no_gradient_no_step(make):
    moved, frozen = weight(), pellucid.Tensor(start((2,)))
    optimizer = make([moved, frozen])
    descend(pellucid, optimizer, [moved], range(2))
    assert (frozen.array == start((2,))).all()
    assert list(optimizer.state) == [moved]


@each
@pytest.mark.parametrize("shape", [(), (0, 3), (1,)])
def test_small_shapes(make, shape):
    w = weight(shape)
    before = w.array.copy()
    descend(pellucid, make([w]), [w], range(2))
    assert w.shape == shape
    assert np.isfinite(w.array).all()
    assert w.array.size == 0 or (w.array != before).all()


@each
def test_overflow_is_silent(make):
    w = weight((3,), np.float32)
    w.grad = pellucid.full((3,), 3e38)
    optimizer = make([w])
    optimizer.step()
    optimizer.step()


@each
def test_a_step_after_forward_is_noticed_by_backward(make):
    w = weight()
    y = (w * w).sum()
    w.grad = pellucid.ones_like(w)
    make([w]).step()
    with pytest.raises(GraphError, match="changed in place: version 1, saved at 0"):
        y.backward()


@each
def test_resumes_with_the_same_bits(make):
    whole = [weight(), weight((5,))]
    descend(pellucid, make(whole), whole, range(6))

    parts = [weight(), weight((5,))]
    first = make(parts)
    descend(pellucid, first, parts, range(3))
    saved = first.state_dict()
    second = make(parts)
    second.load_state_dict(saved)
    second.load_state_dict(second.state_dict())
    descend(pellucid, second, parts, range(3, 6))
    for w, expected in zip(parts, whole, strict=True):
        assert w.array.tobytes() == expected.array.tobytes()
    for ours, loaded in zip(arrays(first), arrays(second), strict=True):
        assert not np.shares_memory(ours, loaded)


def test_state_dict_has_the_structure_of_torch():
    a, b, c = weight((2,)), weight((3,)), weight((1,))
    optimizer = Adam([{"params": [a]}, {"params": (p for p in (b, c)), "lr": 0.5}])
    descend(pellucid, optimizer, [a, c], range(2))
    state = optimizer.state_dict()
    options = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}
    assert state["param_groups"] == [
        {"lr": 1e-3, **options, "params": [0]},
        {"lr": 0.5, **options, "params": [1, 2]},
    ]
    assert list(state["state"]) == [0, 2]
    assert list(state["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["state"][2]["step"] == 2
    assert state["state"][2]["exp_avg"] is optimizer.state[c]["exp_avg"]


def test_loading_takes_options_over_and_casts_to_the_parameter():
    w, wide = weight((2,), np.float32), weight((2,))
    saved = SGD([wide], lr=0.5, momentum=0.9)
    descend(pellucid, saved, [wide], range(1))
    saved.param_groups[0]["initial_lr"] = 0.7
    optimizer = SGD([w], lr=0.1)
    group = optimizer.param_groups[0]
    optimizer.load_state_dict(saved.state_dict())
    assert optimizer.param_groups[0] is group  # schedulers may hold it
    assert (group["lr"], group["momentum"], group["initial_lr"]) == (0.5, 0.9, 0.7)
    assert group["params"] == [w]
    assert optimizer.state[w]["momentum_buffer"].dtype == pellucid.float32


def test_groups_have_options_of_their_own():
    a, b = weight((2,)), weight((2,))
    given = {"params": b, "lr": 0.5}
    optimizer = SGD([a], lr=0.1)
    optimizer.add_param_group(given)
    a.grad = b.grad = pellucid.ones(2, dtype=np.float64)
    optimizer.step()
    np.testing.assert_allclose(start((2,)) - a.array, 0.1)
    np.testing.assert_allclose(start((2,)) - b.array, 0.5)
    assert given == {"params": b, "lr": 0.5}


def test_closure_runs_with_grad_and_its_loss_comes_back():
    w = weight((2,))
    optimizer = SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with pellucid.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == pytest.approx((start((2,)) ** 2).sum())
    np.testing.assert_allclose(w.array, 0.8 * start((2,)))
    assert optimizer.step() is None


def test_zero_grad():
    a, b = weight((2,)), weight((2,))
    optimizer = SGD([a, b])
    a.grad = grad = pellucid.ones(2, dtype=np.float64)
    optimizer.zero_grad(set_to_none=False)
    assert (grad.array == 0).all()
    assert np.shares_memory(a.grad.array, grad.array)
    assert b.grad is None
    (gx,) = pellucid.autograd.grad((a**3).sum(), a, create_graph=True)
    a.grad = gx
    optimizer.zero_grad(set_to_none=False)
    assert not a.grad.requires_grad
    optimizer.zero_grad()
    assert a.grad is None


def test_repr():
    assert repr(Adagrad([weight((2,)), weight((3,))])) == (
        "Adagrad (\nParameter Group 0\n    eps: 1e-10\n    initial_accumulator_value: 0.0\n"
        "    lr: 0.01\n    lr_decay: 0.0\n    weight_decay: 0.0\n)"
    )


def test_the_base_needs_a_subclass():
    with pytest.raises(NotImplementedError):
        Optimizer([weight()], {"lr": 0.1})


def test_memory_stays_over_200_steps_without_the_collector():
    pellucid.manual_seed(0)
    x, labels = pellucid.randn(16, 8), pellucid.randn(16, 1)
    w1 = (pellucid.randn(8, 32) * 0.3).requires_grad_()
    w2 = (pellucid.randn(32, 1) * 0.3).requires_grad_()
    optimizer = Adam([w1, w2], lr=0.01)

    def train():
        optimizer.zero_grad()
        loss = (((x @ w1).tanh() @ w2 - labels) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    def in_arrays() -> int:
        numpy_only = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
        return sum(t.size for t in tracemalloc.take_snapshot().filter_traces([numpy_only]).traces)

    losses = [train() for _ in range(10)]
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        losses.append(train())
        objects, held = len(gc.get_objects()), in_arrays()
        losses += [train() for _ in range(200)]
        assert in_arrays() <= held + w1.array.nbytes  # the gradients of all steps: 200 times it
        assert len(gc.get_objects()) < objects + 50
    finally:
        tracemalloc.stop()
        gc.enable()
    assert losses[-1] < losses[0] / 2


# --- messages -------------------------------------------------------------------------------------

PASS = "\n  fix: pass model.parameters(), a list of tensors, or a list of dicts"
NO_LIST = "not a list of tensors or of groups" + PASS
READ_ONLY = np.broadcast_to(np.float32(1), (2,))


def twice():
    w = weight((2,))
    return [w, w]


WRONG_PARAMETERS = {
    "empty": (
        list,
        ArgumentError,
        "SGD: there are no parameters\n  fix: pass model.parameters(), and a generator only once",
    ),
    "tensor": (weight, DTypeError, f"SGD: params is a Tensor, {NO_LIST}"),
    "set": (set, DTypeError, f"SGD: params is a set, {NO_LIST}"),
    "dict": (dict, DTypeError, f"SGD: params is a dict, {NO_LIST}"),
    "array": (
        lambda: [np.ones(2)],
        DTypeError,
        "SGD: parameter 0 of param group 0 is a ndarray, not a Tensor" + PASS,
    ),
    "twice": (
        twice,
        ArgumentError,
        "SGD: parameter 1 of param group 0 of shape (2,) occurs twice\n"
        "  fix: pass each parameter once",
    ),
    "twice in groups": (
        lambda: [{"params": p} for p in twice()],
        ArgumentError,
        "SGD: parameter 0 of param group 1 of shape (2,) occurs twice\n"
        "  fix: pass each parameter once",
    ),
    "no leaf": (
        lambda: [weight((2,)) * 2],
        ArgumentError,
        "SGD: parameter 0 of param group 0 of shape (2,) is not a leaf but the output of Mul\n"
        "  fix: optimize the tensor it was computed from, or its detach().clone()",
    ),
    "read-only": (
        lambda: [pellucid.Tensor(READ_ONLY)],
        ArgumentError,
        "SGD: parameter 0 of param group 0 of shape (2,) is read-only memory\n"
        "  fix: optimize a clone()",
    ),
    "no params": (
        lambda: [{"lr": 1.0}],
        ArgumentError,
        "SGD: param group 0 is no dict with the key 'params'\n"
        "  fix: write it as {'params': [...], 'lr': 0.1}",
    ),
    "tensor among groups": (
        lambda: [{"params": weight()}, weight()],
        ArgumentError,
        "SGD: param group 1 is no dict with the key 'params'\n"
        "  fix: write it as {'params': [...], 'lr': 0.1}",
    ),
    "unknown option": (
        lambda: [{"params": weight(), "learning_rate": 1.0}],
        ArgumentError,
        "SGD: param group 0 has the unknown option 'learning_rate'\n"
        "  fix: use lr, momentum, dampening, weight_decay, nesterov, maximize",
    ),
    "option of a group": (
        lambda: [{"params": weight(), "lr": -1.0}],
        ArgumentError,
        "SGD: lr=-1.0 is no number with 0 <= lr < inf\n  fix: use a number in that range",
    ),
}


@pytest.mark.parametrize(
    ("params", "kind", "message"), WRONG_PARAMETERS.values(), ids=WRONG_PARAMETERS
)
def test_wrong_parameters(params, kind, message):
    with pytest.raises(kind) as caught:
        SGD(params())
    assert str(caught.value) == message


def test_an_option_changed_later_is_checked_too():
    w = weight()
    optimizer = SGD([w])
    optimizer.param_groups[0]["lr"] = "0.1"
    with pytest.raises(ArgumentError) as caught:
        optimizer.step()
    assert str(caught.value) == (
        "SGD: lr='0.1' is no number with 0 <= lr < inf\n  fix: use a number in that range"
    )


def test_a_refused_group_leaves_the_optimizer_as_it_was():
    a, b = weight(), weight()
    optimizer = SGD([a])
    with pytest.raises(ArgumentError):
        optimizer.add_param_group({"params": [b, a]})
    assert optimizer.state_dict()["param_groups"][0]["params"] == [0]
    optimizer.add_param_group({"params": [b]})


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), None, [0.1], 2.0])
def test_numbers_out_of_range(value):
    with pytest.raises(ArgumentError) as caught:
        number("Adam", "betas[0]", value, below=2, positive=True)
    assert str(caught.value) == (
        f"Adam: betas[0]={value!r} is no number with 0 < betas[0] < 2\n"
        "  fix: use a number in that range"
    )
    assert type(number("Adam", "eps", np.float32(0))) is float


def test_gradients_set_by_hand_must_fit():
    w = weight((2, 3))
    w.grad = pellucid.zeros(3, 2, dtype=np.float64)
    with pytest.raises(ShapeError) as shape:
        SGD([w]).step()
    assert str(shape.value) == (
        "SGD: a gradient has shape (3, 2), its parameter (2, 3)\n"
        "  fix: set .grad to a tensor of the parameter's shape"
    )
    w.grad = pellucid.zeros(2, 3)
    with pytest.raises(DTypeError) as dtype:
        SGD([w]).step()
    assert str(dtype.value) == (
        "SGD: the gradient of a parameter of shape (2, 3) is float32, the parameter float64\n"
        "  fix: set .grad to a tensor of the parameter's dtype"
    )
    w.grad = np.zeros((2, 3))
    with pytest.raises(DTypeError, match="is a ndarray, not a Tensor"):
        SGD([w]).step()


def saved(kind=SGD, shapes=((2,),), **change):
    """The state dict of a stranger, some of it changed."""
    params = [weight(shape) for shape in shapes]
    optimizer = kind(params, **({"momentum": 0.9} if kind is SGD else {}))
    descend(pellucid, optimizer, params, range(1))
    return {**optimizer.state_dict(), **change}


def without(option):
    state = saved()
    del state["param_groups"][0][option]
    return state


MISFITS = {
    "no dict": (lambda: None, "the state dict has no 'param_groups'"),
    "no groups": (lambda: {"state": {}}, "the state dict has no 'param_groups'"),
    "no state": (lambda: {"param_groups": []}, "the state dict has no 'state'"),
    "groups": (
        lambda: saved(param_groups=[]),
        "the state dict has 0 param groups, the optimizer 1",
    ),
    "option": (
        lambda: without("dampening"),
        "param group 0 of the state dict has no 'dampening'",
    ),
    "parameters": (
        lambda: saved(shapes=[(2,), (3,)]),
        "param group 0 of the state dict has 2 parameters, that of the optimizer 1",
    ),
    "shape": (
        lambda: saved(shapes=[(3,)]),
        "'momentum_buffer' of parameter 0 has shape (3,), the parameter (2,)",
    ),
    "unknown parameter": (
        lambda: saved(state={5: {}}),
        "there is a state of parameter 5, which is in no group",
    ),
    "unknown entry": (
        lambda: saved(state={0: {"exp_avg": pellucid.zeros(2)}}),
        "the state of parameter 0 has 'exp_avg', unknown to SGD",
    ),
    "other optimizer": (
        lambda: saved(Adam),
        "param group 0 of the state dict has no 'momentum'",
    ),
}


@pytest.mark.parametrize(("state", "rule"), MISFITS.values(), ids=MISFITS)
def test_a_state_dict_that_does_not_fit_changes_nothing(state, rule):
    w = weight((2,))
    optimizer = SGD([w], lr=0.3)
    with pytest.raises(StateError) as caught:
        optimizer.load_state_dict(state())
    assert str(caught.value) == (
        f"SGD: {rule}\n  fix: load it into an optimizer made like the one it was saved from"
    )
    assert optimizer.param_groups[0]["lr"] == 0.3
    assert not optimizer.state
