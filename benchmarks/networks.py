"""The shapes that `conv.py` measures: the convolutions of well-known networks, as one-line specs.

    python -m benchmarks.networks            hold the files in shapes/ against the networks below
    python -m benchmarks.networks --write    write them

A network is written down here as a model is, and its convolutions are collected as it is walked.
Each file has one line for each different spec, with the number of times the network uses it.
The files were there before any kernel was tuned; from then on they may only grow.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pellucid.kernels.conv import ConvSpec

FOLDER = Path(__file__).parent / "shapes"
# A spec of more than this is measured with half the batch, or a quarter, and used twice or four
# times as often.
MOST_FLOPS = 20e9
# Measured by --full alone: long, and of a class that other networks fill.
FULL_ONLY = ("vgg11",)

WINOGRAD_CLASSES = ("3x3 stride 1", "5x5 stride 1")
DENSE_CLASSES = (*WINOGRAD_CLASSES, "1x1", "other dense", "first layers")
CLASSES = (*DENSE_CLASSES, "depthwise", "thin groups")
# Outside the seven: here the call itself is measured, not the arithmetic.
TINY, TINY_FLOPS = "tiny", 1e5


@dataclass(frozen=True)
class Use:
    """One line of a file: a network computes `spec` so many times in one pass.

    In a transposed convolution, `spec` is the convolution whose grad_input it is.
    """

    uses: int
    spec: ConvSpec
    transposed: bool = False

    def __str__(self) -> str:
        return f"{self.uses:5}  {self.spec}{'  transposed' if self.transposed else ''}"


def class_of(spec: ConvSpec) -> str:
    """Return the class of the issue's table that a spec belongs to."""
    C, G = spec.in_channels, spec.groups
    channels = min(C // G, spec.out_channels // G)
    plain = spec.axes == 2 and {*spec.stride, *spec.dilation} == {1} and channels >= 16
    if spec.flops < TINY_FLOPS:
        return TINY
    if G > 1 and C // G < 16:
        return "depthwise" if C == G else "thin groups"
    if C <= 4:
        return "first layers"
    if set(spec.kernel) == {1}:
        return "1x1"
    if plain and spec.kernel in ((3, 3), (5, 5)):
        return f"{spec.kernel[0]}x{spec.kernel[1]} stride 1"
    return "other dense"


class Walk:
    """A walk through a network: the shape in hand, and the convolutions met so far."""

    def __init__(self, n: int, c: int, *size: int) -> None:
        self.n, self.c, self.size = n, c, size
        self.met: list[Use] = []

    def branch(
        self, o: int, k: int, s: int = 1, p: int | None = None, d: int = 1, g: int = 1
    ) -> ConvSpec:
        """Meet a convolution beside the main path; p keeps the size unless it is given."""
        spec = ConvSpec.from_shapes(
            (self.n, self.c, *self.size),
            (o, self.c // g, *[k] * len(self.size)),
            stride=s,
            padding=d * (k // 2) if p is None else p,
            dilation=d,
            groups=g,
        )
        self.met.append(Use(1, spec))
        return spec

    def conv(
        self, o: int, k: int, s: int = 1, p: int | None = None, d: int = 1, g: int = 1
    ) -> Walk:
        """Meet a convolution, and go on with its output."""
        spec = self.branch(o, k, s, p, d, g)
        self.c, self.size = o, spec.out_size
        return self

    def up(self, o: int, k: int, s: int) -> Walk:
        """Meet a transposed convolution without padding, and go on with its output."""
        self.size = tuple((size - 1) * s + k for size in self.size)
        spec = ConvSpec.from_shapes(
            (self.n, o, *self.size), (self.c, o, *[k] * len(self.size)), stride=s
        )
        self.met.append(Use(1, spec, transposed=True))
        self.c = o
        return self

    def pool(self) -> Walk:
        """Halve the size."""
        self.size = tuple(size // 2 for size in self.size)
        return self


def resnet(blocks: Iterable[int], block: Callable[[Walk, int, int], None]) -> list[Use]:
    """Walk a ResNet for ImageNet (He et al. 2015), with the stride in the 3x3 convolution."""
    walk = Walk(8, 3, 224, 224).conv(64, 7, s=2).pool()
    for stage, count in enumerate(blocks):
        for index in range(count):
            block(walk, 64 << stage, 2 if stage and not index else 1)
    return walk.met


def basic(walk: Walk, width: int, stride: int) -> None:
    if walk.c != width:
        walk.branch(width, 1, stride)
    walk.conv(width, 3, stride).conv(width, 3)


def bottleneck(walk: Walk, width: int, stride: int) -> None:
    if walk.c != 4 * width:
        walk.branch(4 * width, 1, stride)
    walk.conv(width, 1).conv(width, 3, stride).conv(4 * width, 1)


def resnext_bottleneck(walk: Walk, width: int, stride: int) -> None:
    """32x4d: twice the width, in 32 groups."""
    if walk.c != 4 * width:
        walk.branch(4 * width, 1, stride)
    walk.conv(2 * width, 1).conv(2 * width, 3, stride, g=32).conv(4 * width, 1)


def resnext50_grouped() -> list[Use]:
    """Its grouped convolutions alone: the others are those of ResNet-50, or nearly."""
    met = resnet((3, 4, 6, 3), resnext_bottleneck)
    return [use for use in met if use.spec.groups > 1]


def resnet20() -> list[Use]:
    """For 32x32 images, with shortcuts that have no convolution (He et al. 2015, option A)."""
    walk = Walk(128, 3, 32, 32).conv(16, 3)
    for width in (16, 32, 64):
        for _ in range(3):
            walk.conv(width, 3, s=1 if walk.c == width else 2).conv(width, 3)
    return walk.met


def mobilenet_v2() -> list[Use]:
    """Sandler et al. 2018, table 2."""
    walk = Walk(8, 3, 224, 224).conv(32, 3, s=2)
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
    for expansion, width, count, stride in [*stages, (6, 160, 3, 2), (6, 320, 1, 1)]:
        for index in range(count):
            hidden = walk.c * expansion
            if expansion > 1:
                walk.conv(hidden, 1)
            walk.conv(hidden, 3, s=1 if index else stride, g=hidden).conv(width, 1)
    return walk.conv(1280, 1).met


def vgg11() -> list[Use]:
    """Simonyan and Zisserman 2014, configuration A."""
    walk = Walk(8, 3, 224, 224)
    for widths in ((64,), (128,), (256, 256), (512, 512), (512, 512)):
        for width in widths:
            walk.conv(width, 3)
        walk.pool()
    return walk.met


def lenet(n: int) -> list[Use]:
    """The network of the worked example: 28x28 digits, two convolutions."""
    return Walk(n, 1, 28, 28).conv(16, 5).pool().conv(32, 3, p=0).met


def unet() -> list[Use]:
    """Ronneberger et al. 2015, padded, on 128x128."""
    walk, widths = Walk(4, 1, 128, 128), (64, 128, 256, 512)
    for width in widths:
        walk.conv(width, 3).conv(width, 3).pool()
    walk.conv(1024, 3).conv(1024, 3)
    for width in reversed(widths):
        walk.up(width, 2, s=2)
        walk.c = 2 * width  # beside what the way down has kept
        walk.conv(width, 3).conv(width, 3)
    return walk.conv(2, 1).met


def listed(*lines: str) -> list[Use]:
    return [Use(1, ConvSpec.parse(line)) for line in lines]


def first_layers() -> list[Use]:
    return listed(
        "n144 c1 i28x28 o32 k3 p1",
        "n144 c1 i28x28 o6 k5 p2",
        "n8 c1 i224x224 o32 k3 p1",
        "n8 c1 i224x224 o64 k7 s2 p3",
        "n128 c3 i32x32 o32 k5 p2",
        "n8 c3 i224x224 o64 k11 s4 p2",  # AlexNet
        "n8 c3 i224x224 o96 k4 s4",  # ConvNeXt
    )


def large_kernels() -> list[Use]:
    return listed(
        "n8 c64 i27x27 o192 k5 p2",  # AlexNet
        "n8 c16 i28x28 o32 k5 p2",  # GoogLeNet, 3a
        "n8 c32 i28x28 o96 k5 p2",  # 3b
        "n8 c32 i14x14 o128 k5 p2",  # 4e
        "n8 c48 i7x7 o128 k5 p2",  # 5b
        "n32 c32 i14x14 o32 k5 p2",
        "n32 c32 i32x32 o32 k5 p2",
        "n8 c64 i56x56 o64 k5 p2",
        "n32 c8 i32x32 o16 k5 p2",
        "n8 c64 i56x56 o128 k5 s2 p2",
        "n8 c32 i56x56 o32 k7 p3",
        "n8 c64 i28x28 o64 k7 p3",
        "n8 c128 i28x28 o128 k7 s2 p3",
    )


def dilated() -> list[Use]:
    return listed(
        "n8 c64 i56x56 o64 k3 p2 d2",
        "n8 c256 i28x28 o256 k3 p2 d2",  # a ResNet that keeps 28x28 (DRN, DeepLab)
        "n8 c512 i28x28 o512 k3 p4 d4",
        "n8 c64 i28x28 o64 k3 p6 d6",
        "n8 c32 i56x56 o32 k5 p4 d2",
    )


def one_axis() -> list[Use]:
    return listed(
        "n16 c64 i4000 o64 k9 p4",
        "n16 c64 i4000 o64 k25 p12",
        "n16 c64 i4000 o128 k9 s2 p4",
        "n16 c64 i4000 o64 k3 p4 d4",
    )


def three_axes() -> list[Use]:
    return listed(
        "n2 c16 i16x56x56 o16 k3 p1",
        "n2 c16 i16x56x56 o32 k3 s2 p1",
        "n2 c3 i16x112x112 o32 k3x7x7 s1x2x2 p1x3x3",
    )


# For each file: what it holds, and the walk that makes it.
NETWORKS: dict[str, tuple[str, Callable[[], list[Use]]]] = {
    "lenet_n144": ("LeNet on 28x28, batch 144", lambda: lenet(144)),
    "lenet_n1": ("LeNet on 28x28, batch 1", lambda: lenet(1)),
    "resnet20": ("ResNet-20 on 32x32, batch 128", resnet20),
    "resnet18": ("ResNet-18 on 224x224, batch 8", lambda: resnet((2, 2, 2, 2), basic)),
    "resnet50": ("ResNet-50 on 224x224, batch 8", lambda: resnet((3, 4, 6, 3), bottleneck)),
    "resnext50": ("ResNeXt-50 32x4d, its grouped convolutions, batch 8", resnext50_grouped),
    "mobilenet_v2": ("MobileNetV2 on 224x224, batch 8", mobilenet_v2),
    "vgg11": ("VGG-11 on 224x224, batch 8", vgg11),
    "unet": ("U-Net on 128x128, batch 4", unet),
}
# Files of single layers, which are no network and have no sum.
SINGLES: dict[str, tuple[str, Callable[[], list[Use]]]] = {
    "first_layers": ("first layers with 1 and 3 channels", first_layers),
    "large_kernels": ("5x5 and 7x7", large_kernels),
    "dilated": ("dilated", dilated),
    "one_axis": ("one spatial axis", one_axis),
    "three_axes": ("three spatial axes", three_axes),
    "tiny": ("the cost of a call", lambda: listed("c1 i8x8 o4 k3")),
}


def fitted(use: Use) -> Use:
    """Halve the batch, and use the spec twice as often, until it is not above MOST_FLOPS."""
    while use.spec.flops > MOST_FLOPS and use.spec.batch % 2 == 0:
        half = replace(use.spec, batch=use.spec.batch // 2)
        use = Use(use.uses * 2, half, use.transposed)
    return use


def text_of(name: str) -> str:
    """Return what belongs into the file of that name."""
    title, walk = (NETWORKS | SINGLES)[name]
    counts: Counter[tuple[ConvSpec, bool]] = Counter()
    for use in map(fitted, walk()):
        counts[use.spec, use.transposed] += use.uses
    lines = [str(Use(uses, *key)) for key, uses in counts.items()]
    head = f"# {title}. Written by benchmarks/networks.py.\n# uses  spec\n"
    return head + "\n".join(lines) + "\n"


def read(name: str) -> list[Use]:
    """Return the uses that a file lists."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if not line.startswith("#"):
            uses, spec = line.removesuffix("  transposed").split(maxsplit=1)
            found.append(Use(int(uses), ConvSpec.parse(spec), line.endswith("transposed")))
    return found


def stale() -> list[str]:
    """Return the names of files that are not what this script writes."""
    names = {*NETWORKS, *SINGLES}
    there = {path.stem: path.read_text() for path in FOLDER.glob("*.txt")}
    return sorted(
        name
        for name in names | there.keys()
        if name not in names or there.get(name) != text_of(name)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the files in shapes/")
    if parser.parse_args().write:
        FOLDER.mkdir(exist_ok=True)
        for name in NETWORKS | SINGLES:
            (FOLDER / f"{name}.txt").write_text(text_of(name))
    for name in (wrong := stale()):
        print(f"shapes/{name}.txt is not what benchmarks/networks.py writes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
