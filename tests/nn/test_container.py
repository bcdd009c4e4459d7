"""Containers: order, names, indices, slices, and what does not belong in them."""

from collections import OrderedDict

import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError, DTypeError, IndexingError


class TestSequential:
    def test_calls_in_order(self):
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        x = pellucid.randn(3, 2)
        assert net(x).tolist() == net[1](net[0](x)).tolist()
        assert nn.Sequential()(5) == 5

    def test_names(self):
        net = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), act=nn.ReLU()))
        assert list(net.state_dict()) == ["conv.weight", "conv.bias"]
        assert net.conv is net[0]
        assert list(nn.Sequential({}).children()) == []

    def test_a_list_s_ways(self):
        parts = [nn.ReLU(), nn.Tanh(), nn.Sigmoid()]
        net = nn.Sequential(*parts)
        assert len(net) == 3
        assert list(net) == parts
        assert net[-1] is parts[2]
        net[-1] = nn.GELU()
        assert repr(net[2]) == "GELU(approximate='none')"
        assert net.append(nn.ReLU6()).extend([nn.ELU()]) is net
        assert [name for name, _ in net.named_children()] == ["0", "1", "2", "3", "4"]

    def test_slices_keep_names_and_modules(self):
        net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 2), nn.Linear(2, 3))
        tail = net[1:]
        assert tail[0] is net[1]
        assert list(tail.state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
        tail.append(nn.Linear(3, 4))
        assert [name for name, _ in tail.named_children()] == ["1", "2", "3"]
        assert len(net) == 3

    def test_what_is_no_module(self):
        with pytest.raises(DTypeError) as caught:
            nn.Sequential(nn.ReLU(), len)
        assert str(caught.value) == (
            "Sequential: the submodule '1' is a builtin_function_or_method, no Module\n"
            "  fix: pass a Module or None"
        )

    def test_names_that_the_class_defines(self):
        with pytest.raises(ArgumentError, match="cannot be named 'append'"):
            nn.Sequential({"append": nn.ReLU()})

    @pytest.mark.parametrize("index", [2, -3])
    def test_outside(self, index):
        with pytest.raises(IndexingError) as caught:
            nn.Sequential(nn.ReLU(), nn.ReLU())[index]
        assert str(caught.value) == (
            f"Sequential: index {index} lies outside its 2 modules\n"
            "  fix: use an index from -2 to 1"
        )


class TestModuleList:
    def test_a_list_s_ways(self):
        layers = nn.ModuleList([nn.Linear(1, 1)])
        layers.append(nn.Linear(1, 1)).extend([nn.ReLU()])
        layers[0] = nn.Identity()
        assert len(layers) == 3
        assert isinstance(layers[-1], nn.ReLU)
        assert list(layers.state_dict()) == ["1.weight", "1.bias"]
        assert [name for name, _ in layers[1:].named_children()] == ["0", "1"]
        assert layers[1:][0] is layers[1]

    def test_registers_with_its_owner(self):
        owner = nn.Module()
        owner.layers = nn.ModuleList(nn.Linear(1, 1) for _ in range(2))
        assert [n for n, _ in owner.named_parameters()] == [
            "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
        ]  # fmt: skip

    def test_repr_joins_equal_neighbours(self):
        layers = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh(), nn.ReLU()])
        assert repr(layers) == ("ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n  (3): ReLU()\n)")

    def test_outside(self):
        with pytest.raises(IndexingError, match="index 0 lies outside its 0 modules"):
            nn.ModuleList()[0]
