"""Models for inference: what is folded, what is left alone, and that the answers stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid import models, nn
from pellucid.autograd import Function
from pellucid.errors import UnsupportedError
from pellucid.inference import PackedConv
from pellucid.kernels.layout import as_channels_last
from pellucid.kernels.native import module as native
from pellucid.models.resnet import BasicBlock, Bottleneck, ResNet, SmallResNet
from pellucid.models.unet import UNet
from pellucid.models.vgg import VGG
from pellucid.nn.fusion import with_relu

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


NARROW = ((4,), (8,), (8, 8), (8, 8), (8, 8))
# A model, the shape of x, and the ops that are left beside the convolutions that take a ReLU in.
MODELS: dict[str, tuple[Any, tuple[int, ...], set[str]]] = {
    "lenet": (models.lenet, (2, 1, 28, 28), {"MaxPool", "Reshape", "Linear", "ReLU"}),
    "resnet20": (
        lambda: SmallResNet(1, width=4), (2, 3, 16, 16),
        {"GetItem", "Pad", "AdaptiveAvgPool", "Reshape", "Linear"},
    ),
    "resnet18": (
        lambda: ResNet(BasicBlock, (1, 1, 2, 1), width=4), (2, 3, 48, 32),
        {"MaxPool", "AdaptiveAvgPool", "Reshape", "Linear"},
    ),
    "resnet50": (
        lambda: ResNet(Bottleneck, (1, 1, 2, 1), width=4), (2, 3, 48, 32),
        {"MaxPool", "AdaptiveAvgPool", "Reshape", "Linear"},
    ),
    "mobilenet_v2": (
        models.mobilenet_v2, (1, 3, 32, 32), {"Add", "AdaptiveAvgPool", "Reshape", "Linear"},
    ),
    "vgg11": (
        lambda: VGG(NARROW, hidden=8), (2, 3, 32, 32),
        {"MaxPool", "AdaptiveAvgPool", "Reshape", "Linear", "ReLU"},
    ),
    "unet": (
        lambda: UNet(base=4, levels=2), (2, 1, 16, 16), {"MaxPool", "Cat", "ConvTranspose"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_model_answers_the_same_in_fewer_ops(name, dtype, monkeypatch) -> None:
    make, shape, left = MODELS[name]
    pellucid.manual_seed(2)
    model = trained(make()).eval()
    model = model.double() if dtype == "float64" else model
    fast = pellucid.optimize_for_inference(model)
    x = pellucid.from_numpy(rng.standard_normal(shape).astype(dtype))
    tolerance = 1e-11 if dtype == "float64" else 1e-4
    wanted = model(x).array
    for _ in range(2):
        error = abs(fast(x).array - wanted).max()
        assert error <= tolerance * abs(wanted).max()
    ran: set[str] = set()
    apply = Function.__dict__["_apply"].__func__
    monkeypatch.setattr(
        Function, "_apply", classmethod(lambda op, *args: ran.add(op.__name__) or apply(op, *args))
    )
    fast(x)
    assert ran == left


@pytest.mark.parametrize("relu", [nn.ReLU(), nn.ReLU6()])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("residual", [None, "alike", "row-major", "broadcast"])
def test_what_follows_a_convolution_is_part_of_it(relu, norm, residual, monkeypatch) -> None:
    """With a ceiling that some elements reach, and a NaN that stays one."""
    if residual is None:
        monkeypatch.delattr("pellucid.inference.add_relu_")  # no pass of its own
    model = trained(nn.Sequential(nn.Conv2d(3, 20, 3), nn.BatchNorm2d(20)))
    layers = (model if norm else model[:1]).double().eval()
    fast = pellucid.optimize_for_inference(layers)
    x = images(2, 3, 7, 6)
    x.array *= 20
    x.array[1, 1, 2, 2] = np.nan
    r = None
    if residual is not None:
        r = pellucid.tensor(np.random.default_rng(1).normal(0, 20, (2, 20, 5, 4)))
        if residual == "alike":
            r = pellucid.from_numpy(as_channels_last(r.array))
        elif residual == "broadcast":
            r = r[:1, :, :1]
    y = layers(x)
    wanted = relu(y if r is None else y + r)
    fast(x)  # folds
    *before, last = fast.model
    z = x
    for layer in before:
        z = layer(z)
    found = with_relu(last, relu, z, r)
    np.testing.assert_allclose(found.array, wanted.array, rtol=1e-12, atol=1e-12)
    assert np.isnan(found.array).any()
    if isinstance(relu, nn.ReLU6):
        assert (found.array == 6).any()


class Shaped(nn.Module):
    """Asks for the shape of what lies between a convolution and its normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = (
            nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"),
            nn.BatchNorm2d(3),
        )
        self.asks = "shape"

    def forward(self, x: pellucid.Tensor) -> pellucid.Tensor:
        y = self.conv(x)
        if self.asks == "another":
            return self.norm(y * 1)
        N, C, *_ = y.shape
        z = self.norm(y).reshape(N, C, -1)
        return z + y.array[0, 0, 0, 0] if self.asks == "elements" else z


def test_the_shape_between_is_there_and_elements_are_not() -> None:
    model = trained(Shaped()).double().eval()
    fast = pellucid.optimize_for_inference(model)
    x = images(2, 2, 4, 4)
    for _ in range(2):
        np.testing.assert_allclose(fast(x).array, model(x).array, rtol=1e-12)
    fast.model.asks = "elements"
    assert np.isnan(fast(x).array).all()
    fast.model.asks = "another"
    with pytest.raises(UnsupportedError) as raised:
        fast(x)
    assert str(raised.value) == (
        "optimize_for_inference: the model takes another way than in its first call: a "
        "normalisation that went into a convolution is given another tensor\n"
        "  x (2, 3, 4, 4)\n  fix: call the model itself"
    )


def test_an_overflow_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On NumPy kernels too, as in the model itself; warnings are errors here."""
    monkeypatch.setattr("pellucid.kernels.conv.choose", lambda *_: "im2col")
    fast = pellucid.optimize_for_inference(nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU()))
    x = pellucid.from_numpy(np.full((1, 2, 3, 3), 1e38, np.float32))
    for layer in fast.model[:1]:
        layer.weight.array[...] = 1e38
    for _ in range(2):
        assert (fast(x).array == np.inf).all()


@needs_native
def test_the_first_call_keeps_no_activations() -> None:
    """Its graph says who made what, and holds none of the forty arrays on the way."""
    layers = [layer for _ in range(20) for layer in (nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8))]
    fast = pellucid.optimize_for_inference(nn.Sequential(*layers))
    x = images(1, 8, 128, 128).float()
    native.take_pool_peak()
    before, *_ = native.pool_state()
    fast(x)
    assert native.take_pool_peak() - before < 6 * x.array.nbytes


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
