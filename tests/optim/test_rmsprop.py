import numpy as np
import pytest
from optim.descent import descend, gradient, start

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import RMSprop


@pytest.mark.parametrize("momentum", [0.0, 0.6])
@pytest.mark.parametrize("centered", [False, True])
def test_against_the_formula(momentum, centered):
    x = start((6,))
    w = pellucid.Tensor(x.copy(), requires_grad=True)
    optimizer = RMSprop([w], 0.05, 0.8, 1e-3, 0.1, momentum, centered)
    v, a, b = np.zeros(6), np.zeros(6), np.zeros(6)
    for t in range(7):
        descend(pellucid, optimizer, [w], [t])
        g = gradient(x, t) + 0.1 * x
        v, a = 0.8 * v + 0.2 * g**2, 0.8 * a + 0.2 * g
        b = momentum * b + g / (np.sqrt(v - a**2 if centered else v) + 1e-3)
        x = x - 0.05 * b
    np.testing.assert_allclose(w.array, x, rtol=1e-12)
    names = ["square_avg", "grad_avg", "momentum_buffer"]
    kept = [names[0], *names[1:2] * centered, *names[2:] * bool(momentum)]
    assert list(optimizer.state[w]) == kept


def test_a_constant_gradient_has_no_variance_and_makes_no_nan():
    """Here v - a^2 falls below zero by rounding: PyTorch's weights become NaN."""
    w = pellucid.zeros(1000)
    w.grad = pellucid.Tensor(np.linspace(0.1, 1, 1000, dtype=np.float32))
    optimizer = RMSprop([w], lr=1e-9, alpha=0.5, centered=True)
    for _ in range(60):
        optimizer.step()
    v, a = (optimizer.state[w][name].array for name in ("square_avg", "grad_avg"))
    assert (v - a * a).min() < 0
    assert np.isfinite(w.array).all()


@pytest.mark.parametrize("name", ["lr", "eps", "weight_decay", "momentum"])
def test_negative_options(name):
    with pytest.raises(ArgumentError) as caught:
        RMSprop([pellucid.zeros(1)], **{name: -0.5})
    assert str(caught.value) == (
        f"RMSprop: {name}=-0.5 is no number with 0 <= {name} < inf\n"
        "  fix: use a number in that range"
    )


def test_alpha_is_below_one():
    with pytest.raises(ArgumentError) as caught:
        RMSprop([pellucid.zeros(1)], alpha=1)
    assert str(caught.value) == (
        "RMSprop: alpha=1 is no number with 0 <= alpha < 1\n  fix: use a number in that range"
    )
