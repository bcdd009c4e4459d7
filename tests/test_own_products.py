"""A training step on the native path asks NumPy for no matrix product.

NumPy's products run on threads of OpenBLAS, which go on spinning after a call and compete with
ours. No patch sees the operator `@` of arrays, so the step runs under a tracer, and no line that it
runs may have a product in its syntax: `@` or `@=`, or a call of something that is called `matmul`,
`dot`, `einsum` and so on. This covers every line of Python in pellucid and in NumPy itself (whose
`linalg.norm`, for one, is a `dot`); not what compiled code would do without being asked by name.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid import nn, optim
from pellucid.kernels import matmul
from pellucid.models import digits_cnn, lenet

FOLDERS = tuple(str(Path(package.__file__).parent) for package in (pellucid, np))
PRODUCTS = {
    "matmul", "dot", "vdot", "inner", "einsum", "tensordot", "multi_dot", "vecdot", "matvec",
    "vecmat", "matrix_power", "convolve", "correlate2d",
}  # fmt: skip


def is_product(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return isinstance(node.op, ast.MatMult)
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in (
        PRODUCTS
    )


@lru_cache
def product_lines(file: str) -> set[int]:
    """Return the numbers of the lines of a file that hold a part of a product."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    found: set[int] = set()
    for node in filter(is_product, ast.walk(tree)):
        found.update(range(node.lineno, node.end_lineno + 1))  # type: ignore[attr-defined]
    return found


def products(function: Callable[[], Any], folders: tuple[str, ...] = FOLDERS) -> set[str]:
    """Run a function and return the lines with products that ran, as `matmul.py: the line`."""
    ran: set[tuple[str, int]] = set()

    def note(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(folders):
            return None
        if event == "line":
            ran.add((frame.f_code.co_filename, frame.f_lineno))
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        function()
    finally:
        sys.settrace(before)
    return {
        f"{Path(file).name}: {linecache.getline(file, line).strip()}"
        for file, line in ran
        if line in product_lines(file)
    }


class Residual(nn.Module):
    """What residual networks are made of: a stem, a block with a shortcut, and a mean of pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.inner = nn.Sequential(
            nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16),
        )  # fmt: skip
        self.shortcut = nn.Sequential(nn.Conv2d(8, 16, 1, stride=2, bias=False), nn.BatchNorm2d(16))
        self.pool, self.linear = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 10)

    def forward(self, x: pellucid.Tensor) -> pellucid.Tensor:
        x = self.stem(x)
        return self.linear(self.pool((self.inner(x) + self.shortcut(x)).relu()).flatten(1))


# A network, and the shape of a batch of images for it.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "digits": (digits_cnn, (32, 1, 8, 8)),
    "lenet": (lenet, (2, 1, 28, 28)),
    "lenet, one image": (lenet, (1, 1, 28, 28)),
    "residual": (Residual, (4, 3, 16, 16)),
}


def training_step(network: str = "digits") -> None:
    """Forward, loss, backward, gradient clipping and the optimizer's step."""
    pellucid.manual_seed(0)
    make, shape = NETWORKS[network]
    model = make()
    step = optim.Adam(model.parameters(), lr=0.01)
    images, labels = pellucid.randn(*shape), pellucid.tensor(np.arange(shape[0]) % 10)
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    nn.clip_grad_norm_(model.parameters(), 1.0)
    step.step()


@needs_native
@pytest.mark.parametrize("network", NETWORKS)
def test_a_training_step_makes_its_own_products(network: str) -> None:
    assert products(lambda: training_step(network)) == set()


def test_the_fallback_is_noticed(monkeypatch) -> None:
    monkeypatch.setattr(matmul, "module", None)
    assert "matmul.py: y = np.matmul(a, b)" in products(training_step)


def test_every_way_to_a_product_is_noticed() -> None:
    a = np.ones((2, 2))

    def all_of_them() -> None:
        b = a @ a
        b @= a
        np.dot(a, a)
        a.dot(a)
        np.einsum("ij,jk->ik", a, a)
        np.linalg.norm(a + b)

    here = products(all_of_them, (__file__,))
    assert {line.partition(": ")[2] for line in here} == {
        "b = a @ a",
        "b @= a",
        "np.dot(a, a)",
        "a.dot(a)",
        'np.einsum("ij,jk->ik", a, a)',
    }
    assert any(".dot(" in line for line in products(lambda: np.linalg.norm(a)))
