"""Every optimizer beside PyTorch's for 20 steps, through a state dict in the middle."""

import numpy as np
import pytest
from optim.descent import descend, start

import pellucid
from pellucid import optim

torch = pytest.importorskip("torch")

OPTIONS = [
    ("SGD", {"lr": 0.03}),
    ("SGD", {"lr": 0.03, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.07}),
    ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.07}),
    ("SGD", {"lr": 0.005, "momentum": 0.7, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.3, 0.5), "eps": 1e-2, "weight_decay": 0.2}),
    ("Adam", {"lr": 0.1, "betas": (0.9, 0.6), "amsgrad": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.1, "betas": (0.0, 0.0)}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": (0.7, 0.9), "weight_decay": 0.3, "amsgrad": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.3, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.3, "initial_accumulator_value": 0.7}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.4, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.6}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "centered": True}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.7, "centered": True, "momentum": 0.9}),
]
SHAPES = [(3, 4), (), (2, 3, 1, 5)]


def run(library, kind, options, dtype, resume):
    """Return the weights after 20 steps, in two groups, from one optimizer or from two."""
    parameters = [library.from_numpy(start(shape, dtype)) for shape in SHAPES]

    def make():
        groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.011}]
        return kind(groups, **options)

    optimizer = make()
    descend(library, optimizer, parameters, range(10))
    if resume:
        state, optimizer = optimizer.state_dict(), make()
        optimizer.load_state_dict(state)
    descend(library, optimizer, parameters, range(10, 20))
    return [p.numpy() for p in parameters]


@pytest.mark.parametrize("resume", [False, True], ids=["through", "resumed"])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-5)], ids=str)
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_twenty_steps(name, options, dtype, rtol, resume):
    ours = run(pellucid, getattr(optim, name), options, dtype, resume)
    theirs = run(torch, getattr(torch.optim, name), options, dtype, resume)
    for w, expected, shape in zip(ours, theirs, SHAPES, strict=True):
        assert w.dtype == expected.dtype == dtype
        np.testing.assert_allclose(w, expected, rtol=rtol, atol=rtol * np.abs(expected).max())
        assert w.size == 1 or (w != start(shape, dtype)).any()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop"])
def test_defaults(name):
    ours = getattr(optim, name)([pellucid.zeros(1)])
    theirs = getattr(torch.optim, name)([torch.zeros(1)])
    assert ours.defaults == {option: theirs.defaults[option] for option in ours.defaults}
    w, v = pellucid.ones(3), torch.ones(3)
    ours, theirs = getattr(optim, name)([w]), getattr(torch.optim, name)([v])
    descend(pellucid, ours, [w], range(1))
    descend(torch, theirs, [v], range(1))
    state = theirs.state_dict()["state"]
    for entry, value in ours.state_dict()["state"][0].items():
        np.testing.assert_allclose(np.asarray(value), state[0][entry].numpy(), rtol=1e-6)
