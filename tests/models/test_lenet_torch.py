"""Twenty steps of gradient descent on LeNet beside the same network of PyTorch, in float64."""

import numpy as np
import pytest

import pellucid
from pellucid.models import lenet
from pellucid.nn import functional

torch = pytest.importorskip("torch")

RATE = 0.05


def pytorch_lenet():
    layers = torch.nn
    return layers.Sequential(
        layers.Conv2d(1, 16, 5, padding=2),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Conv2d(16, 32, 3),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Flatten(),
        layers.Linear(1152, 256),
        layers.ReLU(),
        layers.Linear(256, 10),
    ).double()


def test_twenty_steps():
    ours, theirs = lenet().double(), pytorch_lenet()
    own = list(ours.parameters())
    with torch.no_grad():
        for ours_p, theirs_p in zip(own, theirs.parameters(), strict=True):
            theirs_p.copy_(torch.tensor(ours_p.array))
    rng, losses = np.random.default_rng(0), []
    for _ in range(20):
        x, target = rng.normal(size=(4, 1, 28, 28)), rng.integers(0, 10, 4)
        our_loss = functional.cross_entropy(ours(pellucid.tensor(x)), pellucid.tensor(target))
        their_loss = torch.nn.functional.cross_entropy(
            theirs(torch.tensor(x)), torch.tensor(target)
        )
        our_loss.backward()
        their_loss.backward()
        np.testing.assert_allclose(our_loss.item(), their_loss.item(), rtol=1e-9)
        losses.append(our_loss.item())
        with pellucid.no_grad(), torch.no_grad():
            for ours_p, theirs_p in zip(own, theirs.parameters(), strict=True):
                np.testing.assert_allclose(
                    ours_p.grad.array, theirs_p.grad.numpy(), rtol=1e-7, atol=1e-11
                )
                ours_p.sub_(ours_p.grad, alpha=RATE)
                theirs_p.sub_(RATE * theirs_p.grad)
        ours.zero_grad()
        theirs.zero_grad()
    assert len(set(losses)) == 20
    for ours_p, theirs_p in zip(own, theirs.parameters(), strict=True):
        np.testing.assert_allclose(ours_p.array, theirs_p.detach().numpy(), rtol=1e-7, atol=1e-11)
