"""pellucid's side of train.py: a step as a user writes it. Next room: torch_training.py."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from benchmarks.train_worker import LEARNING_RATE, TRAINING, Job, Learner, Step, weights

import pellucid
from pellucid import models, nn, optim
from pellucid.kernels.layout import as_channels_last
from pellucid.kernels.native import module
from pellucid.profiler import profile


class Library:
    """What train_worker.py asks for."""

    def __init__(self, threads: int) -> None:
        pellucid.set_num_threads(threads)

    def settings(self) -> dict[str, str]:
        return {
            "pellucid": pellucid.__version__,
            "engine": "NumPy kernels" if module is None else f"native, {module.isa()}",
            "inference of pellucid": "optimize_for_inference, no_grad",
            "numpy": np.__version__,
        }

    def prepare(self, job: Job, variant: str, mode: str) -> Step:
        model = getattr(models, job.model)(**job.options)
        start_from_weights(model)
        x = pellucid.from_numpy(as_channels_last(job.x()))
        if mode == TRAINING:
            return training(model, x, pellucid.from_numpy(job.target()))
        return inference(model, x)

    def learner(self, seed: int, rate: float) -> Learner:
        model = models.lenet()
        start_from_weights(model, seed)
        optimizer = optim.Adam(model.parameters(), lr=rate)

        def learn(x: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
            scores = model(pellucid.from_numpy(x))
            loss = nn.functional.cross_entropy(scores, pellucid.from_numpy(target))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        def classes(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            with pellucid.no_grad():
                return np.argmax(model(pellucid.from_numpy(x)).numpy(), axis=1)

        return Learner(learn, classes)

    def by_op(self, step: Step, count: int) -> tuple[dict[str, float], float]:
        with profile() as found:
            for _ in range(count):
                step()
        seconds: Counter[str] = Counter()
        for event in found.events:
            seconds[f"{event.name} {event.phase}"] += event.own
        return dict(seconds), found.seconds

    def as_numbers(self, answer: Any) -> list[float]:
        head = answer.detach().array[:1]
        return [float(number) for number in np.ravel(head)[:100]]


def start_from_weights(model: nn.Module, seed: int = 0) -> None:
    parameters = dict(model.named_parameters())
    with pellucid.no_grad():
        for name, array in weights({name: p.shape for name, p in parameters.items()}, seed):
            parameters[name].copy_(array)


def training(model: nn.Module, x: pellucid.Tensor, target: pellucid.Tensor) -> Step:
    optimizer = optim.Adam(model.parameters(), lr=LEARNING_RATE)

    def step() -> Any:
        loss = nn.functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach().reshape(1)

    return step


def inference(model: nn.Module, x: pellucid.Tensor) -> Step:
    fast = pellucid.optimize_for_inference(model)

    def step() -> Any:
        with pellucid.no_grad():
            return fast(x)

    return step
