"""What the operands of an op must be."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.errors import DTypeError
from pellucid.ops.operands import check_float, check_same_float, check_tensor


def test_floats_of_one_dtype_pass():
    for dtype in ("float32", "float64"):
        x = pellucid.zeros(2, dtype=dtype)
        check_float("op", "x", x)
        check_same_float("op", x=x, w=x, b=None)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integers_are_refused_wherever_they_stand(dtype):
    x, w = pellucid.zeros(2), pellucid.zeros(2, dtype=dtype)
    message = f"op: w is {dtype}, and the result is no integer\n  fix: cast it, as in w.float()"
    for call in (lambda: check_float("op", "w", w), lambda: check_same_float("op", x=x, w=w)):
        with pytest.raises(DTypeError) as caught:
            call()
        assert str(caught.value) == message


def test_a_mixture_names_the_first_and_the_odd_one():
    x, b = pellucid.zeros(2), pellucid.zeros(2, dtype="float64")
    with pytest.raises(DTypeError) as caught:
        check_same_float("op", x=x, w=x, b=b)
    assert str(caught.value) == (
        "op: x is float32, but b is float64\n  fix: cast one of them, as in x.to(b.dtype)"
    )


@pytest.mark.parametrize("odd", [np.zeros(2, np.float32), [1.0], None, 2.0])
def test_what_is_no_tensor_is_named(odd):
    x = pellucid.zeros(2)
    calls = [
        lambda: check_tensor("op", "x", odd),
        lambda: check_float("op", "x", odd),
        lambda: check_same_float("op", odd, w=x),
    ]
    for call in calls:
        with pytest.raises(DTypeError) as caught:
            call()
        assert str(caught.value) == (
            f"op: x is a {type(odd).__name__}, not a Tensor\n"
            "  fix: make a tensor of it with pellucid.tensor"
        )


def test_an_operand_that_may_be_left_out_is_a_tensor_otherwise():
    check_same_float("op", pellucid.zeros(2), b=None)
    with pytest.raises(DTypeError, match="b is a ndarray, not a Tensor"):
        check_same_float("op", pellucid.zeros(2), b=np.zeros(2, np.float32))
