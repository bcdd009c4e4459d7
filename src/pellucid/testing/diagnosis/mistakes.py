"""The known mistakes: each a name and the ways in which it is made.

A mistake has a stable name, under which it is explained (english.py, korean.py), and as many forms
as people give it: a stride is ignored in a result of the right size or of the size that then comes
out, along both axes or one. Where two mistakes return the same for every input they are one, and
the name stands for both. The order is that in which they are named. Next room: search.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations
from typing import Any, NamedTuple

from pellucid.testing.diagnosis.placement import PADS
from pellucid.testing.diagnosis.predict import MAPS, Way
from pellucid.testing.diagnosis.problems import UNEQUAL


class Change(NamedTuple):
    """One form of a mistake: its name, what the text adds to it, and the way that it makes."""

    mistake: str
    form: str
    way: Way
    axis: str = ""  # "h" or "w" for a form along one axis alone


def _along(
    mistake: str, form: str = "", other: Way | None = None, /, **fields: str
) -> Iterator[Change]:
    """Yield the change along both axes, then along each one, with `other` keys beside it."""
    ways = {axis: {f"{axis}.{name}": value for name, value in fields.items()} for axis in "hw"}
    beside = other or {}
    yield Change(mistake, form, {**ways["h"], **ways["w"], **beside})
    for axis, way in ways.items():
        yield Change(mistake, form, {**way, **beside}, axis)


def _sized(mistake: str, form: str = "", /, **fields: str) -> Iterator[Change]:
    """Yield changes of the gradient of the input, in each size that may come of them."""
    yield from _along(mistake, form, **fields)
    for size in ("natural", "natural rest", "at most"):
        yield from _along(mistake, form, **fields, size=size)


def _tapped(mistake: str, form: str = "", /, **fields: str) -> Iterator[Change]:
    """Yield changes of the gradient of the weight, with each number of taps that may come."""
    yield from _along(mistake, form, **fields)
    for kernel in ("natural", "at most"):
        yield from _along(mistake, form, **fields, kernel=kernel)


def _flips(both: str) -> Iterator[Change]:
    for change in _along("", flip="yes"):
        name = "kernel-flipped-along-one-axis" if change.axis else both
        yield change._replace(mistake=name)


# --- the gradient of the input --------------------------------------------------------------------


def _stride_of_gx() -> Iterator[Change]:
    yield from _sized("stride-ignored", stride="one")
    for low in ("centred", "centred more", "end"):
        yield from _along("stride-ignored", "moved", stride="one", low=low)
    yield from _sized("wrong-number-of-zeros", "more", stride="more")
    yield from _sized("wrong-number-of-zeros", "less", stride="less")
    yield from _sized("wrong-number-of-zeros", "dilation more", dilation="more")
    yield from _sized("stride-and-dilation-exchanged", stride="dilation", dilation="stride")
    yield from _sized("stride-and-dilation-exchanged", stride="dilation")
    yield from _gathered("stride-and-dilation-exchanged", "", dilation="stride")


def _gathered(mistake: str, form: str, **fields: str) -> Iterator[Change]:
    """Yield changes of the kernel in a correlation with gy, which is padded for the right one."""
    yield from _sized(mistake, form, **fields)
    for size in ({}, {"size": "gathered"}, {"size": "gathered rest"}):
        yield from _along(mistake, "moved", **fields, low="gathered", **size)


def _dilation_of_gx() -> Iterator[Change]:
    yield from _gathered("dilation-ignored", "", dilation="one")


def _leftover_of_gx() -> Iterator[Change]:
    yield from _along("leftover-lost", size="natural")
    yield from _along("leftover-lost", "cut", limit="yes")
    for low in ("leftover", "half leftover", "more leftover"):
        yield from _along("leftover-misplaced", low, low=low)
    yield from _along("leftover-misplaced", "rest", size="always rest")


def _padding_of_gx() -> Iterator[Change]:
    for size in ("padded", "natural padded"):
        yield from _along("padding-not-cropped", low="zero", size=size)
    yield from _along("padding-not-cropped", "low", size="low cropped")
    yield from _along("padding-not-cropped", "high", low="zero", size="high cropped")
    for low in ("zero", "both ends"):
        yield from _along("padding-on-wrong-side", low, low=low)
    for size in ("cropped twice", "natural cropped twice"):
        yield from _along("padding-cropped-twice", low="both ends", size=size)
    yield from _along("padding-low-high-exchanged", low="high")
    yield from _along("empty-crop", size="empty")
    for pad in PADS:
        added = pad == "d (k - 1) + p"  # the same as windows that begin at i s + p
        name = "padding-on-wrong-side" if added else "not-full-correlation"
        for sized in ({}, {"size": pad}, {"size": f"{pad} rest"}):
            yield from _along(name, pad, low=pad, **sized)
    yield from _along("not-full-correlation", "same", low="same", size="gy")


_OTHER_SIZES = {
    "size": ("natural", "at most"),
    "kernel": ("natural", "at most"),
    "count": ("natural",),
}


def _exchanged_axes(sizes: str) -> Iterator[Change]:
    """One option of the other axis, along both axes (exchanged) or one (the same for both)."""
    name = "height-and-width-exchanged"
    for option in ("stride", "dilation", "low"):
        yield from _along(name, option, **{option: "other"})
        for size in _OTHER_SIZES[sizes]:
            yield from _along(name, option, **{option: "other", sizes: size})
    yield from _along(name, "taps", taps="other")
    yield from _along(name, "windows", windows="other")
    if sizes == "size":
        yield from _along(name, "size", size="other")
        for size in ("cropped by other", "sliced by other"):
            yield from _along(name, "low", low="other", size=size)
    everything = {"stride": "other", "dilation": "other", "low": "other"}
    yield from _along(name, "all", **everything)
    for size in _OTHER_SIZES[sizes]:
        yield from _along(name, "all", **everything, **{sizes: size})


def _loops(of: str) -> Iterator[Change]:
    """Loops that end early or begin late, and pixels before the first."""
    for windows in ("but the last", "but a fitting last", "but the first", "each stride"):
        yield from _along("window-missing", windows, windows=windows)
    for taps in ("but the last", "but the first", "each dilation"):
        yield from _along("tap-missing", taps, taps=taps)
    for low in ("earlier", "later"):
        yield from _along("shifted-by-one", low, low=low)
    yield from _along("negative-index", border="negative")
    for border in ("circular", "edge", "reflect"):
        yield from _along("padding-not-zero", border, border=border)


def _assigned_in_gx() -> Iterator[Change]:
    for end in ("last", "first"):
        for outputs in ({}, {"outputs": "last"}):
            yield from _along("assigned-not-added", end, outputs, winner=f"{end} of pixel")
    yield from _along("mean-for-sum", "overlap", mean="yes")


def _channels_of_gx() -> Iterator[Change]:
    yield Change("channel-axes-exchanged", "", {"weights": "exchanged"})
    for end in ("last", "first"):
        yield Change("channels-not-summed", end, {"outputs": end})
        yield Change("channels-not-summed", end, {"all outputs": end})
        yield Change("channels-mixed", "one", {"all outputs": f"{end} for all"})
        yield Change("channels-mixed", "one", {"outputs": f"{end} for all"})
        yield Change("channels-mixed", "one", {"channels": f"{end} for all"})
        yield Change("channels-mixed", "one", {"weights of output": f"{end} for all"})
        of_all = {"weights of": f"{end} for all", "weights of output": f"{end} for all"}
        yield Change("channels-mixed", "one", of_all)
        yield Change("channels-mixed", "only", {"channels": end})
        yield Change("images-mixed", "only", {"images": end})
        yield Change("images-mixed", "one", {"images": f"{end} for all"})
    yield Change("channels-mixed", "sum", {"outputs": "sum for all"})
    yield Change("channels-mixed", "sum", {"all outputs": "sum for all"})
    yield Change("channels-mixed", "sum", {"channels": "sum for all"})
    for images in ("sum for all", "sum in first"):
        yield Change("images-mixed", "sum", {"images": images})


def _groups(of: str) -> Iterator[Change]:
    for name in MAPS:
        if name != "own":
            yield Change("groups-mixed", name, {"groups": name})
    if of == "gw":
        yield Change("groups-mixed", "dense", {"result": "dense"})
    else:
        for source in ("first", "last"):
            yield Change("groups-mixed", "weights", {"weights of": f"{source} for all"})
    if of != "y":
        for source in ("first", "last"):
            yield Change("groups-mixed", "one", {"result": ("groups", f"{source} for all")})
    keys = {"gx": ("gy", "weights", "result"), "gw": ("gy", "x", "result"), "y": ("x", "weights")}
    for how in ("taken", "put"):
        for key in keys[of]:
            yield Change("groups-mixed", "interleaved", {key: ("groups", how)})


def _transposed_kernel() -> Iterator[Change]:
    name, weights = "kernel-axes-transposed", {"weights": "transposed"}
    yield Change(name, "", weights)
    for low, size in (("own", "natural"), ("gathered", "gathered"), ("gathered", "gathered rest")):
        fields = {"low": low, "size": size}
        axes = {f"{axis}.{key}": value for axis in "hw" for key, value in fields.items()}
        yield Change(name, "", {**axes, **weights})


def _orders(key: str, names: tuple[str, ...], grouped: str) -> Iterator[Change]:
    """Memory written in one order of the axes and read in another, of all or of each group."""
    for written, read in permutations(names, 2):
        for axis in ("", grouped):
            yield Change("reshape-for-transpose", key, {key: ("order", written, read, axis)})


def _results(axes: str, others: tuple[str, ...], grouped: str) -> Iterator[Change]:
    for change in _orders("result", (axes, *others), grouped):
        if axes in change.way["result"]:
            yield change


_GY_ORDERS = ("noij", "nijo", "njio", "onij", "oijn", "ijno", "ijon")
_COLUMN_ORDERS = ("nijcuv", "ncuvij", "cuvnij", "cuvijn", "ijncuv")
_W_ORDERS = ("ocuv", "couv", "cuvo", "uvco", "uvoc")


def _flipped_gy() -> Iterator[Change]:
    for axes in ("hw", "h", "w"):
        yield Change("gy-flipped", "", {"gy": ("flip", axes)}, axes if len(axes) == 1 else "")
    yield Change("image-axes-transposed", "gy", {"gy": ("transpose",)})


def _permuted(axes: str, named: dict[tuple[int, ...], str]) -> Iterator[Change]:
    """The result with its axes in another order."""
    for order in permutations(range(4)):
        if order != (0, 1, 2, 3):
            letters = " ".join(axes.split()[k] for k in order)
            yield Change(named.get(order, "axes-permuted"), letters, {"result": ("axes", order)})


def _factors() -> Iterator[Change]:
    for factor in ("-1", "1/N", "1/(OH OW)", "1/(N OH OW)", "2", "1/2"):
        yield Change(factor_mistake(factor), factor, {"factor": factor})


def factor_mistake(factor: str) -> str:
    """Return the name of the mistake of that factor, a key of FACTORS."""
    named = {"-1": "wrong-sign", "0": "all-zero"}
    if factor in named:
        return named[factor]
    return "mean-for-sum" if factor in {"1/N", "1/(OH OW)", "1/(N OH OW)"} else "wrong-factor"


def _of_gx() -> Iterator[Change]:
    yield from _flips("kernel-not-flipped")
    yield from _stride_of_gx()
    yield from _dilation_of_gx()
    yield from _leftover_of_gx()
    yield from _padding_of_gx()
    yield from _assigned_in_gx()
    yield from _channels_of_gx()
    yield from _groups("gx")
    yield from _transposed_kernel()
    yield from _exchanged_axes("size")
    yield from _loops("gx")
    yield from _flipped_gy()
    yield Change("result-flipped", "", {"result": ("flip", "hw")})
    yield from _permuted("N C H W", {(0, 1, 3, 2): "image-axes-transposed"})
    yield from _factors()
    yield from _orders("gy", _GY_ORDERS, "o")
    yield from _orders("columns", _COLUMN_ORDERS, "c")
    yield from _orders("weights", _W_ORDERS, "o")
    yield from _results("nchw", ("cnhw", "nhwc", "chwn"), "c")


# --- the gradient of the weight -------------------------------------------------------------------


def _windows_of_gw() -> Iterator[Change]:
    yield from _tapped("stride-ignored", stride="one")
    yield from _tapped("wrong-number-of-zeros", "more", stride="more")
    yield from _tapped("wrong-number-of-zeros", "less", stride="less")
    yield from _tapped("stride-and-dilation-exchanged", stride="dilation", dilation="stride")
    yield from _tapped("stride-and-dilation-exchanged", stride="dilation")
    yield from _tapped("stride-and-dilation-exchanged", dilation="stride")
    yield from _tapped("dilation-ignored", dilation="one")
    yield from _tapped("wrong-number-of-zeros", "dilation more", dilation="more")
    yield from _along("leftover-not-cropped", kernel="natural")
    for low in ("leftover", "half leftover", "more leftover"):
        yield from _along("leftover-misplaced", low, low=low)
    for kernel in ("own", "bare", "at most bare"):
        fields = {} if kernel == "own" else {"kernel": kernel}
        yield from _along("padding-ignored", low="zero", **fields)
    for low in ("both ends", "negative"):
        yield from _along("padding-on-wrong-side", low, low=low)
    yield from _along("padding-low-high-exchanged", low="high")


def _sums_of_gw() -> Iterator[Change]:
    for end in ("last", "first"):
        yield Change("batch-not-summed", end, {"images": end})
        for images in ({}, {"images": end}):
            yield from _along("assigned-not-added", end, images, windows=end)
            yield from _along("assigned-not-added", end, images, winner=f"{end} of tap")
    yield Change("batch-not-summed", "shape", {"result": "per image"})
    for end in ("last", "first"):
        yield Change("images-mixed", "one", {"x images": f"{end} for all"})
        yield Change("images-mixed", "one", {"images": f"{end} for all"})
        yield Change("channels-mixed", "one", {"outputs": f"{end} for all"})
        yield Change("channels-mixed", "one", {"x channels": f"{end} for all"})
        yield Change("channels-mixed", "only", {"outputs": end})
        yield Change("channels-mixed", "only", {"all outputs": end})
        yield Change("channels-mixed", "only", {"x channels": end})
    yield Change("images-mixed", "sum", {"images": "sum for all"})
    yield Change("channels-mixed", "sum", {"outputs": "sum for all"})
    yield Change("channels-mixed", "sum", {"all outputs": "sum for all"})
    yield Change("channels-mixed", "sum", {"x channels": "sum for all"})


def _of_gw() -> Iterator[Change]:
    yield from _flips("result-flipped")
    yield from _windows_of_gw()
    yield from _sums_of_gw()
    yield Change("channel-axes-exchanged", "", {"result": "exchanged in groups"})
    yield from _permuted(
        "O C KH KW",
        {(1, 0, 2, 3): "channel-axes-exchanged", (0, 1, 3, 2): "kernel-axes-transposed"},
    )
    yield from _groups("gw")
    yield from _exchanged_axes("kernel")
    yield from _loops("gw")
    yield from _flipped_gy()
    yield Change("image-axes-transposed", "x", {"x": ("transpose",)})
    yield from _factors()
    yield from _orders("gy", _GY_ORDERS, "o")
    yield from _orders("columns", _COLUMN_ORDERS, "c")
    yield from _orders("x", ("nchw", "cnhw", "nhwc", "chwn"), "c")
    yield from _results("ocuv", _W_ORDERS[1:], "o")


# --- the gradient of the bias, and the forward pass -----------------------------------------------


def _of_gb() -> Iterator[Change]:
    yield Change("batch-not-summed", "shape", {"sum": (2, 3)})
    for end in ("last", "first"):
        yield Change("batch-not-summed", end, {"images": end})
        yield Change("space-not-summed", end, {"rows": end, "columns of y": end})
        yield Change("space-not-summed", end, {"rows": end, "columns of y": end, "images": end})
        yield Change("space-not-summed", end, {"rows": end})
        yield Change("space-not-summed", end, {"columns of y": end})
        yield Change("channels-mixed", "one", {"outputs": f"{end} for all"})
        yield Change("channels-mixed", "only", {"outputs": end})
        yield Change("channels-mixed", "only", {"all outputs": end})
    summed: tuple[tuple[int, ...], ...] = ((0,), (), (0, 2), (0, 3), (2,), (3,))
    for axes in summed:
        yield Change("space-not-summed", "shape", {"sum": axes})
    summed = ((0, 1, 2, 3), (1, 2, 3), (0, 1), (0, 1, 2), (0, 1, 3), (1,), (1, 2), (1, 3))
    for axes in summed:
        yield Change("wrong-axes-summed", " ".join("NOHW"[k] for k in axes), {"sum": axes})
    yield Change("channels-mixed", "sum", {"outputs": "sum for all"})
    yield Change("channels-mixed", "sum", {"all outputs": "sum for all"})
    for part in ("but the last", "but the first"):
        for which in ({"rows": part}, {"columns of y": part}, {"rows": part, "columns of y": part}):
            yield Change("window-missing", part, which)
    yield Change("wrong-shape", "keepdims", {"keep": True})
    yield from _factors()
    yield from _orders("gy", ("noij", "nijo", "onij"), "o")


def _of_y() -> Iterator[Change]:
    yield from _flips("forward-flipped")
    for option in ("stride", "dilation"):
        for count in ({}, {"count": "natural"}):
            yield from _along(f"{option}-ignored", **{option: "one"}, **count)
    yield from _along("stride-and-dilation-exchanged", stride="dilation", dilation="stride")
    yield from _along("padding-ignored", low="zero")
    yield from _along("padding-ignored", low="zero", count="bare")
    for low in ("both ends", "negative"):
        yield from _along("padding-on-wrong-side", low, low=low)
    yield from _along("padding-low-high-exchanged", low="high")
    yield Change("bias-left-out", "", {"bias": "left out"})
    yield from _exchanged_axes("count")
    for end in ("last", "first"):
        for channels in ({}, {"x channels": end}):
            yield from _along("assigned-not-added", end, channels, taps=end)
            yield from _along("assigned-not-added", end, channels, winner=f"{end} of window")
        yield Change("channels-not-summed", end, {"x channels": end})
        yield Change("channels-mixed", "one", {"x channels": f"{end} for all"})
        yield Change("images-mixed", "one", {"x images": f"{end} for all"})
    yield Change("channel-axes-exchanged", "", {"weights": "exchanged"})
    yield Change("kernel-axes-transposed", "", {"weights": "transposed"})
    yield from _groups("y")
    yield from _loops("y")
    yield from _permuted("N O OH OW", {(0, 1, 3, 2): "image-axes-transposed"})
    yield from _factors()
    yield from _orders("columns", _COLUMN_ORDERS, "c")
    yield from _orders("weights", _W_ORDERS, "o")
    yield from _results("noij", ("onij", "nijo", "oijn"), "o")


# Mistakes that only a function with one of these features can make.
NEEDS: dict[str, frozenset[str]] = {
    name: frozenset(features)
    for name, features in {
        "stride-ignored": ["stride"],
        "stride-and-dilation-exchanged": ["stride", "dilation"],
        "dilation-ignored": ["dilation"],
        "leftover-lost": ["leftover"],
        "leftover-misplaced": ["leftover"],
        "leftover-not-cropped": ["leftover"],
        "padding-not-cropped": ["padding"],
        "padding-on-wrong-side": ["padding"],
        "padding-cropped-twice": ["padding"],
        "padding-ignored": ["padding"],
        "padding-low-high-exchanged": ["low and high padding"],
        "padding-not-zero": ["padding"],
        "negative-index": ["padding"],
        "height-and-width-exchanged": UNEQUAL,
        "channel-axes-exchanged": ["input channels", "output channels"],
        "channels-not-summed": ["input channels", "output channels"],
        "images-mixed": ["batch"],
        "groups-mixed": ["groups"],
    }.items()
}


@lru_cache(maxsize=4)
def changes(name: str) -> tuple[Change, ...]:
    """Return the forms of all mistakes of gx, gw, gb or y, the commoner first.

    >>> changes("gx")[0].mistake, changes("gb")[0].way
    ('kernel-not-flipped', {'sum': (2, 3)})
    """
    made = {"gx": _of_gx, "gw": _of_gw, "gb": _of_gb, "y": _of_y}[name]()
    unique: dict[tuple[Any, ...], Change] = {}
    for change in made:
        unique.setdefault(tuple(sorted(change.way.items(), key=str)), change)
    return tuple(unique.values())
