"""The graph and the walk: what is recorded, what is released, what is refused."""

import numpy as np
import pytest

import pellucid
from pellucid import autograd
from pellucid.autograd import Function, once_differentiable
from pellucid.errors import GraphError, PellucidError, ShapeError
from pellucid.testing import gradcheck, gradgradcheck


def leaf(*values, dtype="float64"):
    return pellucid.tensor(values, dtype, requires_grad=True)


class SwapScale(Function):
    """Two outputs, an option, an argument without gradient: (a, b, k) -> (k b, a)."""

    @staticmethod
    def forward(ctx, a, b, k):
        ctx.k = k
        return k * b.array, a.array.copy()

    @staticmethod
    def backward(ctx, gfirst, gsecond):
        return gsecond, ctx.k * gfirst, None


class TestWalk:
    def test_a_tensor_used_twice_gets_both_gradients(self):
        x = leaf(1.0, 2.0)
        y = x * x
        (y * y + y).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), 4 * x.detach().numpy() ** 3 + 2 * x.array)

    def test_gradients_add_up_over_backward_passes(self):
        x = leaf(3.0)
        (2 * x).sum().backward()
        (5 * x).sum().backward()
        assert x.grad.tolist() == [7.0]

    def test_they_add_up_without_a_word(self):
        x = pellucid.ones(2, requires_grad=True)
        for _ in range(2):
            x.backward(pellucid.full((2,), 3e38))
        assert np.isinf(x.grad.array).all()

    def test_ten_thousand_ops_and_more(self):
        x = leaf(1.0)
        y = x
        for _ in range(100_000):
            y = y + 1.0
        y.sum().backward()
        assert x.grad.tolist() == [1.0]
        del y  # dropping the graph must not recurse either

    def test_only_the_nodes_between_are_run(self):
        ran = []

        class Spy(Function):
            @staticmethod
            def forward(ctx, x, name):
                ctx.spy = name
                return x.array.copy()

            @staticmethod
            def backward(ctx, gy):
                ran.append((ctx.spy, ctx.needs_input_grad))
                return gy, None

        x, w = leaf(1.0), leaf(2.0)
        y = Spy.apply(x, "x") * Spy.apply(w, "w")
        assert autograd.grad(y.sum(), w)[0].tolist() == [1.0]
        assert ran == [("w", (True, False))]

    def test_grad_of_an_inner_tensor(self):
        x = leaf(2.0)
        y = x * 3
        z = y * y
        assert autograd.grad(z, [y, x], pellucid.ones_like(z)) == (12.0, 36.0)
        assert x.grad is None

    def test_several_roots_with_their_gradients(self):
        x = leaf(1.0, 2.0)
        pellucid.autograd.backward([x * 2, x * 3], [leaf(1.0, 1.0).detach(), None][:1] * 2)
        assert x.grad.tolist() == [5.0, 5.0]

    def test_a_leaf_as_its_own_root(self):
        x = pellucid.tensor(2.0, requires_grad=True)
        x.backward()
        assert x.grad.item() == 1.0


class TestFunction:
    def test_several_outputs(self):
        a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
        first, second = SwapScale.apply(a, b, 5.0)
        assert (first.tolist(), second.tolist()) == ([15.0, 20.0], [1.0, 2.0])
        assert gradcheck(SwapScale.apply, (a, b, 5.0))
        assert gradgradcheck(SwapScale.apply, (a, b, 5.0))

    def test_an_output_that_nobody_uses_gives_zeros(self):
        a, b = leaf(1.0), leaf(2.0)
        first, _ = SwapScale.apply(a, b, 2.0)
        first.backward()
        assert (a.grad.tolist(), b.grad.tolist()) == ([0.0], [2.0])

    def test_wrong_number_of_gradients(self):
        class Two(Function):
            @staticmethod
            def forward(ctx, a, b):
                return a.array + b.array

            @staticmethod
            def backward(ctx, gy):
                return gy

        with pytest.raises(GraphError) as caught:
            Two.apply(leaf(1.0), leaf(2.0)).backward()
        assert str(caught.value) == (
            "Two: backward returned 1 gradients for the 2 arguments of forward\n"
            "  fix: return one gradient for each argument, None where there is none"
        )

    def test_gradient_of_a_wrong_shape(self):
        class Sum(Function):
            @staticmethod
            def forward(ctx, x):
                return x.array.sum()

            @staticmethod
            def backward(ctx, gy):
                return gy

        with pytest.raises(ShapeError) as caught:
            Sum.apply(leaf(1.0, 2.0)).backward()
        assert str(caught.value) == (
            "Sum: backward returned shape () for argument 0 of shape (2,)\n"
            "  fix: return a gradient of the argument's own shape (sum over broadcast axes)"
        )

    def test_an_array_is_no_gradient(self):
        class Same(Function):
            @staticmethod
            def forward(ctx, x):
                return x.array

            @staticmethod
            def backward(ctx, gy):
                return gy.array

        with pytest.raises(GraphError) as caught:
            Same.apply(leaf(1.0)).backward()
        assert str(caught.value) == (
            "Same: backward returned a ndarray for argument 0, not a Tensor\n"
            "  fix: wrap an array with pellucid.from_numpy"
        )

    def test_forward_may_return_its_input(self):
        class Identity(Function):
            @staticmethod
            def forward(ctx, x):
                return x

            @staticmethod
            def backward(ctx, gy):
                return gy * 2

        x = leaf(1.0)
        y = Identity.apply(x)
        assert y is not x
        y.backward()
        assert x.grad.tolist() == [2.0]

    def test_a_gradient_that_is_a_saved_tensor_is_copied(self):
        class TimesWeight(Function):
            @staticmethod
            def forward(ctx, x, w):
                ctx.save_for_backward(w)
                return (x.array * w.array).sum()

            @staticmethod
            def backward(ctx, gy):
                return ctx.saved_tensors[0], None

        x, w = leaf(1.0), leaf(3.0)
        TimesWeight.apply(x, w).backward()
        with pellucid.no_grad():
            w.fill_(9.0)
        assert x.grad.tolist() == [3.0]

    def test_integer_outputs_pass_no_gradient(self):
        class ArgAndMax(Function):
            @staticmethod
            def forward(ctx, x):
                return x.array.max(), np.asarray(x.array.argmax())

            @staticmethod
            def backward(ctx, gy, _):
                return gy.expand((2,))

        y, index = ArgAndMax.apply(leaf(1.0, 2.0))
        assert y.requires_grad
        assert not index.requires_grad

    def test_mark_non_differentiable(self):
        class Norm(Function):
            @staticmethod
            def forward(ctx, x):
                scale = np.asarray(np.abs(x.array).max())
                ctx.mark_non_differentiable(scale)
                return x.array / scale, scale

            @staticmethod
            def backward(ctx, gy, _):
                return gy

        y, scale = Norm.apply(leaf(1.0, 2.0))
        assert y.requires_grad
        assert not scale.requires_grad

    def test_once_differentiable_says_so(self):
        class Square(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x.array**2

            @staticmethod
            @once_differentiable
            def backward(ctx, gy):
                (x,) = ctx.saved_tensors
                return pellucid.from_numpy(gy.numpy() * 2 * x.array)

        x = leaf(3.0)
        Square.apply(x).backward()
        assert x.grad.tolist() == [6.0]
        with pytest.raises(GraphError) as caught:
            Square.apply(x).backward(create_graph=True)
        assert str(caught.value) == (
            "Square: its backward is marked once_differentiable, and create_graph=True was asked "
            "for\n  fix: write its backward with differentiable ops, or leave create_graph off"
        )

    def test_a_gradient_in_another_dtype_is_cast(self):
        class Wide(Function):
            @staticmethod
            def forward(ctx, x):
                return x.array.astype("float64")

            @staticmethod
            def backward(ctx, gy):
                return gy

        x = leaf(1.0, dtype="float32")
        Wide.apply(x).backward()
        assert x.grad.dtype == pellucid.float32


class TestHigherOrder:
    def test_third_derivative(self):
        x = leaf(2.0)
        y = x**4
        for expected in (32.0, 48.0, 48.0):
            (y,) = autograd.grad(y, x, create_graph=True)
            assert y.tolist() == [expected]

    def test_backward_with_create_graph(self):
        x = leaf(2.0)
        (x**3).backward(create_graph=True)
        first = x.grad
        assert first.requires_grad
        x.grad = None
        first.backward()
        assert x.grad.tolist() == [12.0]

    def test_create_graph_adds_to_an_older_gradient(self):
        x = leaf(2.0)
        (x**2).backward()
        (x**3).backward(create_graph=True)
        assert x.grad.tolist() == [16.0]


class TestOwnership:
    def test_leaves_do_not_share_their_gradients(self):
        a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
        gy = pellucid.ones(2, dtype="float64")
        (a + b).backward(gy)
        a.grad.zero_()
        assert b.grad.tolist() == [1.0, 1.0]
        assert gy.tolist() == [1.0, 1.0]

    def test_a_broadcast_gradient_is_a_full_array(self):
        x = pellucid.ones(3, 4, requires_grad=True)
        x.sum().backward()
        x.grad[0, 0] = 5.0
        assert x.grad.sum().item() == 16.0

    def test_a_gradient_has_the_layout_of_its_tensor(self):
        x = pellucid.Tensor(np.zeros((2, 5, 6, 3)).transpose(0, 3, 1, 2), requires_grad=True)
        x.sum().backward()
        assert x.grad.array.strides == x.array.strides


class TestHooks:
    def test_a_hook_sees_and_replaces_the_gradient(self):
        x = leaf(1.0, 2.0)
        seen = []
        handle = x.register_hook(lambda g: seen.append(g.tolist()))
        x.register_hook(lambda g: g * 10)
        (x * 3 + x).sum().backward()
        assert seen == [[4.0, 4.0]]  # once, with the whole gradient
        assert x.grad.tolist() == [40.0, 40.0]
        handle.remove()
        handle.remove()
        x.sum().backward()
        assert len(seen) == 1

    def test_a_hook_on_an_inner_tensor(self):
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: g + 1)
        (y * 5).backward()
        assert x.grad.tolist() == [12.0]

    @pytest.mark.parametrize("inner", [True, False])
    def test_a_gradient_that_a_hook_keeps_stays_as_it_was(self, inner):
        x, kept = leaf(1.0, 2.0), []
        y = x + 1.0
        (y if inner else x).register_hook(kept.append)
        for _ in range(2):
            (y * pellucid.tensor([3.0, 4.0], "float64")).sum().backward()
        assert kept[0].tolist() == [3.0, 4.0]
        assert x.grad.tolist() == [6.0, 8.0]

    def test_a_hook_must_keep_the_shape(self):
        x = leaf(1.0, 2.0)
        x.register_hook(lambda g: g.sum())
        with pytest.raises(ShapeError) as caught:
            x.sum().backward()
        assert str(caught.value) == (
            "hook: it returned shape () for a gradient of (2,)\n"
            "  fix: return a gradient of the same shape, or None to keep it"
        )

    def test_a_hook_needs_a_gradient(self):
        with pytest.raises(GraphError) as caught:
            pellucid.ones(1).register_hook(print)
        assert str(caught.value) == (
            "register_hook: the tensor does not require grad\n  fix: set requires_grad=True"
        )

    def test_retain_grad(self):
        x = leaf(2.0)
        y = x * x
        y.retain_grad()
        (y * 3).backward()
        assert y.grad.tolist() == [3.0]


class Halfway(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.array * 2


class Silent(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return None


ERRORS = {
    "not-a-scalar": (
        (leaf(1.0, 2.0) * 2).backward,
        "backward: the tensor has 2 elements (shape (2,)), and only one of a single element has a "
        "gradient of its own to start from\n"
        "  fix: reduce it, as with .sum(), or pass the gradient of each element",
    ),
    "no-graph": (
        pellucid.ones(1).backward,
        "backward: the tensor of shape (1,) does not require grad and no graph leads to it\n"
        "  fix: set requires_grad=True on an input, and compute outside no_grad",
    ),
    "gradient-of-another-shape": (
        lambda: (leaf(1.0, 2.0) * 1).backward(pellucid.ones(3)),
        "backward: the gradient has shape (3,), its tensor (2,)\n"
        "  fix: pass a gradient of the tensor's own shape",
    ),
    "gradient-that-is-no-tensor": (
        lambda: (leaf(1.0, 2.0) * 1).backward([1.0, 1.0]),
        "backward: the gradient is a list, not a Tensor\n"
        "  fix: make a tensor of it with pellucid.tensor",
    ),
    "op-without-backward": (
        lambda: Halfway.apply(leaf(1.0)).backward(),
        "Halfway: the op has no backward\n"
        "  fix: define @staticmethod backward(ctx, *gy) in its class",
    ),
    "op-without-forward": (
        lambda: autograd.Function.apply(leaf(1.0)),
        "Function: the op has no forward\n"
        "  fix: define @staticmethod forward(ctx, *args) in its class",
    ),
    "forward-without-return": (
        lambda: Silent.apply(leaf(1.0)),
        "Silent: forward returned None\n  fix: return an array, a tensor or a tuple",
    ),
    "gradients-for-fewer-tensors": (
        lambda: autograd.backward([leaf(1.0), leaf(2.0)], [None]),
        "backward: there are 1 gradients for 2 tensors\n"
        "  fix: pass one gradient, or None, for each tensor",
    ),
    "grad-of-a-constant": (
        lambda: autograd.grad(leaf(1.0).sum(), pellucid.ones(2)),
        "autograd.grad: input 0 of shape (2,) does not require grad\n"
        "  fix: set requires_grad=True on it before computing the outputs",
    ),
    "grad-of-the-unused": (
        lambda: autograd.grad(leaf(1.0).sum(), leaf(2.0)),
        "autograd.grad: the outputs do not depend on input 0 of shape (1,)\n"
        "  fix: pass allow_unused=True to get None in its place",
    ),
}


@pytest.mark.parametrize(("call", "message"), list(ERRORS.values()), ids=list(ERRORS))
def test_error(call, message):
    with pytest.raises(PellucidError) as caught:
        call()
    assert str(caught.value) == message


def test_allow_unused():
    assert autograd.grad(leaf(1.0).sum(), leaf(2.0), allow_unused=True) == (None,)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_the_gradient_to_start_from_takes_the_dtype_of_its_tensor(dtype):
    x = leaf(1.0, 2.0)
    x.backward(pellucid.tensor([3, 4], dtype=dtype))
    assert (x.grad.dtype, x.grad.tolist()) == (x.dtype, [3.0, 4.0])
