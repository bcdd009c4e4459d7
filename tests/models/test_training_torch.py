"""Every model beside its twin in torch.nn: twenty steps in float64, three in float32.

The twins of benchmarks/torch_models.py are written by hand and share no code with ours; loading the
state of one into the other by name, in both directions, shows that the names agree. Networks are
narrow here; in their own width they are marked `full`.

Where training is chaotic, it is so for PyTorch beside itself: ResNet-50 in its two layouts is 4 %
apart after twenty steps of SGD with lr=1e-3 in float64, and in its own width 9e-9 with lr=1e-5 (and
8e-4 after three in float32 with lr=1e-6). Such models get a smaller rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import pellucid
from pellucid import models, optim
from pellucid.models.resnet import BasicBlock, Bottleneck, ResNet, SmallResNet
from pellucid.models.unet import UNet
from pellucid.models.vgg import VGG

torch = pytest.importorskip("torch")

NARROW = ((8,), (16,), (32, 32), (64, 64), (64, 64))


class Case(NamedTuple):
    """A model, the builder of its twin and its options, the shape of x, and the rate of SGD."""

    make: Callable[[], Any]
    twin: str
    options: dict[str, Any]
    x_shape: tuple[int, ...]
    rate: float = 1e-3


SMALL = {
    "lenet": Case(models.lenet, "lenet", {}, (4, 1, 28, 28)),
    "resnet20": Case(
        lambda: SmallResNet(3, 10, width=4),
        "resnet20",
        {"width": 4},
        (4, 3, 16, 16),
    ),
    "resnet18": Case(
        lambda: ResNet(BasicBlock, (2, 2, 2, 2), 10, width=8),
        "resnet18",
        {"num_classes": 10, "width": 8},
        (4, 3, 48, 40),
    ),
    "resnet34": Case(
        lambda: ResNet(BasicBlock, (3, 4, 6, 3), 10, width=4),
        "resnet34",
        {"num_classes": 10, "width": 4},
        (4, 3, 40, 40),
    ),
    "resnet50": Case(
        lambda: ResNet(Bottleneck, (3, 4, 6, 3), 10, width=4),
        "resnet50",
        {"num_classes": 10, "width": 4},
        (4, 3, 64, 64),
        1e-5,
    ),
    "vgg11": Case(
        lambda: VGG(NARROW, 10, dropout=0.0, hidden=32),
        "vgg11",
        {"num_classes": 10, "dropout": 0.0, "width": 8, "hidden": 32},
        (4, 3, 32, 48),
    ),
    "mobilenet_v2": Case(
        lambda: models.mobilenet_v2(10, dropout=0.0),
        "mobilenet_v2",
        {"num_classes": 10, "dropout": 0.0},
        (4, 3, 64, 64),
        1e-5,
    ),
    "unet": Case(lambda: UNet(1, 2, base=4), "unet", {"width": 4}, (2, 1, 32, 16)),
}
NARROWED = [name for name in SMALL if name not in ("lenet", "mobilenet_v2")]


def whole(name: str) -> Case:
    """Return the case of a model in its own width, on the same small images."""
    options = {"dropout": 0.0} if name == "vgg11" else {}
    make = getattr(models, name)
    rate = 1e-6 if name == "resnet50" else 1e-5
    return Case(lambda: make(**options), name, options, SMALL[name].x_shape, rate)


SLOW = ("mobilenet_v2",)  # it has no narrow form
CASES = [
    *[
        pytest.param(case, id=name, marks=[pytest.mark.slow] * (name in SLOW))
        for name, case in SMALL.items()
    ],
    *[pytest.param(whole(name), id=f"{name}-whole", marks=pytest.mark.full) for name in NARROWED],
]
TOLERANCES = {"SGD": 1e-9, "Adam": 1e-7}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """Two pools of threads in one process wait for each other."""
    before = pellucid.get_num_threads(), torch.get_num_threads()
    pellucid.set_num_threads(1)
    torch.set_num_threads(1)
    yield
    pellucid.set_num_threads(before[0])
    torch.set_num_threads(before[1])


def pair(case: Case, dtype: str) -> tuple[Any, Any]:
    """Return our model and its twin, with the same parameters and buffers under the same names."""
    from benchmarks import torch_models

    pellucid.manual_seed(1)
    ours, theirs = case.make(), torch_models.MODELS[case.twin](**case.options)
    ours, theirs = (ours.double(), theirs.double()) if dtype == "float64" else (ours, theirs)
    state = {name: torch.tensor(x.numpy()) for name, x in ours.state_dict().items()}
    theirs.load_state_dict(state, strict=True)
    return ours, theirs


def batches(case: Case, theirs: Any, dtype: str, steps: int) -> Any:
    """Yield x and the classes, of images or, where the output has an image's size, of pixels."""
    rng = np.random.default_rng(0)
    with torch.no_grad():
        N, classes, *size = theirs.eval()(
            torch.zeros(case.x_shape, dtype=getattr(torch, dtype))
        ).shape
    theirs.train()
    for _ in range(steps):
        yield rng.normal(size=case.x_shape).astype(dtype), rng.integers(0, classes, (N, *size))


def train(library: Any, net: Any, optimizer: Any, data: Any) -> list[float]:
    """Return the loss of each step."""
    losses = []
    for x, target in data:
        y = net(library.tensor(x))
        loss = library.nn.functional.cross_entropy(y, library.tensor(target))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def distance(ours: Any, theirs: Any) -> float:
    """Return the norm of the difference of all parameters, as part of their norm."""
    found, right = (
        np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])
        for net in (ours, theirs)
    )
    return float(np.linalg.norm(found - right) / np.linalg.norm(right))


@pytest.mark.parametrize("optimizer", TOLERANCES)
@pytest.mark.parametrize("case", CASES)
def test_twenty_steps_in_float64(case: Case, optimizer: str) -> None:
    tolerance = TOLERANCES[optimizer]
    options = {"lr": case.rate, "momentum": 0.9, "weight_decay": 5e-4}
    options = {"lr": 1e-4} if optimizer == "Adam" else options
    ours, theirs = pair(case, "float64")
    start = {name: p.detach().numpy().copy() for name, p in ours.named_parameters()}
    data = list(batches(case, theirs, "float64", 20))
    own = getattr(optim, optimizer)(ours.parameters(), **options)
    losses = train(pellucid, ours, own, data)
    their = getattr(torch.optim, optimizer)(theirs.parameters(), **options)
    right = train(torch, theirs, their, data)
    np.testing.assert_allclose(losses, right, rtol=tolerance, atol=0)
    assert distance(ours, theirs) <= tolerance
    assert all((p.detach().numpy() != start[name]).any() for name, p in ours.named_parameters())
    expected = dict(theirs.named_buffers())
    for name, buffer in ours.named_buffers():
        np.testing.assert_allclose(buffer.numpy(), expected[name].numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_three_losses_in_float32(case: Case) -> None:
    ours, theirs = pair(case, "float32")
    data = list(batches(case, theirs, "float32", 3))
    losses = train(pellucid, ours, optim.SGD(ours.parameters(), lr=case.rate / 10), data)
    right = train(torch, theirs, torch.optim.SGD(theirs.parameters(), lr=case.rate / 10), data)
    np.testing.assert_allclose(losses, right, rtol=1e-4, atol=0)


@pytest.mark.parametrize("case", CASES)
def test_a_state_of_the_twin_loads_and_evaluates_the_same(case: Case) -> None:
    ours, theirs = pair(case, "float64")
    with torch.no_grad():
        for x in theirs.state_dict().values():
            x.copy_(0.1 * torch.rand(x.shape) if x.is_floating_point() else torch.tensor(7))
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=case.x_shape)
    with torch.no_grad(), pellucid.no_grad():
        y, right = ours.eval()(pellucid.tensor(x)), theirs.eval()(torch.tensor(x))
    np.testing.assert_allclose(y.numpy(), right.numpy(), rtol=1e-10)
