import numpy as np
import pytest
from optim.descent import descend, gradient, start

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import SGD

OPTIONS = [
    {},
    {"weight_decay": 0.1},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"momentum": 0.5, "maximize": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_against_the_formula(options):
    momentum, decay = options.get("momentum", 0), options.get("weight_decay", 0)
    x, buffer = start((6,)), None
    w = pellucid.Tensor(x.copy(), requires_grad=True)
    optimizer = SGD([w], lr=0.05, **options)
    for t in range(5):
        descend(pellucid, optimizer, [w], [t])
        g = gradient(x, t) * (-1 if options.get("maximize") else 1) + decay * x
        taken = 1 - options.get("dampening", 0)
        buffer = g if buffer is None else momentum * buffer + taken * g
        x = x - 0.05 * (g + momentum * buffer if options.get("nesterov") else buffer * 1.0)
        if not momentum:
            buffer = None
    np.testing.assert_allclose(w.array, x, rtol=1e-13)
    assert bool(optimizer.state[w]) == bool(momentum)


@pytest.mark.parametrize("name", ["lr", "momentum", "dampening", "weight_decay"])
def test_negative_options(name):
    with pytest.raises(ArgumentError) as caught:
        SGD([pellucid.zeros(1)], **{name: -0.5})
    assert str(caught.value) == (
        f"SGD: {name}=-0.5 is no number with 0 <= {name} < inf\n  fix: use a number in that range"
    )


@pytest.mark.parametrize(("momentum", "dampening"), [(0, 0), (0.9, 0.1)])
def test_nesterov_needs_momentum_without_dampening(momentum, dampening):
    with pytest.raises(ArgumentError) as caught:
        SGD([pellucid.zeros(1)], momentum=momentum, dampening=dampening, nesterov=True)
    assert str(caught.value) == (
        "SGD: nesterov=True needs momentum > 0 and dampening = 0, got "
        f"momentum={momentum:g} and dampening={dampening:g}\n"
        "  fix: use momentum=0.9, dampening=0, or nesterov=False"
    )


def test_a_loaded_state_lies_as_its_parameter():
    row_major, turned = pellucid.zeros(2, 3), pellucid.Tensor(np.zeros((3, 2), np.float32).T)
    row_major.grad = pellucid.ones(2, 3)
    optimizer, other = SGD([row_major], momentum=0.9), SGD([turned], momentum=0.9)
    optimizer.step()
    other.load_state_dict(optimizer.state_dict())
    assert other.state[turned]["momentum_buffer"].array.strides == turned.array.strides
