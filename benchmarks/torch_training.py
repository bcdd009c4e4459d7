"""PyTorch's side of train.py, as its experts run it.

Three variants: contiguous; channels-last, weights included; and the latter compiled. Denormals are
flushed, pages are huge (from the environment, see driver.py), Adam is fused, gradients are set to
None. Inference runs in inference_mode, with each batch norm folded into its convolution, and with
frozen weights where it is compiled. Next room: torch_models.py.
"""

from __future__ import annotations

import os
import time
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from benchmarks.torch_models import MODELS
from benchmarks.train_worker import (
    COMPILED,
    LEARNING_RATE,
    TOLERANCE,
    TRAINING,
    Job,
    Learner,
    Step,
    weights,
)
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.profiler import ProfilerActivity, profile


class Library:
    """What train_worker.py asks for."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self.flushes = torch.set_flush_denormal(True)
        assert torch.get_num_threads() == threads

    def settings(self) -> dict[str, str]:
        wanted = "THP_MEM_ALLOC_ENABLE", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"
        given = [f"{name}={os.environ[name]}" for name in wanted if name in os.environ]
        return {
            "torch": torch.__version__,
            "torch instruction set": torch.backends.cpu.get_cpu_capability(),
            "flush denormals": str(self.flushes),
            "torch environment": " ".join(given),
            "training of torch": "Adam(fused=True), zero_grad(set_to_none=True)",
            "inference of torch": "inference_mode, batch norm folded, compiled with freezing",
            "compiled": "torch.compile of the channels-last model",
        }

    def prepare(self, job: Job, variant: str, mode: str) -> Step:
        model, x = MODELS[job.model](**job.options), torch.from_numpy(job.x()).clone()
        start_from_weights(model)
        if mode != TRAINING:
            fold(model.eval())
        if variant != "contiguous":
            model = model.to(memory_format=torch.channels_last)
            x = x.contiguous(memory_format=torch.channels_last)
        if mode == TRAINING:
            return training(model, x, torch.from_numpy(job.target()), variant == COMPILED)
        return inference(model, x, variant == COMPILED)

    def learner(self, seed: int, rate: float) -> Learner:
        """Make it channels-last, which takes it the least time."""
        model = MODELS["lenet"]()
        start_from_weights(model, seed)
        model = model.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)

        def learn(x: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
            loss = nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(target))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss.item()

        def classes(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            with torch.inference_mode():
                return model(torch.from_numpy(x)).argmax(1).numpy()

        return Learner(learn, classes)

    def by_op(self, step: Step, count: int) -> tuple[dict[str, float], float]:
        with profile(activities=[ProfilerActivity.CPU]) as found:
            began = time.perf_counter()
            for _ in range(count):
                step()
            whole = time.perf_counter() - began
        return {op.key: op.self_cpu_time_total / 1e6 for op in found.key_averages()}, whole

    def as_numbers(self, answer: Any) -> list[float]:
        return [float(number) for number in answer.detach()[:1].reshape(-1)[:100]]


def start_from_weights(model: nn.Module, seed: int = 0) -> None:
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, array in weights({name: tuple(p.shape) for name, p in parameters.items()}, seed):
            parameters[name].copy_(torch.from_numpy(array))


def fold(model: nn.Module) -> None:
    """Fold each batch norm into the convolution that stands before it in the same module."""
    for parent in list(model.modules()):
        children = list(parent.named_children())
        for (name, conv), (after, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, after, nn.Identity())


def training(model: nn.Module, x: Tensor, target: Tensor, compiled: bool) -> Step:
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    call: Any = torch.compile(model) if compiled else model

    def step() -> Any:
        loss = nn.functional.cross_entropy(call(x), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach().reshape(1)

    return step


def inference(model: nn.Module, x: Tensor, compiled: bool) -> Step:
    call: Any = compiled_for_inference(model, x) if compiled else model

    def step() -> Any:
        with torch.inference_mode():
            return call(x)

    return step


def compiled_for_inference(model: nn.Module, x: Tensor) -> Any:
    """Return the compiled model, with frozen weights where its answers are then those of the model.

    PyTorch 2.13 freezes something wrong in ResNet-20: other answers each time.
    """
    frozen = torch.compile(model, options={"freezing": True})
    with torch.inference_mode():
        wanted = model(x)
        error = (frozen(x) - wanted).abs().max() / wanted.abs().max()
    return frozen if error <= TOLERANCE else torch.compile(model)
