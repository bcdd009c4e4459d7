"""What a change in place may do to memory."""

import numpy as np
import pytest

from pellucid.errors import DTypeError, GraphError, ShapeError
from pellucid.in_place import check_kind, write


def test_a_part_is_written():
    a = np.zeros((2, 3), np.float32)
    write("op", a, np.ones(3), 1, False)
    assert a.tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]


REFUSED = {
    "recorded": (np.zeros(2), 1.0, True, GraphError, "op: the tensor of shape (2,) requires grad"),
    "read-only": (
        np.broadcast_to(np.zeros(1), (2,)), 1.0, False, GraphError,
        "op: the memory of the tensor of shape (2,) is read-only or repeated",
    ),
    "values": (
        np.zeros(2), np.zeros(3), False, ShapeError,
        "op: values of shape (3,) do not fit into shape (2,)",
    ),
    "no-number": (np.zeros(2, int), np.nan, False, DTypeError, "op: nan does not fit into int64"),
    "too-large": (np.zeros(2, "u1"), 256, False, DTypeError, "op: 256 does not fit into uint8"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("array", "value", "recorded", "error", "message"), list(REFUSED.values()), ids=list(REFUSED)
)
def test_what_is_refused_leaves_the_memory_as_it_was(array, value, recorded, error, message):
    with pytest.raises(error) as caught:
        write("op", array, value, ..., recorded)
    assert str(caught.value).startswith(message)
    assert not array.any()


def test_a_result_is_of_a_kind_that_the_tensor_holds():
    kinds = ["bool", "uint8", "int64", "float32", "float64"]
    for own in kinds:
        for result in kinds:
            a, b = np.dtype(result), np.dtype(own)
            if np.result_type(a, b).kind.replace("u", "i") == b.kind.replace("u", "i"):
                check_kind("op", a, b)
            else:
                with pytest.raises(DTypeError, match=f"the result is {a}, and a tensor of {b} "):
                    check_kind("op", a, b)
