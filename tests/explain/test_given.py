"""The arrays that evaluate takes (the messages are in test_expression.py)."""

import numpy as np
import pytest

import pellucid
from pellucid.errors import ArgumentError
from pellucid.explain import derive
from pellucid.explain.given import ready

NAMES = derive("c1 i3 o1 k2").names


def test_only_what_is_needed_is_taken():
    w, gy = pellucid.ones(1, 1, 2), np.ones((1, 1, 2), np.float32)
    found = ready("it", NAMES, ["gy", "w"], {"w": w, "gy": gy, "x": "not looked at"})
    assert list(found) == ["gy", "w"]
    assert found["gy"] is gy
    assert found["w"] is w.array


def test_none_is_not_given():
    with pytest.raises(ArgumentError, match="it is made of w, but w is not given"):
        ready("it", NAMES, ["w"], {"w": None})
