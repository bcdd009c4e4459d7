"""A layer's derivation against the backward pass of the op, and against SymPy's derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

import pellucid
from pellucid.explain import Derivation

GRADIENTS = {"grad_input": "x", "grad_weight": "w", "grad_bias": "b"}


def random(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return random numbers without ties."""
    return np.random.default_rng(seed).standard_normal(shape)


def agrees_with_op(d: Derivation, op: Callable[..., pellucid.Tensor], **arrays: np.ndarray) -> None:
    """Hold forward and all gradients to the op and its backward pass, in float64.

    `op` takes the arrays but gy as tensors, by name; a loss is L itself and has no gy.
    """
    tensors = {
        name: pellucid.tensor(array, dtype="float64", requires_grad=name in "xwb")
        for name, array in arrays.items()
        if name != "gy"
    }
    y = op(**tensors)
    gy = pellucid.tensor(arrays["gy"], "float64") if "gy" in arrays else None
    y.backward(gy)
    close(d.forward.evaluate(**arrays), y.detach().numpy())
    for part, name in GRADIENTS.items():
        if part in d.parts and name in tensors:
            close(d.parts[part].evaluate(**arrays), tensors[name].grad.numpy())


def agrees_with_sympy(d: Derivation, **arrays: np.ndarray) -> None:
    """Hold every gradient to SymPy's derivative of L, the steps of forward put into each other."""
    sympy = pytest.importorskip("sympy")
    steps = [part for name, part in d.parts.items() if not name.startswith("grad_")]
    known: dict[object, object] = {}
    for part in steps:
        for e in part:
            known[sympy.Symbol(e.left.text())] = e.sympy().subs(known)
    numbers = {}
    for name, array in arrays.items():
        if name != "gy":
            for index in np.ndindex(*array.shape):
                symbol = sympy.Symbol(d.names.text(name, index, gradient=False))
                numbers[symbol] = sympy.Float(array[index], 30)
    outputs = [known[sympy.Symbol(e.left.text())] for e in d.forward]
    factors = arrays["gy"].ravel() if "gy" in arrays else [1.0]
    L = sympy.Add(*(sympy.Float(g, 30) * y for g, y in zip(factors, outputs, strict=True)))
    for part, name in GRADIENTS.items():
        if part not in d.parts or name not in arrays:
            continue
        found = d.parts[part].evaluate(**arrays)
        for index in np.ndindex(*found.shape):
            symbol = sympy.Symbol(d.names.text(name, index, gradient=False))
            expected = float(sympy.diff(L, symbol).subs(numbers).evalf())
            assert found[index] == pytest.approx(expected, rel=1e-9, abs=1e-12), (part, index)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """Hold two arrays to each other within the rounding of float64."""
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def texts(d: Derivation, name: str) -> list[str]:
    """Return all equations of a part as text."""
    return [str(e) for e in d.parts[name]]


def says(d: Derivation, lines: Mapping[str, str]) -> None:
    """Hold the last equation of each part to its text."""
    assert {name: texts(d, name)[-1] for name in d.parts} == dict(lines)
