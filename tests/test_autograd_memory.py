"""Gradients that meet, and gradients that nobody else holds: which ops get what."""

from __future__ import annotations

import pytest

import pellucid
from pellucid import autograd
from pellucid.autograd import Function


def leaf(*values):
    return pellucid.tensor(values, "float64", requires_grad=True)


class Triple(Function):
    """3 x, whose backward says what it got."""

    takes_pairs = True
    got: list[str]

    @staticmethod
    def forward(ctx, x):
        return 3 * x.array

    @staticmethod
    def backward(ctx, gy):
        Triple.got.append(type(gy).__name__)
        return (gy[0] + gy[1] if isinstance(gy, tuple) else gy) * 3


class TestPairs:
    def arrive(self, paths, prepare=None, **options):
        """What `Triple` got from so many paths, with its gradient."""
        x, Triple.got = leaf(1.0, 2.0), []
        y = Triple.apply(x)
        if prepare is not None:
            prepare(y)
        sum(((k + 1.0) * y for k in range(paths)), 0.0 * y).sum().backward(**options)
        assert x.grad.tolist() == [3.0 * paths * (paths + 1) / 2] * 2
        return Triple.got[0]

    def test_two_gradients_come_as_they_are(self):
        assert self.arrive(1) == "tuple"
        assert self.arrive(2) == "Tensor"  # three: the first two of them are added first
        assert self.arrive(3) == "tuple"

    def test_whoever_looks_sees_their_sum(self):
        seen = []
        assert self.arrive(1, lambda y: y.register_hook(seen.append)) == "Tensor"
        assert seen[0].tolist() == [1.0, 1.0]
        assert self.arrive(1, lambda y: y.retain_grad()) == "Tensor"

    def test_a_graph_of_gradients_has_sums(self):
        assert self.arrive(1, create_graph=True) == "Tensor"

    def test_a_captured_gradient_is_the_sum(self):
        x, Triple.got = leaf(1.0), []
        y = Triple.apply(x)
        gy, gx = autograd.grad((y + 2.0 * y).sum(), [y, x])
        assert (gy.tolist(), gx.tolist()) == ([3.0], [9.0])

    def test_others_get_sums(self, monkeypatch):
        monkeypatch.setattr(Triple, "takes_pairs", False)
        assert self.arrive(1) == "Tensor"


class Making(Function):
    """5 x, with a gradient of its own making; it says whether it might have written over gy."""

    makes_gradients = True
    said: list[bool]

    @staticmethod
    def forward(ctx, x):
        return 5 * x.array

    @staticmethod
    def backward(ctx, gy):
        Making.said.append(ctx.may_overwrite)
        parts = gy if isinstance(gy, tuple) else (gy,)
        return pellucid.Tensor(sum(5 * part.array for part in parts))


class MakingOfPairs(Making):
    takes_pairs = True


class TestOverwriting:
    def said(self, between, kind=Making, **options):
        """What the first of two ops said about the gradients that `between` led back to it."""
        x, Making.said = leaf(1.0, 2.0), []
        between(kind.apply(x)).sum().backward(**options)
        return Making.said[-1]

    def test_what_another_op_made_may_be_overwritten(self):
        assert self.said(Making.apply)
        assert self.said(lambda y: Making.apply(Making.apply(y)))

    def test_what_came_from_elsewhere_may_not(self):
        assert not self.said(lambda y: y)  # from `Sum`, which makes no promise
        assert not self.said(lambda y: Making.apply(y).exp() * y)
        assert not self.said(lambda y: Making.apply(y + 1.0))  # passed through by `Add`
        x, Making.said = leaf(1.0), []
        Making.apply(x).backward(pellucid.tensor([1.0], "float64"))
        assert Making.said == [False]

    def test_a_sum_is_the_walk_s_own(self):
        assert self.said(lambda y: Making.apply(y) + Making.apply(y)) is False
        assert self.said(lambda y: Making.apply(y) + Making.apply(y), MakingOfPairs)
        assert not self.said(lambda y: Making.apply(y) + y, MakingOfPairs)

    def test_whoever_looks_keeps_it_as_it_was(self):
        kept = []

        def hooked(y):
            y.register_hook(kept.append)
            return Making.apply(y)

        assert not self.said(hooked)
        assert not self.said(Making.apply, create_graph=True)
        x, Making.said = leaf(1.0), []
        y = Making.apply(x)
        autograd.grad(Making.apply(y).sum(), [y, x])
        assert Making.said == [False, False]

    def test_nothing_is_held_after_the_walk(self):
        walks = []
        x, Making.said = leaf(1.0, 2.0), []
        y = Making.apply(x)
        z = (Making.apply(y) + Making.apply(y) + Making.apply(y)).sum()
        run = autograd._Walk.run
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(autograd._Walk, "run", lambda w, *a: (walks.append(w), run(w, *a))[1])
            z.backward()
        assert not walks[0]._made
