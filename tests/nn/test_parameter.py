"""Parameter: a leaf that requires grad and shares the memory it is made of."""

import copy
import pickle

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import DeviceError, DTypeError, GraphError, UnsupportedError
from pellucid.nn.parameter import empty_parameter


def test_it_is_a_leaf_that_requires_grad():
    x = pellucid.ones(2, requires_grad=True) * 2
    parameter = nn.Parameter(x)
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert not nn.Parameter(x, requires_grad=False).requires_grad


def test_it_shares_memory_and_version():
    x = pellucid.zeros(2)
    parameter = nn.Parameter(x)
    y = (parameter * parameter).sum()
    x.fill_(5.0)
    assert parameter.tolist() == [5.0, 5.0]
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_of_an_array():
    array = np.arange(3.0)
    assert nn.Parameter(array).array is array


def test_repr():
    text = "Parameter containing:\ntensor([1.], requires_grad=True)"
    assert repr(nn.Parameter(pellucid.ones(1))) == text


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_are_parameters(copied):
    parameter = nn.Parameter(pellucid.ones(2))
    other = copied(parameter)
    assert isinstance(other, nn.Parameter)
    assert other.requires_grad
    assert other.array is not parameter.array
    assert other.tolist() == [1.0, 1.0]


def test_what_has_no_gradient():
    with pytest.raises(DTypeError) as caught:
        nn.Parameter(pellucid.tensor([1, 2]))
    assert str(caught.value) == (
        "requires_grad: a tensor of int64 has no gradient\n"
        "  fix: make it with dtype=pellucid.float32"
    )
    assert nn.Parameter(pellucid.tensor([1, 2]), requires_grad=False).dtype == pellucid.int64


@pytest.mark.parametrize(
    "make", [lambda d: nn.Parameter(np.ones(2, d)), lambda d: nn.Linear(2, 2, dtype=d)]
)
def test_float16_is_refused(make):
    with pytest.raises(UnsupportedError, match="there is no float16 arithmetic"):
        make(np.float16)


def test_empty_parameter():
    parameter = empty_parameter((2, 3), "cpu", pellucid.float64)
    assert (parameter.shape, parameter.dtype) == ((2, 3), pellucid.float64)
    assert empty_parameter(()).dtype == pellucid.float32
    with pytest.raises(DeviceError, match="there is no device 'cuda'"):
        empty_parameter((2,), "cuda")
