"""Three training steps with nothing installed but the core: run by `.ci/run` after a bare install.

The network, its loss and the optimizer are the plain ones of a first lesson; the loss on one small
batch must fall with each step.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np

import pellucid
from pellucid import nn, optim

APP = {"typer", "rich", "jinja2", "matplotlib", "pooch"}


def main() -> None:
    """Train, and fail unless the loss falls each time and the extra stayed out."""
    pellucid.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 3 * 3, 10)
    )
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    generator = np.random.default_rng(0)
    x = pellucid.tensor(generator.standard_normal((16, 1, 8, 8)), dtype=pellucid.float32)
    labels = pellucid.tensor(np.arange(16) % 10)
    losses = []
    for _ in range(4):
        loss = nn.CrossEntropyLoss()(model(x), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("losses over three steps:", *(f"{loss:.4f}" for loss in losses))
    assert all(later < earlier for earlier, later in itertools.pairwise(losses)), losses
    assert not APP & set(sys.modules), APP & set(sys.modules)


if __name__ == "__main__":
    main()
