"""Promotion beside `torch.result_type`, pair by pair, and through every binary operator."""

import itertools
import operator

import numpy as np
import pytest

import pellucid
from pellucid.dtypes import result_type

torch = pytest.importorskip("torch")

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]
VALUES = [np.ones((2,) * ndim, d) for d in DTYPES for ndim in (0, 1)] + [True, 2, 2.5]


def peer(value):
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def name(dtype):
    return str(dtype).removeprefix("torch.")


def test_every_pair():
    for a, b in itertools.product(VALUES, VALUES):
        assert name(result_type(a, b)) == name(torch.result_type(peer(a), peer(b))), (a, b)


@pytest.mark.parametrize("op", ["add", "mul", "truediv", "pow", "floordiv", "mod", "lt", "eq"])
def test_every_pair_through_an_operator(op):
    function = getattr(operator, op)
    tensors = [v for v in VALUES if isinstance(v, np.ndarray)]
    for a, b in [*itertools.product(tensors, VALUES), *itertools.product(VALUES[-3:], tensors)]:
        try:
            wanted = function(peer(a), peer(b))
        except RuntimeError:  # PyTorch has no such op on bool; NumPy's answer may stand
            continue
        mine = [pellucid.Tensor(v) if isinstance(v, np.ndarray) else v for v in (a, b)]
        assert name(function(*mine).dtype) == name(wanted.dtype), (op, a, b)


def test_cat_and_where():
    for a, b in itertools.product(DTYPES, DTYPES):
        ours = [pellucid.ones(2).to(d) for d in (a, b)]
        theirs = [torch.ones(2).to(getattr(torch, d)) for d in (a, b)]
        assert name(pellucid.cat(ours).dtype) == name(torch.cat(theirs).dtype)
        condition = pellucid.tensor([True, False])
        wanted = torch.where(torch.tensor([True, False]), *theirs)
        assert name(pellucid.where(condition, *ours).dtype) == name(wanted.dtype)
