"""Little descents for the tests of optimizers: a gradient that depends on the weights."""

from __future__ import annotations

import numpy as np


def gradient(w, step: int):
    """A gradient with curvature, noise of its own at each step, and elements that stay zero."""
    noise = np.random.default_rng([step, w.size]).standard_normal(w.shape)
    found = 2 * w * np.linspace(0.1, 3, w.size).reshape(w.shape) + noise
    if w.size > 1:
        found.reshape(-1)[0] = 0
    return np.asarray(found, w.dtype)


def start(shape, dtype=np.float64):
    return np.asarray(np.random.default_rng(7).standard_normal(shape), dtype)


def descend(library, optimizer, parameters, steps) -> None:
    """Take steps with tensors of pellucid or of PyTorch, which have the same names for it all."""
    for step in steps:
        for p in parameters:
            p.grad = library.from_numpy(gradient(p.detach().numpy(), step))
        optimizer.step()
