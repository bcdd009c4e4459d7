from __future__ import annotations

from math import prod

import pytest
from benchmarks import networks
from benchmarks.networks import CLASSES, NETWORKS, SINGLES, TINY, Use, class_of, fitted

from pellucid import models, nn
from pellucid.kernels.conv import ConvSpec


def test_files_are_what_the_script_writes() -> None:
    assert networks.stale() == [], "run: python -m benchmarks.networks --write"


# Weights of convolutions alone: torchvision's totals without biases, normalisation and the last
# linear layer; ResNet-20 and U-Net (two classes) likewise from the totals that are quoted of them.
@pytest.mark.parametrize(
    ("name", "layers", "weights"),
    [
        ("resnet18", 20, 11_166_912),
        ("resnet50", 53, 23_454_912),
        ("mobilenet_v2", 52, 2_189_760),
        ("vgg11", 8, 9_217_728),
        ("resnet20", 19, 267_696),
        ("lenet_n144", 2, 16 * 25 + 32 * 16 * 9),
        ("unet", 23, 31_023_808),
    ],
)
def test_networks_have_their_layers_and_weights(name: str, layers: int, weights: int) -> None:
    met = NETWORKS[name][1]()
    assert len(met) == layers
    assert sum(prod(use.spec.w_shape) for use in met) == weights


@pytest.mark.parametrize(
    "name", ["lenet_n1", "resnet18", "resnet20", "resnet50", "mobilenet_v2", "unet"]
)
def test_networks_have_the_convolutions_of_our_models(name: str) -> None:
    kinds = nn.Conv2d, nn.ConvTranspose2d
    layers = getattr(models, name.removesuffix("_n1"))().modules()
    ours = [(layer.weight.shape, layer.stride) for layer in layers if isinstance(layer, kinds)]
    met = [(use.spec.w_shape, use.spec.stride) for use in NETWORKS[name][1]()]
    assert sorted(ours) == sorted(met)


@pytest.mark.parametrize("name", NETWORKS)
def test_files_hold_the_arithmetic_of_a_whole_pass(name: str) -> None:
    listed = sum(use.uses * use.spec.flops for use in networks.read(name))
    assert listed == sum(use.spec.flops for use in NETWORKS[name][1]())


@pytest.mark.parametrize("name", NETWORKS | SINGLES)
def test_specs_are_listed_once_and_can_be_run_by_both_sides(name: str) -> None:
    uses = networks.read(name)
    assert len({(use.spec, use.transposed) for use in uses}) == len(uses)
    for use in uses:
        assert use.spec.flops <= networks.MOST_FLOPS
        assert all(low == high for low, high in use.spec.padding), "PyTorch pads both ends alike"


def test_every_class_has_shapes() -> None:
    specs = {use.spec for name in NETWORKS | SINGLES for use in networks.read(name)}
    assert {class_of(spec) for spec in specs} == {*CLASSES, TINY}


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("n8 c16 i32x32 o16 k3 p1", "3x3 stride 1"),
        ("n8 c512 i14x14 o512 k3 p1 g32", "3x3 stride 1"),
        ("n8 c16 i32x32 o16 k5", "5x5 stride 1"),
        ("n8 c15 i32x32 o16 k3 p1", "other dense"),
        ("n8 c16 i32x32 o16 k3 s2 p1", "other dense"),
        ("n8 c16 i32x32 o16 k3 d2", "other dense"),
        ("n8 c16 i320 o16 k3", "other dense"),
        ("n8 c64 i32x32 o64 k1 s2", "1x1"),
        ("n8 c4 i32x32 o16 k3 p1", "first layers"),
        ("n8 c32 i32x32 o32 k3 p1 g32", "depthwise"),
        ("n8 c32 i32x32 o64 k3 p1 g32", "depthwise"),
        ("n8 c64 i32x32 o64 k3 p1 g32", "thin groups"),
        ("c1 i8x8 o4 k3", "tiny"),
    ],
)
def test_classes(spec: str, kind: str) -> None:
    assert class_of(ConvSpec.parse(spec)) == kind


def test_a_spec_that_is_too_large_is_halved_and_used_twice() -> None:
    large = Use(1, ConvSpec.parse("n8 c512 i28x28 o512 k3 p1"))
    assert fitted(large) == Use(2, ConvSpec.parse("n4 c512 i28x28 o512 k3 p1"))


def test_a_stale_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(networks.SINGLES, "tiny", ("", lambda: networks.listed("c1 i9x9 o4 k3")))
    monkeypatch.delitem(networks.SINGLES, "dilated")
    assert networks.stale() == ["dilated", "tiny"]
