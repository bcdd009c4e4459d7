"""How often a training step copies an array because it lies otherwise: only where it must.

Every function of kernels/layout.py that may copy is watched wherever it was imported, and so are
the two copies of kernels/conv/direct.py, and ops whose result may or may not share memory with x.
What is found here is what ARCHITECTURE.md says under "Who owns memory".
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid import models, nn, optim
from pellucid.autograd import Function
from pellucid.kernels import layout
from pellucid.kernels.conv import direct
from pellucid.models.resnet import BasicBlock, ResNet
from pellucid.models.unet import UNet

WATCHED = layout.like, layout.as_channels_last, direct._copied, direct._adjacent_taps
# What else may copy x, for its shape.
OPS = "Reshape", "Permute", "Expand"
Shape = tuple[int, ...]


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, Shape]]:
    """Count what is copied from now on, by who copies it and its shape."""
    found: Counter[tuple[str, Shape]] = Counter()

    def watch(function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(x: Any, *rest: Any) -> Any:
            y = function(x, *rest)
            if not np.shares_memory(x, y):
                found[function.__name__, x.shape] += 1
            return y

        return watched

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "pellucid":
            for key, value in list(vars(module).items()):
                if any(value is function for function in WATCHED):
                    monkeypatch.setattr(module, key, watch(value))
    apply = Function.__dict__["_apply"].__func__

    def applied(op: type[Function], *args: Any) -> Any:
        y = apply(op, *args)
        if op.__name__ in OPS and not np.shares_memory(args[0].array, y.array):
            found[op.__name__, args[0].shape] += 1
        return y

    monkeypatch.setattr(Function, "_apply", classmethod(applied))
    return found


# A model, the shape of its images, and the copies of a step.
STEPS: dict[str, tuple[Callable[[], nn.Module], Shape, dict[tuple[str, Shape], int]]] = {
    "resnet20": (models.resnet20, (2, 3, 32, 32), {}),
    "resnet18": (lambda: ResNet(BasicBlock, (1, 1), 10, width=8), (2, 3, 32, 32), {}),
    "mobilenet_v2": (lambda: models.mobilenet_v2(10), (2, 3, 32, 32), {}),
    "unet": (lambda: UNet(3, 2, base=4, levels=2), (2, 3, 16, 16), {}),
    "lenet": (
        models.lenet,
        (2, 1, 28, 28),
        {("Reshape", (2, 32, 6, 6)): 1, ("like", (2, 32, 6, 6)): 1},
    ),
}


def step(model: nn.Module, optimizer: optim.Optimizer, x: Any) -> None:
    y = model(pellucid.from_numpy(x))
    target = pellucid.from_numpy(np.zeros((y.shape[0], *y.shape[2:]), np.int64))
    loss = nn.functional.cross_entropy(y, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@needs_native
@pytest.mark.parametrize("order", ["channels-last", "row-major"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_makes_only_the_copies_that_are_documented(name, order, copies) -> None:
    make, shape, wanted = STEPS[name]
    model = make()
    optimizer = optim.Adam(model.parameters())
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    if order == "channels-last":
        x = layout.as_channels_last(x)
        copies.clear()
    elif shape[1] > 1:  # of one channel, both are the same
        wanted = {**wanted, ("_copied", shape): 2}  # for y and for gw of the first layer
    for _ in range(2):
        step(model, optimizer, x)
        assert dict(copies) == wanted
        copies.clear()


@needs_native
def test_every_copy_is_counted(copies) -> None:
    x = np.zeros((2, 3, 4, 5), np.float32)
    last = layout.as_channels_last(x)
    layout.like(x, last)
    layout.like(x, x)
    w = np.zeros((2, 2, 3, 4), np.float32).transpose(3, 2, 1, 0)
    y = nn.functional.conv2d(pellucid.Tensor(x), pellucid.Tensor(w))
    y.reshape(-1)
    names = {name for name, _ in copies}
    assert names == {"as_channels_last", "like", "_copied", "_adjacent_taps", "Reshape"}
    assert sum(copies.values()) == 5
