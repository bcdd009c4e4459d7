"""dtypes and their promotion, by PyTorch's rule written down as a table."""

import numpy as np
import pytest

import pellucid
from pellucid.dtypes import as_dtype, promote_types, result_type
from pellucid.errors import DTypeError, UnsupportedError

NAMES = "float32, float64, int64, int32, int16, int8, uint8, bool"


def array(dtype, ndim=1):
    return np.ones((2,) * ndim, dtype)


TABLE = [
    # axes decide; scalars and 0-d tensors count only by their kind
    ((array("float32"), 2.5), "float32"),
    ((array("float32"), np.float64(2.5)), "float32"),
    ((array("float32"), array("float64", 0)), "float32"),
    ((array("float32"), array("float64")), "float64"),
    ((array("int64"), 2.5), "float32"),
    ((array("int64"), array("float64", 0)), "float64"),
    ((array("int64"), array("float32")), "float32"),
    ((array("int8"), 1000), "int8"),
    ((array("int8"), array("int32", 0)), "int8"),
    ((array("uint8"), array("int8")), "int16"),
    ((array("bool"), 1), "int64"),
    ((array("bool"), True), "bool"),
    ((array("bool"), array("uint8", 0)), "uint8"),
    ((array("float32", 0), array("float64", 0)), "float64"),
    ((array("float32", 0), 3), "float32"),
    ((array("int32", 0), 3.0), "float32"),
    ((2, 3.0), "float32"),
    ((True, 2), "int64"),
]


@pytest.mark.parametrize(("operands", "expected"), TABLE, ids=str)
def test_result_type(operands, expected):
    assert result_type(*operands) == expected
    assert result_type(*reversed(operands)) == expected


def test_the_table_reaches_the_operators():
    x = pellucid.ones(2)
    assert (x * np.sqrt(2)).dtype == np.float32
    assert (np.sqrt(2) * x).dtype == np.float32
    assert (pellucid.tensor([1, 2]) / 2).dtype == np.float32
    assert (pellucid.tensor([1, 2]) * 2.0).dtype == np.float32
    assert (x + pellucid.ones(2, dtype="float64")).dtype == np.float64


def test_promote_types():
    assert promote_types(np.dtype("int64"), np.dtype("float32")) == "float32"


def test_foreign_byte_order_is_the_same_dtype():
    assert as_dtype(">f4") == np.float32


@pytest.mark.parametrize(
    ("dtype", "error", "message"),
    [
        ("float16", UnsupportedError, "op: there is no float16 arithmetic\n  fix: use float32"),
        ("complex64", DTypeError, f"op: tensors cannot hold complex64\n  fix: use one of {NAMES}"),
        ("nonsense", DTypeError, f"op: 'nonsense' is not a dtype\n  fix: use one of {NAMES}"),
        (object, DTypeError, f"op: tensors cannot hold object\n  fix: use one of {NAMES}"),
    ],
)
def test_what_tensors_cannot_hold(dtype, error, message):
    with pytest.raises(error) as caught:
        as_dtype(dtype, "op")
    assert str(caught.value) == message
