import re

import numpy as np
import pytest

import pellucid
from pellucid.autograd import Function
from pellucid.errors import CheckError, DTypeError
from pellucid.testing import gradcheck, gradgradcheck


class Broken(Function):
    """x^3, whose gradient is wrong by a factor in one element, at first or at second order."""

    @staticmethod
    def forward(ctx, x, first, second):
        ctx.save_for_backward(x)
        ctx.first, ctx.second = first, second
        return x.array**3

    @staticmethod
    def backward(ctx, gy):
        (x,) = ctx.saved_tensors
        return BrokenSlope.apply(gy, x, ctx.first, ctx.second), None, None


class BrokenSlope(Function):
    @staticmethod
    def forward(ctx, gy, x, first, second):
        ctx.save_for_backward(gy, x)
        ctx.second = second
        gx = 3 * x.array**2 * gy.array
        gx.flat[-1] *= first
        return gx

    @staticmethod
    def backward(ctx, ggx):
        gy, x = ctx.saved_tensors
        factor = np.ones(x.shape)
        factor.flat[-1] = ctx.second
        return ggx * 3 * x**2, ggx * gy * 6 * x * pellucid.from_numpy(factor), None, None


def leaf(*shape, seed=0):
    x = np.random.default_rng(seed).uniform(0.5, 2, shape)
    return pellucid.Tensor(x, requires_grad=True)


@pytest.mark.parametrize("shape", [(3,), (4, 5), (10, 10, 10)])
def test_right_gradients_pass(shape):
    assert gradcheck(lambda x: Broken.apply(x, 1.0, 1.0), leaf(*shape))
    assert gradgradcheck(lambda x: Broken.apply(x, 1.0, 1.0), leaf(*shape))


@pytest.mark.parametrize("shape", [(3,), (4, 5), (10, 10, 10)])
@pytest.mark.parametrize("factor", [1.001, 0.999, 0.0, -1.0, np.nan])
def test_one_element_off_by_a_thousandth_fails(shape, factor):
    with pytest.raises(CheckError):
        gradcheck(lambda x: Broken.apply(x, factor, 1.0), leaf(*shape))


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_second_order_off_by_a_thousandth_fails(factor):
    right_first = lambda x: Broken.apply(x, 1.0, factor)  # noqa: E731
    assert gradcheck(right_first, leaf(4, 5))
    with pytest.raises(CheckError):
        gradgradcheck(right_first, leaf(4, 5))


def test_the_wrong_element_is_named():
    x = pellucid.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    with pytest.raises(CheckError) as caught:
        gradcheck(lambda x: Broken.apply(x, 2.0, 1.0), x)
    text = str(caught.value)
    assert text.startswith("gradcheck: input 0 at (1,) (value 2): ")
    assert "by central difference (eps=1e-05)" in text
    assert text.endswith("fix: compare the backward pass with the equation of the op")


def test_a_kink_is_named():
    x = pellucid.tensor([1.0, 0.0], dtype="float64", requires_grad=True)
    with pytest.raises(CheckError, match=r"input 0 at \(1,\).*a kink"):
        gradcheck(lambda x: x.clip(min=0.0), x)


def test_inputs_changed_in_place_are_reported():
    def careless(x):
        y = x * x
        x.array[0] = 7.0
        return y

    with pytest.raises(CheckError) as caught:
        gradcheck(careless, leaf(3))
    assert str(caught.value) == (
        "gradcheck: the function changed input 0\n  fix: work on a clone()"
    )


def test_a_random_function_is_reported():
    with pytest.raises(CheckError) as caught:
        gradcheck(lambda x: x * pellucid.rand(3, dtype="float64"), leaf(3))
    assert str(caught.value) == (
        "gradcheck: the function returned two different values for the same inputs\n"
        "  fix: seed its randomness inside it, or switch dropout off"
    )


def test_a_backward_that_changes_its_input_is_reported():
    class Careless(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x.array * 2

        @staticmethod
        def backward(ctx, gy):
            ctx.x.array[0] = 7.0
            return gy * 2

    with pytest.raises(CheckError) as caught:
        gradcheck(Careless.apply, leaf(3))
    assert str(caught.value) == "gradcheck: backward changed input 0\n  fix: work on a clone()"


def test_beyond_the_search_the_direction_is_told():
    """With over 4,096 elements the last one is not moved alone."""
    with pytest.raises(CheckError) as caught:
        gradcheck(lambda x: Broken.apply(x, 2.0, 1.0), leaf(5000))
    number = r"-?[0-9.]+(e[+-][0-9]+)?"
    assert re.fullmatch(
        rf"gradcheck: in a random direction the slope is {number} by central difference "
        rf"\(eps=1e-05\) but {number} by backward \(tolerance {number}\)\n"
        r"  fix: compare the backward pass with the equation of the op",
        str(caught.value),
    )


def test_float32_is_refused():
    with pytest.raises(DTypeError) as caught:
        gradcheck(lambda x: x, pellucid.ones(2, requires_grad=True))
    assert str(caught.value) == (
        "gradcheck: input 0 is float32, too coarse for finite differences\n  fix: check in float64"
    )


def test_no_input_requires_grad():
    with pytest.raises(CheckError) as caught:
        gradcheck(lambda x: x, pellucid.ones(2, dtype="float64"))
    assert str(caught.value) == ("gradcheck: no input requires grad\n  fix: set requires_grad=True")


def test_a_function_without_graph_but_with_slope_fails():
    with pytest.raises(CheckError):
        gradcheck(lambda x: x.detach() * 2, leaf(3))


def test_constant_function_passes():
    assert gradcheck(lambda x: x.detach() * 0 + 1, leaf(3))


def test_several_outputs_and_options():
    w = leaf(3, 2, seed=1)
    x = leaf(4, 3)
    assert gradcheck(lambda x, k, w: ((x * k).exp(), (w * w).sum(), x > 0), (x, 0.5, w))


def test_a_check_of_nothing_does_not_pass():
    for nothing in (lambda x: None, lambda x: x.long(), lambda x: ()):
        with pytest.raises(CheckError) as caught:
            gradcheck(nothing, leaf(3))
        assert str(caught.value) == (
            "gradcheck: the function returns no tensor of floats\n"
            "  fix: return the tensor, or a tuple of tensors, whose gradient is to be checked"
        )


def test_outputs_in_a_list_are_checked_like_those_of_a_tuple():
    assert gradcheck(lambda x: [Broken.apply(x, 1.0, 1.0)], leaf(3))
    with pytest.raises(CheckError, match="by central difference"):
        gradcheck(lambda x: [Broken.apply(x, 1.001, 1.0)], leaf(3))


def test_where_the_function_is_not_finite_there_is_no_slope():
    x = pellucid.tensor([1.0, -1.0], dtype="float64", requires_grad=True)
    with pytest.raises(CheckError) as caught:
        gradcheck(lambda x: (x * 1, x.log()), x)
    assert str(caught.value) == (
        "gradcheck: output 1 at (1,) is nan, which has no slope\n"
        "  fix: check at inputs where the function is finite"
    )
