"""Options of layers, held to what they may be."""

import numpy as np
import pytest

from pellucid import nn
from pellucid.errors import ArgumentError
from pellucid.nn.options import whole


def test_whole_numbers_of_any_kind():
    assert whole("L", "n", 3, least=3) == 3
    assert whole("L", "n", np.int64(4), least=3) == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: whole("L", "n", 2, least=3), "L: n=2 is less than 3\n  fix: use 3 or more"),
        (lambda: nn.Linear(2.5, 1), "Linear: in_features=2.5 is no whole number\n"
         "  fix: use 0 or more"),
        (lambda: nn.Conv2d("3", 4, 3), "Conv2d: in_channels='3' is no whole number\n"
         "  fix: use 1 or more"),
        (lambda: nn.Conv2d(4, 4, 3, groups=2.0), "Conv2d: groups=2.0 is no whole number\n"
         "  fix: use 1 or more"),
        (lambda: nn.BatchNorm2d(None), "BatchNorm2d: num_features=None is no whole number\n"
         "  fix: use 1 or more"),
        (lambda: nn.Dropout("a"), "Dropout: p=a is no probability\n  fix: use 0 <= p <= 1"),
    ],
)  # fmt: skip
def test_what_is_no_whole_number(make, message):
    with pytest.raises(ArgumentError) as caught:
        make()
    assert str(caught.value) == message
