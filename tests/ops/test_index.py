"""Picking by index: what the graph keeps of an index."""

from __future__ import annotations

import numpy as np

import pellucid


def test_an_index_that_changes_later_does_not_change_the_gradient() -> None:
    x = pellucid.zeros(3, requires_grad=True)
    for index in (np.array([0, 0]), pellucid.tensor([0, 0])):
        y = x[index]
        index[:] = 2
        (gx,) = pellucid.autograd.grad(y.sum(), x)
        assert gx.tolist() == [2.0, 0.0, 0.0]


def test_an_index_in_a_tuple_too() -> None:
    x, rows = pellucid.zeros(2, 2, requires_grad=True), np.array([0])
    y = x[rows, 1]
    rows[0] = 1
    (gx,) = pellucid.autograd.grad(y.sum(), x)
    assert gx.tolist() == [[0.0, 1.0], [0.0, 0.0]]
