"""Who holds the memory of a gradient, and what a leaf makes of that."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.errors import DTypeError, ShapeError
from pellucid.gradients import accumulate, owner_of, share_memory


def test_views_share_the_memory_of_their_owner():
    a = np.zeros((4, 5))
    row, other = a[1:, ::2][0], np.zeros((4, 5))
    assert owner_of(row) is owner_of(a) is a
    assert share_memory(row, a)
    assert share_memory(a, row)
    assert share_memory(row, a.T)
    assert not share_memory(row, other)


def test_a_leaf_takes_over_an_array_that_nobody_else_may_hold():
    held: set[int] = set()
    a = np.ones((2, 3))
    leaves = [pellucid.zeros(2, 3, dtype="float64", requires_grad=True) for _ in range(2)]
    for leaf in leaves:
        accumulate(leaf, pellucid.Tensor(a), held, False)
    assert leaves[0].grad.array is a
    assert leaves[1].grad.array is not a  # the first leaf holds it now
    np.testing.assert_array_equal(leaves[1].grad.array, a)


def test_a_part_and_what_is_only_read_are_copied():
    leaf = pellucid.zeros(3, dtype="float64", requires_grad=True)
    part = np.ones((2, 3))[0]
    accumulate(leaf, pellucid.Tensor(part), set(), False)
    assert not np.shares_memory(leaf.grad.array, part)
    leaf.grad = None
    accumulate(leaf, pellucid.Tensor(np.broadcast_to(1.0, (3,))), set(), False)
    assert leaf.grad.array.flags.writeable


def test_later_gradients_are_added_in_place():
    leaf, a = pellucid.zeros(3, dtype="float64", requires_grad=True), np.ones(3)
    for _ in range(2):
        accumulate(leaf, pellucid.Tensor(a.copy()), set(), False)
    assert leaf.grad.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_grad_that_somebody_set_must_be_one_of_its_leaf(create_graph):
    leaf, gradient = pellucid.zeros(2, requires_grad=True), pellucid.ones(2)
    leaf.grad = pellucid.zeros(5, 2)  # would broadcast
    with pytest.raises(ShapeError) as caught:
        accumulate(leaf, gradient, set(), create_graph)
    assert str(caught.value) == (
        "backward: .grad has shape (5, 2), its leaf (2,)\n"
        "  fix: set .grad to a tensor of the leaf's shape, or None"
    )
    leaf.grad = np.zeros(2, np.float32)
    with pytest.raises(DTypeError) as caught:
        accumulate(leaf, gradient, set(), create_graph)
    assert str(caught.value) == (
        "backward: .grad of a leaf of shape (2,) is a ndarray, not a Tensor\n"
        "  fix: set .grad to a tensor or None"
    )
