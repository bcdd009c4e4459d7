import numpy as np
import pytest
from optim.descent import descend, gradient, start

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import Adagrad


def test_against_the_formula():
    x, s = start((6,)), np.full(6, 0.3)
    w = pellucid.Tensor(x.copy(), requires_grad=True)
    optimizer = Adagrad([w], 0.2, lr_decay=0.1, weight_decay=0.05, initial_accumulator_value=0.3)
    for t in range(1, 8):
        descend(pellucid, optimizer, [w], [t])
        g = gradient(x, t) + 0.05 * x
        s = s + g**2
        x = x - 0.2 / (1 + (t - 1) * 0.1) * g / (np.sqrt(s) + 1e-10)
    np.testing.assert_allclose(w.array, x, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"]
)
def test_negative_options(name):
    with pytest.raises(ArgumentError) as caught:
        Adagrad([pellucid.zeros(1)], **{name: -0.5})
    assert str(caught.value) == (
        f"Adagrad: {name}=-0.5 is no number with 0 <= {name} < inf\n"
        "  fix: use a number in that range"
    )
