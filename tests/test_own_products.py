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
from pellucid.models import digits_cnn, lenet, mobilenet_v2
from pellucid.models.resnet import BasicBlock, Bottleneck, ResNet, SmallResNet
from pellucid.models.unet import UNet
from pellucid.models.vgg import VGG

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


# A network, and the shape of a batch of images for it.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "digits": (digits_cnn, (32, 1, 8, 8)),
    "lenet": (lenet, (2, 1, 28, 28)),
    "lenet, one image": (lenet, (1, 1, 28, 28)),
    "resnet20": (lambda: SmallResNet(1, width=8), (4, 3, 16, 16)),
    "resnet18": (lambda: ResNet(BasicBlock, (1, 1), 10, width=8), (4, 3, 32, 32)),
    "resnet50": (lambda: ResNet(Bottleneck, (1, 1), 10, width=8), (4, 3, 32, 32)),
    "mobilenet_v2": (lambda: mobilenet_v2(10), (2, 3, 32, 32)),
    "vgg11": (lambda: VGG(((8,), (16, 16)), 10, hidden=32), (2, 3, 32, 32)),
    "unet": (lambda: UNet(1, 10, base=8, levels=2), (1, 1, 16, 16)),
}


def training_step(network: str = "digits") -> None:
    """Forward, loss, backward, gradient clipping and the optimizer's step."""
    pellucid.manual_seed(0)
    make, shape = NETWORKS[network]
    model = make()
    step = optim.Adam(model.parameters(), lr=0.01)
    y = model(pellucid.randn(*shape))
    N, classes, *size = y.shape
    labels = pellucid.randint(0, classes, (N, *size))
    loss = nn.functional.cross_entropy(y, labels)
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
