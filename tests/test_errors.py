"""The formatter of messages, and errors that cross a process."""

import pickle

import pytest

from pellucid import errors
from pellucid.errors import PellucidError, ShapeError, named_shape


def test_the_form_of_a_message():
    error = ShapeError(
        "conv2d",
        "x has C=3 channels, but w expects C=4 (groups=1)",
        named_shape("x", "N C H W", (8, 3, 32, 32)),
        "n8 c3 i32x32 o16 k3x3",
        fix="move the channel axis of x to position 1",
    )
    assert str(error) == (
        "conv2d: x has C=3 channels, but w expects C=4 (groups=1)\n"
        "  x (N=8, C=3, H=32, W=32)    n8 c3 i32x32 o16 k3x3\n"
        "  fix: move the channel axis of x to position 1"
    )


def test_without_facts():
    assert str(PellucidError("op", "rule", fix="fix")) == "op: rule\n  fix: fix"


KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PellucidError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_a_process(kind):
    error = kind("op", "rule", "fact", fix="fix")
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is kind
    assert str(twin) == str(error)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ShapeError", ValueError),
        ("DTypeError", TypeError),
        ("IndexingError", IndexError),
        ("ArgumentError", ValueError),
        ("GraphError", RuntimeError),
        ("OutOfMemoryError", MemoryError),
        ("UnsupportedError", NotImplementedError),
        ("DataError", ValueError),
        ("CheckError", AssertionError),
    ],
)
def test_errors_are_also_what_python_calls_them(name, builtin):
    assert issubclass(getattr(errors, name), builtin)
