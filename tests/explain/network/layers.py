"""Random layers of all kinds with arrays for them, and one element by trying all indices."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import Any, NamedTuple

import numpy as np

import pellucid
from pellucid import nn
from pellucid.explain import record
from pellucid.tensor import Tensor

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


class Recorded(NamedTuple):
    """A layer whose backward pass was recorded, with what it was given."""

    layer: Any
    x: Tensor
    gy: np.ndarray


def run(layer: Any, x: np.ndarray, seed: int = 0) -> Recorded:
    """Record one forward and backward pass of a layer, with a random gy."""
    leaf = pellucid.tensor(x, requires_grad=True)
    y = layer(leaf)
    gy = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    with record(layer):
        y.backward(pellucid.tensor(gy))
    return Recorded(layer, leaf, gy)


def draw(number: int, dtype: str = "float32") -> Recorded:
    """Return a layer that depends on the number alone; every other one is transposed."""
    rng = random.Random(f"network {number}")
    axes, groups, transposed = rng.choice([1, 2, 2, 3]), rng.choice([1, 1, 2, 3]), number % 2 == 1
    per_axis = range(axes)
    stride, dilation = (tuple(rng.choice([1, 1, 2, 3]) for _ in per_axis) for _ in range(2))
    kernel = tuple(rng.randint(1, 3) for _ in per_axis)
    size = tuple(rng.randint(3, 5) + d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    if not transposed:
        pairs = tuple((rng.randint(0, 2), rng.randint(0, 2)) for _ in per_axis)
        options["padding_pairs"] = pairs
    kind = (TRANSPOSED if transposed else CONV)[axes]
    channels = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
    pellucid.manual_seed(number)
    layer = kind(*channels, kernel, dtype=dtype, **options)
    x = np.random.default_rng(number).standard_normal((rng.randint(1, 3), channels[0], *size))
    return run(layer, x.astype(dtype), number)


def draw_linear(number: int, dtype: str = "float32") -> Recorded:
    """Return a Linear that depends on the number alone; some get inputs with more axes."""
    rng = random.Random(f"linear {number}")
    pellucid.manual_seed(number)
    layer = nn.Linear(rng.randint(1, 70), rng.randint(1, 70), dtype=dtype)
    lead = (rng.randint(1, 40),) if number % 3 else (rng.randint(1, 5), rng.randint(1, 5))
    x = np.random.default_rng(number).standard_normal((*lead, layer.in_features))
    return run(layer, x.astype(dtype), number)


def place_in(shape: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Return an index that depends on the number alone."""
    rng = random.Random(f"place {number}")
    return tuple(rng.randrange(size) for size in shape)


def looped(recorded: Recorded, grad: str, index: tuple[int, ...]) -> list[float]:
    """Return the terms of one element in float64, found by trying all windows and taps."""
    layer, gy = recorded.layer, recorded.gy.astype(np.float64)
    if isinstance(layer, nn.Linear):
        return _looped_linear(recorded, grad, index)
    x, w = recorded.x.array.astype(np.float64), layer.weight.array.astype(np.float64)
    if grad == "bias":
        return [float(value) for value in gy[:, index[0]].reshape(-1)]
    transposed = isinstance(layer, tuple(TRANSPOSED.values()))
    # the windows lie on `pixels`: those of x, or of y where the layer is transposed
    pixels, windows = (gy, x) if transposed else (x, gy)
    low = [0] * layer.axes if transposed else [pair[0] for pair in layer.padding_pairs]
    terms = []
    for a, b in product(range(w.shape[0]), range(w.shape[1])):
        g = a // (w.shape[0] // layer.groups)
        p = g * w.shape[1] + b  # the channel of pixels; `a` is that of the windows
        for tap, at in product(np.ndindex(w.shape[2:]), np.ndindex(windows.shape[2:])):
            pixel = tuple(
                i * s + u * d - pad
                for i, s, u, d, pad in zip(at, layer.stride, tap, layer.dilation, low, strict=True)
            )
            if not all(0 <= h < H for h, H in zip(pixel, pixels.shape[2:], strict=True)):
                continue
            for n in range(len(x)):
                input_at = (n, a, *at) if transposed else (n, p, *pixel)
                on_pixels, on_windows = pixels[(n, p, *pixel)], windows[(n, a, *at)]
                if grad == "weight" and (a, b, *tap) == index:
                    terms.append(float(on_pixels * on_windows))
                if grad == "input" and input_at == index:
                    terms.append(float((on_pixels if transposed else on_windows) * w[(a, b, *tap)]))
    return terms


def _looped_linear(recorded: Recorded, grad: str, index: tuple[int, ...]) -> list[float]:
    """The same of a Linear, where further axes of the input are counted in the first."""
    layer = recorded.layer
    x = recorded.x.array.astype(np.float64).reshape(-1, layer.in_features)
    gy = recorded.gy.astype(np.float64).reshape(-1, layer.out_features)
    w = layer.weight.array.astype(np.float64)
    if grad == "bias":
        return [float(row[index[0]]) for row in gy]
    first, second = index
    if grad == "weight":
        return [float(gy[n, first] * x[n, second]) for n in range(len(x))]
    return [float(gy[first, o] * w[o, second]) for o in range(len(w))]


def total(terms: list[float]) -> tuple[float, float]:
    """Return the sum of terms, and that of their magnitudes."""
    return math.fsum(terms), math.fsum(map(abs, terms))
