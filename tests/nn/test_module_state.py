"""Module: ties, state dicts, copies."""

import copy
import pickle

import numpy as np
import pytest
from nn.blocks import Block, Tied

import pellucid
from pellucid import nn
from pellucid.errors import DTypeError, GraphError, StateError


class TestTied:
    def test_tied_parameters_are_listed_once(self):
        tied = Tied()
        assert [n for n, _ in tied.named_parameters()] == ["first.weight", "second.bias"]
        assert [n for n, _ in tied.named_parameters(remove_duplicate=False)] == [
            "first.weight", "second.weight", "second.bias", "again.weight", "again.bias",
        ]  # fmt: skip
        assert len(list(tied.modules())) == 3
        assert len(list(tied.children())) == 2

    def test_state_dicts_have_every_name(self):
        tied = Tied()
        state = tied.state_dict()
        assert list(state) == [
            "first.weight", "second.weight", "second.bias", "again.weight", "again.bias",
        ]  # fmt: skip
        state = {name: np.full(x.shape, 3.0) for name, x in state.items()}
        assert tied.load_state_dict(state) == ([], [])
        assert tied.first.weight is tied.again.weight
        assert tied.first.weight.tolist() == [[3.0, 3.0], [3.0, 3.0]]

    def test_gradients_add_up_and_conversions_keep_the_tie(self):
        tied = Tied().double()
        assert tied.first.weight is tied.second.weight
        tied(pellucid.ones(1, 2, dtype="float64")).sum().backward()
        whole = tied.first.weight.grad.clone()
        parts = []
        for name in ("first", "second"):
            apart = copy.deepcopy(tied)
            getattr(apart, name).weight = nn.Parameter(tied.first.weight.detach())
            apart.zero_grad()
            apart(pellucid.ones(1, 2, dtype="float64")).sum().backward()
            parts.append(getattr(apart, name).weight.grad.array)
        np.testing.assert_allclose(whole.array, parts[0] + parts[1], rtol=1e-12)

    def test_deep_copies_are_tied_among_themselves(self):
        tied = Tied()
        other = copy.deepcopy(tied)
        assert other.first.weight is other.second.weight
        assert other.first.weight is not tied.first.weight


class TestStateDict:
    def test_values_share_memory_and_have_no_history(self):
        block = Block()
        state = block.state_dict()
        assert list(state) == ["scale", "seen", "linear.weight", "linear.bias"]
        assert state["scale"].array is block.scale.array
        assert not any(x.requires_grad for x in state.values())

    def test_loading_copies_and_casts(self):
        block, state = Block(), Block().state_dict()
        own, before = block.scale.array, state["scale"].array.copy()
        state["scale"] = state["scale"].double()
        state["seen"] = [5.0, 6.0]
        assert block.load_state_dict(state) == ([], [])
        assert block.scale.array is own
        assert block.scale.dtype == pellucid.float32
        assert block.seen.dtype == pellucid.int64
        assert block.seen.tolist() == [5, 6]
        state["scale"].fill_(0.0)
        assert block.scale.array.tolist() == before.tolist()

    def test_a_loaded_tensor_has_a_new_version(self):
        block = Block()
        y = (block.scale * block.scale).sum()
        block.load_state_dict(block.state_dict())
        with pytest.raises(GraphError, match="changed in place"):
            y.backward()

    def test_what_does_not_fit(self):
        block = Block()
        before = {name: x.array.copy() for name, x in block.state_dict().items()}
        state = {"linear.weight": np.ones((3, 2)), "seen": np.ones(1), "gamma": 1, "linear.b": 2}
        with pytest.raises(StateError) as caught:
            block.load_state_dict({"scale": np.zeros(2), **state})
        assert str(caught.value) == (
            "Block.load_state_dict: the state does not fit the module: "
            "1 missing, 2 unexpected, 2 of another shape\n"
            "  missing: linear.bias    unexpected: gamma, linear.b    "
            "of another shape: seen is (1,), not (2,); linear.weight is (3, 2), not (2, 2)\n"
            "  fix: build the module as it was when the state was saved"
        )
        for name, x in block.state_dict().items():
            np.testing.assert_array_equal(x.array, before[name])

    def test_missing_and_unexpected_alone(self):
        with pytest.raises(StateError) as caught:
            nn.Linear(2, 2).load_state_dict({"weight": np.ones((2, 2)), "gamma": 1})
        assert str(caught.value) == (
            "Linear.load_state_dict: the state does not fit the module: 1 missing, 1 unexpected\n"
            "  missing: bias    unexpected: gamma\n"
            "  fix: build the module as it was when the state was saved, "
            "or pass strict=False to load what both have"
        )

    def test_not_strict(self):
        layer = nn.Linear(2, 2)
        bias = layer.bias.tolist()
        found = layer.load_state_dict({"weight": np.ones((2, 2)), "gamma": 1}, strict=False)
        assert found.missing_keys == ["bias"]
        assert found.unexpected_keys == ["gamma"]
        assert layer.weight.tolist() == [[1.0, 1.0], [1.0, 1.0]]
        assert layer.bias.tolist() == bias

    def test_another_shape_is_an_error_even_if_not_strict(self):
        with pytest.raises(StateError) as caught:
            nn.Linear(2, 2).load_state_dict({"weight": np.ones((2, 3)), "gamma": 1}, strict=False)
        assert str(caught.value) == (
            "Linear.load_state_dict: the state does not fit the module: 1 of another shape\n"
            "  of another shape: weight is (2, 3), not (2, 2)\n"
            "  fix: build the module as it was when the state was saved"
        )

    def test_values_that_are_no_numbers(self):
        with pytest.raises(DTypeError) as caught:
            nn.Linear(2, 2).load_state_dict({"weight": "weights.bin", "bias": np.ones(2)})
        assert str(caught.value) == (
            "load_state_dict: 'weight' is a str, neither tensor nor array of numbers\n"
            "  fix: pass what state_dict() returned"
        )

    def test_read_only_memory_changes_nothing(self):
        block = Block()
        block.linear.bias = nn.Parameter(np.broadcast_to(np.float32(0), 2))
        before = block.scale.tolist()
        with pytest.raises(StateError) as caught:
            block.load_state_dict({n: np.full(x.shape, 9) for n, x in block.state_dict().items()})
        assert str(caught.value) == (
            "Block.load_state_dict: the memory of linear.bias is read-only\n"
            "  fix: make these parameters and buffers of copies"
        )
        assert block.scale.tolist() == before


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(copied):
    block = Block()
    other = copied(block)
    with pellucid.no_grad():
        other.scale.fill_(0.0)
    assert block.scale.tolist() == [2.0, 3.0]
    assert list(other.state_dict()) == list(block.state_dict())


@pytest.mark.parametrize(("state", "kind"), [(None, "NoneType"), ([1], "list"), ({3: 1}, "dict")])
def test_a_state_is_a_mapping_of_names(state, kind):
    with pytest.raises(DTypeError) as caught:
        nn.Linear(1, 1).load_state_dict(state)
    assert str(caught.value) == (
        f"Linear.load_state_dict: a {kind} is no mapping of names to tensors\n"
        "  fix: pass what state_dict() or pellucid.load(path) returned"
    )
