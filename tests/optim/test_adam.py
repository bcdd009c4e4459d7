import math

import numpy as np
import pytest
from optim.descent import descend, gradient, start

import pellucid
from pellucid.errors import ArgumentError
from pellucid.optim import Adam, AdamW


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_against_algorithm_1_of_the_paper(kind, amsgrad):
    lr, beta1, beta2, eps, decay = 0.05, 0.8, 0.7, 1e-3, 0.1
    x = start((6,))
    w = pellucid.Tensor(x.copy(), requires_grad=True)
    optimizer = kind([w], lr, (beta1, beta2), eps, decay, amsgrad)
    m, v, top = np.zeros(6), np.zeros(6), np.zeros(6)
    for t in range(1, 8):
        descend(pellucid, optimizer, [w], [t])
        g = gradient(x, t)
        if kind is Adam:
            g = g + decay * x
        else:
            x = x - lr * decay * x
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        top = np.maximum(top, v)
        m_hat, v_hat = m / (1 - beta1**t), (top if amsgrad else v) / (1 - beta2**t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + eps)
    np.testing.assert_allclose(w.array, x, rtol=1e-12)
    assert ("max_exp_avg_sq" in optimizer.state[w]) == amsgrad
    if amsgrad:
        assert (top > v).any()


def test_defaults():
    w = pellucid.zeros(1)
    assert Adam([w]).defaults["weight_decay"] == 0
    assert AdamW([w]).defaults["weight_decay"] == 0.01


def test_the_first_step_is_the_learning_rate():
    w = pellucid.tensor([1.0, 1.0], dtype=np.float64)
    w.grad = pellucid.tensor([1e-3, -1e3], dtype=np.float64)
    Adam([w], lr=0.1).step()
    assert w.tolist() == [pytest.approx(0.9, rel=1e-5), pytest.approx(1.1, rel=1e-5)]
    assert math.isfinite(w.array.sum())


WRONG = [
    ({"lr": -1}, "lr=-1 is no number with 0 <= lr < inf"),
    ({"eps": -1e-8}, "eps=-1e-08 is no number with 0 <= eps < inf"),
    ({"weight_decay": None}, "weight_decay=None is no number with 0 <= weight_decay < inf"),
    ({"betas": (1.0, 0.9)}, "betas[0]=1.0 is no number with 0 <= betas[0] < 1"),
    ({"betas": (0.9, -0.1)}, "betas[1]=-0.1 is no number with 0 <= betas[1] < 1"),
]


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize(("options", "rule"), WRONG, ids=str)
def test_options_out_of_range(kind, options, rule):
    with pytest.raises(ArgumentError) as caught:
        kind([pellucid.zeros(1)], **options)
    assert str(caught.value) == f"{kind.__name__}: {rule}\n  fix: use a number in that range"


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999)])
def test_betas_are_a_pair(betas):
    with pytest.raises(ArgumentError) as caught:
        Adam([pellucid.zeros(1)], betas=betas)
    assert str(caught.value) == (
        f"Adam: betas={betas!r} is not a pair of numbers\n  fix: use (0.9, 0.999)"
    )
