"""What all derivations share: parts by name, and matrices of them."""

import pytest

from pellucid.errors import ArgumentError
from pellucid.explain import Derivation, derive


def test_parts_are_the_attributes():
    d = derive("c1 i5x5 o1 k3x3 s2")
    assert isinstance(d, Derivation)
    assert list(d.parts) == ["forward", "grad_input", "grad_weight", "grad_bias"]
    for name, part in d.parts.items():
        assert part == getattr(d, name)
        assert part.title == name
        assert d.matrix(name).planes[0].rows[0][0].left == next(iter(part)).left
    assert list(derive("c1 i5 o1 k3", bias=False).parts) == ["forward", "grad_input", "grad_weight"]


def test_an_unknown_part():
    with pytest.raises(ArgumentError) as raised:
        derive("c1 i3 o1 k3", bias=False).matrix("grad_bias")
    assert str(raised.value) == (
        "matrix: there is no array 'grad_bias'\n  fix: use one of forward, grad_input, grad_weight"
    )
