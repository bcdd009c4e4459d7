"""The one-line methods and operators of Tensor: each calls the op of its name, in order."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, ops

METHODS = [
    name
    for name, method in vars(Tensor).items()
    if inspect.isfunction(method) and not name.startswith("_") and hasattr(ops, name)
]
OTHER_NAMES = {"clamp": "clip", "view": "reshape"}
OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "matmul": "matmul",
    "mod": "remainder", "floordiv": "floor_divide",
}  # fmt: skip
FROM_THE_LEFT = {
    "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne", "and": "logical_and",
    "or": "logical_or", "xor": "logical_xor", "getitem": "getitem",
}  # fmt: skip
ALONE = {"neg": "neg", "abs": "abs", "invert": "logical_not"}


def called(monkeypatch: pytest.MonkeyPatch, op: str, call: Any) -> tuple[Any, ...]:
    """Return what an op is called with, each argument at its place."""
    found: list[tuple[Any, ...]] = []
    signature = inspect.signature(getattr(ops, op))

    def record(*args: Any, **kwargs: Any) -> str:
        found.append(tuple(signature.bind(*args, **kwargs).arguments.values()))
        return "answer"

    monkeypatch.setattr(ops, op, record)
    assert call() == "answer"
    return found[0]


def test_there_are_such_methods() -> None:
    assert len(METHODS) > 40


@pytest.mark.parametrize("name", [*METHODS, *OTHER_NAMES])
def test_a_method_is_the_op_of_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = pellucid.zeros(2, 3).T  # which is not contiguous
    parameters = list(inspect.signature(getattr(Tensor, name)).parameters.values())[1:]
    repeated = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    given = [7, 8] if repeated else [70 + k for k in range(len(parameters))]
    found = called(monkeypatch, OTHER_NAMES.get(name, name), lambda: getattr(x, name)(*given))
    assert found[0] is x
    assert found[1:] == (((7, 8),) if repeated else tuple(given))


@pytest.mark.parametrize(("name", "op"), [*OPERATORS.items(), *FROM_THE_LEFT.items()])
def test_an_operator_is_an_op(name: str, op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = pellucid.zeros(2)
    found = called(monkeypatch, op, lambda: getattr(x, f"__{name}__")(5))
    assert found[0] is x
    assert found[1] == 5


@pytest.mark.parametrize(("name", "op"), OPERATORS.items())
def test_from_the_right_it_is_turned_round(
    name: str, op: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = pellucid.zeros(2)
    found = called(monkeypatch, op, lambda: getattr(x, f"__r{name}__")(5))
    assert found[0] == 5
    assert found[1] is x


@pytest.mark.parametrize(("name", "op"), ALONE.items())
def test_an_operator_of_one(name: str, op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = pellucid.zeros(2)
    assert called(monkeypatch, op, getattr(x, f"__{name}__")) == (x,)


def test_casts_have_their_dtypes() -> None:
    x = pellucid.tensor([0, 2], dtype="int32")
    found = [y.dtype for y in (x.float(), x.double(), x.long(), x.bool())]
    assert found == [np.float32, np.float64, np.int64, np.bool_]
    assert x.bool().tolist() == [False, True]
