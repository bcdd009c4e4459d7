"""Arithmetic, comparisons and reductions against PyTorch: dtypes pair by pair, ties, NaN."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")
from ops.torch_peer import assert_like_torch  # noqa: E402

DTYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]
BINARY = {
    "add": (ops.add, torch.add),
    "mul": (ops.mul, torch.mul),
    "div": (ops.div, torch.div),
    "maximum": (ops.maximum, torch.maximum),
    "minimum": (ops.minimum, torch.minimum),
    "remainder": (ops.remainder, torch.remainder),
    "eq": (ops.eq, torch.eq),
    "lt": (ops.lt, torch.lt),
}
UNARY = {
    "exp": (ops.exp, torch.exp),
    "log": (ops.log, torch.log),
    "sqrt": (ops.sqrt, torch.sqrt),
    "abs": (ops.abs, torch.abs),
    "sum": (ops.sum, torch.sum),
    "amax": (ops.amax, torch.amax),
}
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.0])


def operands(dtype: str, values: tuple[int, ...] = (1, 0, 3)):
    """The same three numbers as one of ours and one of theirs."""
    array = np.array(values).astype(dtype)
    return pellucid.Tensor(array), torch.tensor(array)


@pytest.mark.parametrize("name", BINARY)
def test_dtypes_pair_by_pair(name):
    ours, theirs = BINARY[name]
    for first, second in itertools.product(DTYPES, DTYPES):
        (a, their_a), (b, their_b) = operands(first), operands(second, (2, 1, 3))
        try:
            wanted = theirs(their_a, their_b).numpy()
        except RuntimeError:  # what PyTorch does not have, such as the remainder of bools
            continue
        found = ours(a, b).numpy()
        assert found.dtype == wanted.dtype, (first, second)
        np.testing.assert_array_equal(found, wanted, err_msg=f"{first} {second}")


@pytest.mark.parametrize("number", [2, 2.5, True])
@pytest.mark.parametrize("name", BINARY)
def test_python_numbers_never_widen(name, number):
    ours, theirs = BINARY[name]
    if "imum" in name:
        return  # PyTorch's take tensors only
    for dtype in DTYPES:
        a, their_a = operands(dtype)
        try:
            wanted = theirs(their_a, number).numpy()
        except RuntimeError:
            continue
        assert ours(a, number).numpy().dtype == wanted.dtype, dtype


@pytest.mark.parametrize("name", UNARY)
def test_dtypes_of_one_operand(name):
    ours, theirs = UNARY[name]
    for dtype in DTYPES:
        a, their_a = operands(dtype)
        try:
            wanted = theirs(their_a).numpy()
        except RuntimeError:
            continue
        found = ours(a).numpy()
        assert found.dtype == wanted.dtype, dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=dtype)


@pytest.mark.parametrize("name", BINARY)
def test_nan_infinities_and_signed_zeros(name):
    ours, theirs = BINARY[name]
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    found = ours(pellucid.Tensor(a), pellucid.Tensor(b)).numpy()
    wanted = theirs(torch.tensor(a), torch.tensor(b)).numpy()
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_equals_share_the_gradient(name):
    a = np.array([1.0, 2.0, 3.0])
    ours, theirs = BINARY[name]
    assert_like_torch(ours, theirs, a, np.array([1.0, 3.0, 2.0]))


@pytest.mark.parametrize("name", ["amax", "amin"])
def test_equals_share_the_gradient_of_a_reduction(name):
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    assert_like_torch(lambda x: getattr(ops, name)(x, 1), lambda x: getattr(torch, name)(x, 1), x)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 0.5, -1.0, 3.0])
def test_powers_at_zero_and_below(exponent):
    x = np.array([0.0, 0.3, 2.0] + ([-1.5] if exponent == int(exponent) else []))
    if exponent < 0:
        x = x[1:]
    assert_like_torch(
        lambda x: ops.pow(x, exponent) if exponent != 0.5 else ops.pow(x[1:], exponent),
        lambda x: torch.pow(x, exponent) if exponent != 0.5 else torch.pow(x[1:], exponent),
        x,
    )


def test_clip_passes_its_gradient_on_the_bounds():
    x = np.array([-2.0, -1.0, 0.3, 1.0, 2.0])
    assert_like_torch(lambda x: ops.clip(x, -1, 1), lambda x: torch.clip(x, -1, 1), x)


def test_logsumexp_of_infinities():
    for row in ([np.inf, 1.0], [-np.inf, -np.inf], [-np.inf, 3.0], [1e4, 1e4]):
        x = np.array([row])
        found = ops.logsumexp(pellucid.Tensor(x), 1).numpy()
        np.testing.assert_array_equal(found, torch.logsumexp(torch.tensor(x), 1).numpy())


@pytest.mark.parametrize("name", ["argmax", "argmin", "max", "min"])
def test_the_first_of_equals(name):
    x = np.array([[1, 3, 3, 1], [2, 2, 2, 2]])
    found = getattr(ops, name)(pellucid.Tensor(x), 1)
    wanted = getattr(torch, name)(torch.tensor(x), 1)
    if name in ("max", "min"):
        found, wanted = found.indices, wanted.indices
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())
