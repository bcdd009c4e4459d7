"""Generic tests over the tables in `cases/`: every op, one way to hold it to its word."""

from __future__ import annotations

import numpy as np
import pytest
from ops.cases import Case, ErrorCase, all_cases, all_errors

import pellucid
from pellucid import ops
from pellucid.testing import gradcheck, gradgradcheck

CASES, ERRORS = all_cases(), all_errors()
# What other rooms ask of ops, without being ops: an index as arrays, an arithmetic of sizes.
NOT_OPS = {"array_index", "output_padding_for", "same_padding"}

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def tensors(case: Case, dtype=np.float64, empty: bool = False, grad: bool = False) -> list:
    drawn = [spec.draw(k, dtype, empty) for k, spec in enumerate(case.inputs)]
    return [
        pellucid.Tensor(x, requires_grad=grad and spec.grad and spec.kind == "float")
        for x, spec in zip(drawn, case.inputs, strict=True)
    ]


def run(case: Case, inputs: list) -> tuple:
    result = case.op(*inputs, **case.options)
    return result if isinstance(result, tuple) else (result,)


def expected(case: Case, inputs: list) -> list[np.ndarray]:
    arrays = [np.asarray(x.array, np.float64 if x.dtype.kind == "f" else None) for x in inputs]
    with np.errstate(all="ignore"):
        result = case.reference(*arrays, **case.options)
    return [np.asarray(y) for y in (result if isinstance(result, tuple) else (result,))]


def assert_close(found: pellucid.Tensor, wanted: np.ndarray, tolerance: float) -> None:
    assert found.shape == wanted.shape
    finite = np.abs(wanted[np.isfinite(wanted)]) if wanted.dtype.kind == "f" else np.zeros(0)
    scale = max(float(finite.max(initial=0.0)), 1e-30)
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=tolerance * scale)


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_every_op_has_a_case():
    public = {name for name, value in vars(ops).items() if callable(value)} - NOT_OPS
    assert public - {case.op.__name__ for case in CASES} == set()


@each_case
def test_forward_float64(case: Case):
    inputs = tensors(case)
    for found, wanted in zip(run(case, inputs), expected(case, inputs), strict=True):
        assert_close(found, wanted, 1e-12)


@each_case
def test_forward_float32(case: Case):
    inputs = tensors(case, np.float32)
    for found, wanted in zip(run(case, inputs), expected(case, inputs), strict=True):
        assert_close(found, wanted, case.float32)
        if wanted.dtype == np.float64:
            assert found.dtype == np.float32


@each_case
def test_zero_size_batch(case: Case):
    if not any(spec.batched for spec in case.inputs):
        return
    inputs = tensors(case, empty=True, grad=True)
    outputs = run(case, inputs)
    for found, wanted in zip(outputs, expected(case, inputs), strict=True):
        assert found.shape == wanted.shape
    roots = [y for y in outputs if y.requires_grad]
    if roots:
        pellucid.autograd.backward(roots, [pellucid.ones_like(y) for y in roots])
        assert all(x.grad is None or x.grad.shape == x.shape for x in inputs)


@each_case
def test_gradient(case: Case):
    if case.gradient:
        assert gradcheck(lambda *xs: case.op(*xs, **case.options), tensors(case, grad=True))


@each_case
def test_second_gradient(case: Case):
    if case.gradient and case.second:
        assert gradgradcheck(lambda *xs: case.op(*xs, **case.options), tensors(case, grad=True))


def _strided(x: np.ndarray) -> np.ndarray:
    wide = np.zeros(tuple(2 * size for size in x.shape), x.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def _read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "column-major": np.asfortranarray,
    "negative-stride": lambda x: np.flip(np.flip(x).copy()),
    "strided": _strided,
    "read-only": _read_only,
}


@each_case
def test_layouts_and_unmodified_inputs(case: Case):
    plain = tensors(case, grad=True)
    wanted = run(case, plain)
    roots = [k for k, y in enumerate(wanted) if y.requires_grad]
    gys = [np.cos(np.arange(wanted[k].numel())).reshape(wanted[k].shape) for k in roots]
    _backward(wanted, roots, gys)
    for name, layout in LAYOUTS.items():
        # a 0-d array has one layout
        arrays = [layout(x.array) if x.ndim else x.array.copy() for x in plain]
        inputs = [pellucid.Tensor(x, y.requires_grad) for x, y in zip(arrays, plain, strict=True)]
        before = [x.array.copy() for x in inputs]
        found = run(case, inputs)
        _backward(found, roots, [layout(gy) if gy.ndim else gy for gy in gys])
        for x, old in zip(inputs, before, strict=True):
            np.testing.assert_array_equal(x.array, old, err_msg=f"{name}: input modified")
        for a, b in zip(found, wanted, strict=True):
            assert_close(a, b.detach().numpy(), 1e-12)
        for a, b in zip(inputs, plain, strict=True):
            assert (a.grad is None) == (b.grad is None)
            if a.grad is not None:
                assert_close(a.grad, b.grad.numpy(), 1e-12)


def _backward(outputs: tuple, roots: list[int], gys: list[np.ndarray]) -> None:
    if roots:
        gradients = [pellucid.Tensor(gy) for gy in gys]
        pellucid.autograd.backward([outputs[k] for k in roots], gradients)


@pytest.mark.parametrize("case", ERRORS, ids=[case.name for case in ERRORS])
def test_error(case: ErrorCase):
    with pytest.raises(case.error) as caught:
        case.call()
    assert str(caught.value) == case.message
