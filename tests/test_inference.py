"""Models for inference: what is folded, what is left alone, and that the answers stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import UnsupportedError
from pellucid.inference import PackedConv

rng = np.random.default_rng(0)


def trained(model: nn.Module) -> nn.Module:
    """The model with statistics, weights and biases other than those it starts from."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            for tensor, low in (
                (module.running_mean, -1), (module.running_var, 0.5), (module.weight, 0.5),
                (module.bias, -1),
            ):  # fmt: skip
                if tensor is not None:
                    tensor.array[...] = rng.uniform(low, 1, tensor.shape)
    return model


def images(*shape: int) -> pellucid.Tensor:
    return pellucid.from_numpy(rng.standard_normal(shape))


def kinds(model: nn.Module) -> list[str]:
    return [type(module).__name__ for module in model.modules()]


class Residual(nn.Module):
    """Code that no list of layers describes."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(6)  # in another order than they are called
        self.conv = nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect")
        self.last = nn.BatchNorm2d(6, affine=False)
        self.narrow = nn.Conv2d(6, 6, 1, bias=False)

    def forward(self, x: pellucid.Tensor) -> pellucid.Tensor:
        return x + self.last(self.narrow(self.norm(self.conv(x)).relu()))


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.BatchNorm2d(6), nn.ReLU(), Residual()), (3, 9, 9)),
        (nn.Sequential(nn.Conv1d(4, 6, 3, groups=2), nn.BatchNorm1d(6)), (4, 9)),
        (nn.Conv2d(3, 2, 3), (3, 9, 9)),
    ],
)
def test_answers_stay_and_norms_are_gone(model: nn.Module, shape: tuple[int, ...]) -> None:
    model = trained(model).double().eval()
    fast = pellucid.optimize_for_inference(model)
    for batch in (2, 1, 3):
        x = images(batch, *shape)
        np.testing.assert_allclose(fast(x).array, model(x).array, rtol=1e-12, atol=1e-12)
    assert not [kind for kind in kinds(fast) if "Norm" in kind]
    assert "PackedConv" in kinds(fast)
    assert "PackedConv" not in kinds(model)


def test_another_size_of_x_packs_again() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3)).eval()
    fast = pellucid.optimize_for_inference(model)
    for size in (9, 12, 9):
        x = images(1, 3, size, size).float()
        np.testing.assert_array_equal(fast(x).array, model(x).array)


class Forked(nn.Module):
    """Each way in which a normalisation may not be folded."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.conv, self.norm, self.way = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), way
        if way == "no statistics":
            self.norm = nn.BatchNorm2d(2, track_running_stats=False)

    def forward(self, x: pellucid.Tensor) -> Any:
        y = self.conv(x)
        if self.way == "conv used twice":
            return self.norm(y) + y
        if self.way == "conv is a result":
            return {"y": [y], "z": self.norm(y)}
        if self.way == "norm called twice":
            return self.norm(y) + self.norm(x)
        if self.way == "conv called twice":
            return self.norm(self.conv(y))
        if self.way == "an op between":
            return self.norm(y * 2)
        return self.norm(y)


@pytest.mark.parametrize(
    "way",
    ["conv used twice", "conv is a result", "norm called twice", "conv called twice",
     "an op between", "no statistics", "a hook"],
)  # fmt: skip
def test_what_is_not_folded(way: str) -> None:
    model = trained(Forked(way)).double().eval()
    if way == "a hook":
        model.norm.register_forward_hook(lambda module, args, y: y * 3)
    fast = pellucid.optimize_for_inference(model)
    x = images(2, 2, 4, 4)
    found, wanted = fast(x), model(x)
    if way == "conv is a result":
        found, wanted = found["z"] + found["y"][0], wanted["z"] + wanted["y"][0]
    np.testing.assert_allclose(found.array, wanted.array, rtol=1e-12)
    assert "BatchNorm2d" in kinds(fast)


def test_frozen_parameters_stay_frozen() -> None:
    model = trained(nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))).double().eval()
    for p in model.parameters():
        p.requires_grad_(False)
    fast = pellucid.optimize_for_inference(model)
    x = images(1, 2, 4, 4)
    np.testing.assert_allclose(fast(x).array, model(x).array, rtol=1e-12)
    assert "BatchNorm2d" not in kinds(fast)


def test_the_model_itself_is_left_alone() -> None:
    model = trained(nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))).train()
    before = {name: tensor.array.copy() for name, tensor in model.state_dict().items()}
    y = pellucid.optimize_for_inference(model)(images(1, 2, 4, 4).float())
    assert model.training
    assert not y.requires_grad
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(tensor.array, before[name])


def test_a_gradient_by_the_input_is_refused() -> None:
    fast = pellucid.optimize_for_inference(nn.Conv2d(2, 2, 1))
    x = pellucid.ones(1, 2, 4, 4, requires_grad=True)
    with pytest.raises(UnsupportedError) as raised:
        fast(x)
    assert str(raised.value) == (
        "optimize_for_inference: a gradient is asked for by an input of a model that was made for "
        "inference\n  fix: call the model itself, or call this one inside no_grad()"
    )
    with pellucid.no_grad():
        assert not fast(x).requires_grad
    assert isinstance(fast.model, PackedConv)
