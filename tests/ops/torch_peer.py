"""One comparison with PyTorch: values, gradients, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pellucid

torch = pytest.importorskip("torch")
torch.set_num_threads(1)  # arrays are small, and threads would wait for each other


def weights(shape: tuple[int, ...], k: int) -> np.ndarray:
    """Numbers without pattern or symmetry, for the gradients to start from."""
    size = int(np.prod(shape))
    return np.cos(1.0 + 0.7 * np.arange(size) + 0.3 * k).reshape(shape)


def _orders(f: Callable[..., Any], inputs: list, grad: Callable[..., Any], wrap: Any) -> list:
    """f, its gradients in a direction gy, and their gradients in other directions."""
    y = f(*inputs)
    y = y[0] if isinstance(y, tuple) else y
    leaves = [x for x in inputs if x.requires_grad]
    gy = wrap(weights(tuple(y.shape), 0))
    first = grad([y], leaves, [gy], create_graph=True)
    starts = [wrap(weights(tuple(g.shape), k + 1)) for k, g in enumerate(first)]
    kept = [(g, start) for g, start in zip(first, starts, strict=True) if g.requires_grad]
    second = grad(
        [g for g, _ in kept], [*leaves, gy], [start for _, start in kept], allow_unused=True
    )
    return [y, *first, *second]


def _ours(array: np.ndarray) -> pellucid.Tensor:
    return pellucid.Tensor(array.copy(), requires_grad=array.dtype.kind == "f")


def _theirs(array: np.ndarray) -> Any:
    return torch.tensor(array, requires_grad=array.dtype.kind == "f")


def assert_like_torch(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    *arrays: np.ndarray,
    tolerance: float = 1e-10,
) -> None:
    """Hold two functions of the same arrays against each other, in float64 to second order.

    Every float array requires grad. A gradient that one side does not have is zero on the other.
    """
    found = _orders(ours, [_ours(a) for a in arrays], pellucid.autograd.grad, _ours)
    wanted = _orders(theirs, [_theirs(a) for a in arrays], torch.autograd.grad, _theirs)
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        shape = next((tuple(y.shape) for y in (a, b) if y is not None), ())
        pair = [
            np.zeros(shape) if a is None else a.detach().numpy(),
            np.zeros(shape) if b is None else b.detach().numpy(force=True),
        ]
        np.testing.assert_allclose(*pair, rtol=tolerance, atol=tolerance, err_msg=f"output {k}")
