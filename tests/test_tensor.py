"""Tensor: what it is, what it becomes, and what changes it in place."""

import copy
import pickle

import numpy as np
import pytest

import pellucid
from pellucid.errors import DeviceError, DTypeError, GraphError, ShapeError


def test_attributes():
    x = pellucid.zeros(2, 3, 4)
    assert (x.shape, x.ndim, x.dim(), x.numel(), len(x)) == ((2, 3, 4), 3, 3, 24, 2)
    assert (x.size(), x.size(1), x.stride()) == ((2, 3, 4), 3, (12, 4, 1))
    assert x.dtype == pellucid.float32
    assert str(x.device) == "cpu"
    assert x.is_leaf
    assert x.is_contiguous()
    assert not x.T.is_contiguous() if x.ndim == 2 else x.permute(2, 0, 1).shape == (4, 2, 3)


REPRS = {
    "tensor([1., 2.])": lambda: pellucid.tensor([1.0, 2.0]),
    "tensor([   1., 1379.])": lambda: pellucid.tensor([1.0, 1379.0]),
    "tensor(3)": lambda: pellucid.tensor(3),
    "tensor([1., 2.], requires_grad=True)": lambda: pellucid.tensor([1.0, 2], requires_grad=True),
    "tensor([1.], dtype=float64)": lambda: pellucid.tensor([1.0], "float64"),
    "tensor([ True, False])": lambda: pellucid.tensor([True, False]),
    "tensor([2., 4.], grad_fn=<Mul>)": lambda: pellucid.tensor([1.0, 2], requires_grad=True) * 2,
    "tensor([[1, 2],\n        [3, 4]])": lambda: pellucid.tensor([[1, 2], [3, 4]]),
}


@pytest.mark.parametrize(("text", "make"), REPRS.items())
def test_repr(text, make):
    assert repr(make()) == text


class TestConversions:
    def test_numpy_shares(self):
        x = pellucid.zeros(2)
        x.numpy()[0] = 5
        assert x.tolist() == [5.0, 0.0]

    def test_numpy_refuses_what_records(self):
        with pytest.raises(GraphError) as caught:
            pellucid.zeros(2, requires_grad=True).numpy()
        assert str(caught.value) == (
            "numpy: the tensor of shape (2,) requires grad, which an array cannot record\n"
            "  fix: use detach().numpy()"
        )

    def test_array_protocol(self):
        x = pellucid.tensor([1.0, 2.0])
        assert np.asarray(x) is x.array
        assert np.array(x) is not x.array
        assert np.asarray(x, dtype=np.float64).dtype == np.float64
        with pytest.raises(ValueError, match="without a copy"):
            np.asarray(x, dtype=np.float64, copy=False)

    def test_numpy_operands_on_either_side(self):
        x, a = pellucid.tensor([1.0, 2.0]), np.array([3.0, 4.0], np.float32)
        for result in (x + a, a + x, np.float64(3) * x, x - np.int64(1)):
            assert isinstance(result, pellucid.Tensor)
            assert result.dtype == np.float32
        assert (a - x).tolist() == [2.0, 2.0]

    def test_dlpack_both_ways(self):
        x = pellucid.tensor([1.0, 2.0])
        a = np.from_dlpack(x)
        a_shares = np.shares_memory(a, x.array)
        back = pellucid.from_dlpack(np.array([3.0, 4.0]))
        assert a_shares
        assert back.tolist() == [3.0, 4.0]

    def test_item_and_numbers(self):
        x = pellucid.tensor([2.5])
        assert (x.item(), float(x), int(x), bool(x)) == (2.5, 2.5, 2, True)
        assert [10, 20, 30][pellucid.tensor(1)] == 20
        with pytest.raises(ShapeError) as caught:
            pellucid.zeros(2).item()
        assert str(caught.value) == (
            "item: the tensor has 2 elements (shape (2,)), not one\n"
            "  fix: index one element, or use tolist()"
        )
        with pytest.raises(DTypeError) as wrong:
            [1][pellucid.tensor(0.0)]
        assert str(wrong.value) == "index: a tensor of float32 is no index\n  fix: use int(x)"

    def test_to(self):
        x = pellucid.tensor([1.5, 0.0])
        assert x.to(pellucid.float32) is x
        assert x.to("cpu") is x
        assert x.to(pellucid.device("cpu"), "float64").dtype == np.float64
        assert x.to(pellucid.zeros(1, dtype="float64")).dtype == np.float64
        kinds = [x.double(), x.float(), x.long(), x.bool()]
        assert [str(k.dtype) for k in kinds] == ["float64", "float32", "int64", "bool"]
        with pytest.raises(DeviceError) as caught:
            x.to("cuda:0")
        assert str(caught.value) == (
            "device: there is no device 'cuda:0': pellucid computes on the CPU\n  fix: use 'cpu'"
        )

    def test_gradients_pass_through_a_cast(self):
        x = pellucid.tensor([1.5], requires_grad=True)
        (x.double() * 2).sum().backward()
        assert x.grad.dtype == np.float32
        assert x.grad.tolist() == [2.0]

    def test_iteration(self):
        assert [row.tolist() for row in pellucid.tensor([[1], [2]])] == [[1], [2]]
        with pytest.raises(ShapeError) as caught:
            iter(pellucid.tensor(1.0))
        assert str(caught.value) == (
            "iter: a 0-d tensor has no axis to go along\n  fix: use item()"
        )

    def test_copies(self):
        x = pellucid.tensor([1.0, 2.0])
        for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
            twin.zero_()
            assert x.tolist() == [1.0, 2.0]


class TestGrad:
    def test_requires_grad(self):
        x = pellucid.zeros(2)
        assert x.requires_grad_() is x
        assert x.requires_grad
        assert not x.requires_grad_(False).requires_grad

    def test_only_floats_have_gradients(self):
        with pytest.raises(DTypeError) as caught:
            pellucid.tensor([1, 2], requires_grad=True)
        assert str(caught.value) == (
            "requires_grad: a tensor of int64 has no gradient\n"
            "  fix: make it with dtype=pellucid.float32"
        )

    def test_it_cannot_be_taken_from_an_output(self):
        y = pellucid.zeros(2, requires_grad=True) * 2
        with pytest.raises(GraphError) as caught:
            y.requires_grad = False
        assert str(caught.value) == (
            "requires_grad: it cannot be switched off for the output of Mul\n  fix: use detach()"
        )

    def test_detach_shares_memory_and_version(self):
        x = pellucid.zeros(2, requires_grad=True)
        y = x.detach()
        y[0] = 3.0
        assert x.tolist() == [3.0, 0.0]
        assert x._version[0] == 1
        assert not y.requires_grad


class TestInPlace:
    def test_methods(self):
        x = pellucid.tensor([1.0, 2.0])
        twin = x
        x.add_(1.0).mul_(pellucid.tensor([2.0, 3.0])).sub_(1.0, alpha=2).div_(2.0)
        assert x.tolist() == [1.0, 3.5]
        assert x.copy_(pellucid.tensor([7, 8])).dtype == np.float32
        assert x.fill_(4.0).tolist() == [4.0, 4.0]
        assert x.zero_() is twin

    def test_assignment_by_index(self):
        x = pellucid.zeros(3, 2)
        x[1] = 5.0
        x[x == 5.0] = pellucid.tensor([1.0, 2.0])
        x[pellucid.tensor([0, 2]), 1] = 9.0
        assert x.tolist() == [[0.0, 9.0], [1.0, 2.0], [0.0, 9.0]]

    def test_iadd_rebinds(self):
        x = pellucid.ones(2)
        old = x
        x += 1
        assert old.tolist() == [1.0, 1.0]
        assert x.tolist() == [2.0, 2.0]

    def test_refused_while_recording(self):
        x = pellucid.zeros(2, requires_grad=True)
        with pytest.raises(GraphError) as caught:
            x.add_(1.0)
        assert str(caught.value) == (
            "add_: the tensor of shape (2,) requires grad, and a change in place is not recorded\n"
            "  fix: compute a new tensor (pellucid.where), or change it inside no_grad()"
        )
        with pellucid.no_grad():
            x.add_(1.0)
        assert x.tolist() == [1.0, 1.0]

    def test_values_that_record_are_refused(self):
        x = pellucid.zeros(2)
        with pytest.raises(GraphError) as caught:
            x[0] = pellucid.ones(1, requires_grad=True)[0]
        assert str(caught.value) == (
            "setitem: the values require grad, and a change in place is not recorded\n"
            "  fix: compute a new tensor (pellucid.where or cat), or assign value.detach()"
        )

    def test_values_must_fit(self):
        with pytest.raises(ShapeError) as caught:
            pellucid.zeros(2, 3)[0] = pellucid.zeros(2)
        assert str(caught.value) == (
            "setitem: values of shape (2,) do not fit into shape (3,)\n  fix: reshape them"
        )

    @pytest.mark.parametrize(
        ("method", "dtype", "found"),
        [("add_", "int64", "float64"), ("mul_", "int64", "float64"), ("div_", "int64", "float64"),
         ("sub_", "uint8", "float64")],
    )  # fmt: skip
    def test_arithmetic_that_the_dtype_would_cut_off_is_refused(self, method, dtype, found):
        x = pellucid.tensor([3, 4], dtype=dtype)
        with pytest.raises(DTypeError) as caught:
            getattr(x, method)(0.5)
        assert str(caught.value) == (
            f"{method}: the result is {found}, and a tensor of {dtype} would cut it off\n"
            "  fix: compute a new tensor, or change one of the wider dtype"
        )
        assert x.tolist() == [3, 4]
        assert x._version[0] == 0

    def test_a_wider_result_of_the_same_kind_is_rounded(self):
        x = pellucid.tensor([1.0, 2.0])
        assert x.add_(pellucid.tensor([0.5, 0.5], dtype="float64")).tolist() == [1.5, 2.5]
        assert pellucid.tensor([1], dtype="uint8").add_(pellucid.tensor([2])).tolist() == [3]
        with pytest.raises(DTypeError, match="the result is int64, and a tensor of bool"):
            pellucid.tensor([True]).add_(1)

    @pytest.mark.parametrize(("value", "dtype"), [(float("nan"), "int64"), (300, "uint8")])
    def test_a_number_must_fit_into_the_dtype(self, value, dtype):
        x = pellucid.zeros(2, dtype=dtype)
        for change in (x.fill_, lambda v: x.__setitem__(0, v)):
            with pytest.raises(DTypeError) as caught:
                change(value)
            assert str(caught.value).splitlines() == [
                f"{'fill_' if change == x.fill_ else 'setitem'}: {value} does not fit into {dtype}",
                "  fix: use a wider dtype",
            ]

    def test_repeated_memory_is_refused(self):
        x = pellucid.zeros(1).expand(3)
        with pytest.raises(GraphError) as caught:
            x.fill_(1.0)
        assert str(caught.value) == (
            "fill_: the memory of the tensor of shape (3,) is read-only or repeated\n"
            "  fix: change a clone()"
        )


def test_operators():
    a, b = pellucid.tensor([7.0, -7.0]), pellucid.tensor([2.0, 2.0])
    found = [a + b, a - b, a * b, a / b, a**b, a % b, a // b, -a, abs(a)]
    plain = [a.array + 2, a.array - 2, a.array * 2, a.array / 2, a.array**2]
    plain += [a.array % 2, a.array // 2, -a.array, abs(a.array)]
    for y, wanted in zip(found, plain, strict=True):
        np.testing.assert_array_equal(y.numpy(), wanted)
    turned = [1 + b, 1 - b, 3 * b, 1 / b, 3**b, 3 % b, 3 // b]
    for y, wanted in zip(turned, [3, -1, 6, 0.5, 9, 1, 1], strict=True):
        np.testing.assert_array_equal(y.numpy(), np.full(2, wanted, np.float32))
    assert (a > b).tolist() == [True, False]
    logic = [(a > 0) & (b > 0), (a > 0) | (b > 0), (a > 0) ^ (b > 0), ~(a > 0)]
    assert [y.tolist() for y in logic] == [
        [True, False],
        [True, True],
        [False, True],
        [False, True],
    ]
    compared = [a < b, a <= b, a >= b, a == b, a != b]
    assert [y[0].item() for y in compared] == [False, False, True, False, True]
    assert (pellucid.eye(2) @ b).tolist() == [2.0, 2.0]
    assert len({a, a, b}) == 2  # hashed by identity
