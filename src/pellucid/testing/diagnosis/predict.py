"""What a backward pass returns that is right but for some known changes, in float64.

A way is a dictionary of what is changed, `{"h.flip": "yes", "w.flip": "yes"}`; the empty one is
right. Keys that begin with `h.` or `w.` are fields of an axis (placement.py); the others change
what the gradient of y, the weights, the image channels, the columns of im2col or the result are,
and are listed above the functions that read them. `None` means that nothing can be predicted:
arrays do not fit together. Next room: mistakes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.kernels.conv import ConvSpec
from pellucid.testing.diagnosis.placement import table
from pellucid.testing.diagnosis.problems import Inputs

Way: TypeAlias = Mapping[str, Any]

FACTORS: dict[str, Callable[[ConvSpec], float]] = {
    "-1": lambda s: -1.0,
    "0": lambda s: 0.0,
    "2": lambda s: 2.0,
    "1/2": lambda s: 0.5,
    "1/N": lambda s: 1 / s.batch,
    "1/(OH OW)": lambda s: 1 / (s.out_size[0] * s.out_size[1]),
    "1/(N OH OW)": lambda s: 1 / (s.batch * s.out_size[0] * s.out_size[1]),
    "1/(KH KW)": lambda s: 1 / (s.kernel[0] * s.kernel[1]),
    "1/(C/G KH KW)": lambda s: s.groups / (s.in_channels * s.kernel[0] * s.kernel[1]),
    "1/C": lambda s: 1 / s.in_channels,
    "1/O": lambda s: 1 / s.out_channels,
    "1/G": lambda s: 1 / s.groups,
    "1/(H W)": lambda s: 1 / (s.in_size[0] * s.in_size[1]),
    "N": lambda s: float(s.batch),
    "C": lambda s: float(s.in_channels),
    "O": lambda s: float(s.out_channels),
    "OH OW": lambda s: float(s.out_size[0] * s.out_size[1]),
    "KH KW": lambda s: float(s.kernel[0] * s.kernel[1]),
    "C/G": lambda s: s.in_channels / s.groups,
    "C/G KH KW": lambda s: s.in_channels * s.kernel[0] * s.kernel[1] / s.groups,
    "G": lambda s: float(s.groups),
    "SH SW": lambda s: float(s.stride[0] * s.stride[1]),
    "1/(SH SW)": lambda s: 1 / (s.stride[0] * s.stride[1]),
}


def predict(name: str, problem: Inputs, way: Way) -> Array | None:
    """Return the gx, gw, gb or y of that way.

    >>> from pellucid.testing.diagnosis.problems import problems
    >>> predict("gx", problems(0)[0], {"h.flip": "yes", "w.flip": "yes"})[0, 0, 0]
    array([ 9.,  8., 97., 80., 70.])
    """
    found = {"gx": _grad_input, "gw": _grad_weight, "gb": _grad_bias, "y": _forward}[name](
        problem, way
    )
    if found is None:
        return None
    if "factor" in way:
        found = found * FACTORS[way["factor"]](problem.spec)
    return found


def reordered(
    array: Array, axes: str, written: str, read: str, grouped: str = "", *, groups: int = 1
) -> Array:
    """Return what comes of memory that is written in one order of the axes and read in another.

    `grouped` names an axis that is cut into groups first, each with memory of its own.

    >>> reordered(np.array([[1, 2, 3], [4, 5, 6]]), "ab", written="ba", read="ab")
    array([[1, 4, 2],
           [5, 3, 6]])
    """
    if grouped and groups > 1:
        at = axes.index(grouped)
        parts = np.split(array, groups, at)
        return np.concatenate([reordered(part, axes, written, read) for part in parts], at)
    flat = array.transpose([axes.index(axis) for axis in written])
    shaped = flat.reshape([array.shape[axes.index(axis)] for axis in read])
    return shaped.transpose([read.index(axis) for axis in axes])


def _cached(
    problem: Inputs, way: Way, keys: tuple[str, ...], make: Callable[[Inputs, Way], Any]
) -> Any:
    """What depends on a few keys of the way alone is made once for each problem."""
    key = (make, *(way.get(k) for k in keys))
    if key not in problem.cache:
        problem.cache[key] = make(problem, way)
    return problem.cache[key]


# --- the gradient of y, the weights, x ------------------------------------------------------------

# An order is ("order", written, read), with a fourth entry when it is that within each group.
# gy: ("flip", axes), an order, ("transpose",), ("groups", "taken" or "put"); images: first, last,
# first for all, sum for all, sum in first; outputs: first, last (of each group), first for all,
# sum for all; all outputs: the same of all groups together.
_GY_KEYS = ("gy", "images", "outputs", "all outputs")
# weights: an order, transposed, exchanged, ("groups", ...); channels: first, last, first for all,
# sum for all (of each group); groups: the names of MAPS; weights of: first or last group for all;
# weights of output: first, last (of each group) for all.
_W_KEYS = ("weights", "channels", "groups", "weights of", "weights of output")
# x: an order, ("groups", ...); x images: as images; x channels: as channels.
_X_KEYS = ("x", "x images", "x channels")


_PARTS = {
    "first": slice(0, 1),
    "last": slice(-1, None),
    "but the last": slice(0, -1),
    "but the first": slice(1, None),
}


def _gy(problem: Inputs, way: Way) -> Array | None:
    gy = problem.gy
    kind, *how = way.get("gy", ("own",))
    if kind == "flip":
        gy = np.flip(gy, tuple(2 + "hw".index(axis) for axis in how[0]))
    elif kind == "transpose":
        if gy.shape[2] != gy.shape[3]:
            return None
        gy = gy.swapaxes(2, 3)
    elif kind == "order":
        gy = reordered(gy, "noij", *how, groups=problem.spec.groups)
    elif kind == "groups":
        gy = _interleaved(gy, 1, problem.spec.groups, how[0])
    gy = _reduced(gy[None], 1, way.get("images"))[0]
    gy = _reduced(gy, 1, way.get("all outputs"))
    G = problem.spec.groups
    by_group = gy.reshape(gy.shape[0], G, -1, *gy.shape[2:])
    return _reduced(by_group, 2, way.get("outputs")).reshape(gy.shape)


def _reduced(array: Array, axis: int, how: str | None) -> Array:
    """Keep a part along an axis and zeros elsewhere, or repeat the first, the last or the sum."""
    if how is None:
        return array
    if how.startswith("sum"):
        whole = np.broadcast_to(array.sum(axis, keepdims=True), array.shape)
        return whole if how == "sum for all" else _reduced(whole, axis, "first")
    place = [slice(None)] * array.ndim
    place[axis] = _PARTS[how.removesuffix(" for all")]
    if how.endswith("for all"):
        return np.broadcast_to(array[tuple(place)], array.shape)
    kept = np.zeros_like(array)
    kept[tuple(place)] = array[tuple(place)]
    return kept


def _interleaved(array: Array, axis: int, G: int, how: str) -> Array:
    """Channel k G + g where g C/G + k is meant ("taken"), or the other way round ("put")."""
    size = array.shape[axis]
    cut = (size // G, G) if how == "taken" else (G, size // G)
    order = np.arange(size).reshape(cut).T.ravel()
    return np.take(array, order, axis)


def _weights(problem: Inputs, way: Way) -> Array | None:
    """Dense, (O, C, KH, KW): 0 where groups do not meet."""
    w, G = problem.w, problem.spec.groups
    how = way.get("weights")
    if how == "transposed":
        w = w.swapaxes(2, 3)
    elif how == "exchanged":
        by_group = w.reshape(G, -1, *w.shape[1:])
        if by_group.shape[1] != by_group.shape[2]:
            return None
        w = by_group.swapaxes(1, 2).reshape(w.shape)
    elif how is not None and how[0] == "groups":
        w = _interleaved(w, 0, G, how[1])
    elif how is not None:
        w = reordered(w, "ocuv", *how[1:], groups=G)
    w = _reduced(w, 1, way.get("channels"))
    by_group = _reduced(w.reshape(G, -1, *w.shape[1:]), 0, way.get("weights of"))
    w = _reduced(by_group, 1, way.get("weights of output")).reshape(w.shape)
    M = mapping(way.get("groups", "own"), problem.spec.in_channels, problem.spec.out_channels, G)
    # (O, K) (O, C, C/G) -> (O, C, K)
    dense = M @ w.reshape(*w.shape[:2], -1)
    return dense.reshape(*M.shape[:2], *w.shape[2:])


def _x(problem: Inputs, way: Way) -> Array | None:
    x, G = problem.x, problem.spec.groups
    how = way.get("x")
    if how is not None and how[0] == "groups":
        x = _interleaved(x, 1, G, how[1])
    elif how is not None:
        x = reordered(x, "nchw", *how[1:], groups=G)
    x = _reduced(x[None], 1, way.get("x images"))[0]
    by_group = x.reshape(x.shape[0], G, -1, *x.shape[2:])
    return _reduced(by_group, 2, way.get("x channels")).reshape(x.shape)


# --- groups ---------------------------------------------------------------------------------------


def _group(k: int, channels: int, G: int) -> int:
    return k // (channels // G)


# Which entry (o, q) of w stands between channels o and c, for c = start + q: name -> whether.
MAPS: dict[str, Callable[[int, int, int, int, int, int], bool]] = {
    "own": lambda o, c, q, C, O, G: c == _group(o, O, G) * (C // G) + q,
    "outputs interleaved": lambda o, c, q, C, O, G: c == o % G * (C // G) + q,
    "channels interleaved": lambda o, c, q, C, O, G: c == q * G + _group(o, O, G),
    "both interleaved": lambda o, c, q, C, O, G: c == q * G + o % G,
    "only the first": lambda o, c, q, C, O, G: c == q and _group(o, O, G) == 0,
    "only the last": lambda o, c, q, C, O, G: (
        c == C - C // G + q and _group(o, O, G) == G - 1
    ),
    "channels of the first": lambda o, c, q, C, O, G: c == q,
    "channels of the last": lambda o, c, q, C, O, G: c == C - C // G + q,
    "reversed": lambda o, c, q, C, O, G: c == (G - 1 - _group(o, O, G)) * (C // G) + q,
    "all, tiled": lambda o, c, q, C, O, G: c % (C // G) == q,
    "all, repeated": lambda o, c, q, C, O, G: c // G == q,
}  # fmt: skip


@lru_cache(maxsize=512)
def mapping(name: str, C: int, O: int, G: int) -> Array:
    """Return where the weights stand in a dense matrix.

    Shapes: (O, C, C/G), entry (o, c, q) is 1 where w[o, q] lies between channels o and c.
    """
    cube = np.zeros((O, C, C // G))
    for o, c, q in np.ndindex(cube.shape):
        cube[o, c, q] = MAPS[name](o, c, q, C, O, G)
    return cube


# --- the four results -----------------------------------------------------------------------------


def _tables(
    problem: Inputs, way: Way, kernel: tuple[int, int] | None = None
) -> tuple[Array, Array] | None:
    """The tables of both axes, for weights that may have another kernel than the spec."""
    height, width = problem.axes
    KH, KW = kernel or problem.spec.kernel
    A = table(height, width, _part(way, "h."), KH)
    B = table(width, height, _part(way, "w."), KW)
    return None if A is None or B is None else (A, B)


def _part(way: Way, prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key[2:], value) for key, value in way.items() if key.startswith(prefix)))


def _flat(A: Array) -> Array:
    return A.reshape(len(A), A.shape[1] * A.shape[2])


def _terms(problem: Inputs, way: Way) -> Array | None:
    """All products gy w, summed over o: (N, C, OH KH, OW KW)."""
    gy = _cached(problem, way, _GY_KEYS, _gy)
    w = _cached(problem, way, _W_KEYS, _weights)
    if gy is None or w is None:
        return None
    # (N, O, OH, OW), (O, C, KH, KW) -> (N, OH, OW, C, KH, KW)
    terms = np.tensordot(gy, w, ([1], [0]))
    if "columns" in way:
        terms = reordered(terms, "nijcuv", *way["columns"][1:], groups=problem.spec.groups)
    N, OH, OW, C, KH, KW = terms.shape
    return terms.transpose(0, 3, 1, 4, 2, 5).reshape(N, C, OH * KH, OW * KW)


def _grad_input(problem: Inputs, way: Way) -> Array | None:
    terms = _cached(problem, way, (*_GY_KEYS, *_W_KEYS, "columns"), _terms)
    w = _cached(problem, way, _W_KEYS, _weights)
    if terms is None:
        return None
    found = _tables(problem, way, w.shape[2:])
    if found is None:
        return None
    A, B = found
    # (H, OH KH) @ (N, C, OH KH, OW KW) @ (OW KW, W) -> (N, C, H, W)
    return _finished(_flat(A) @ terms @ _flat(B).T, "nchw", problem, way)


def _columns(problem: Inputs, way: Way) -> Array | None:
    """What the windows see of x: (N, C, OH, KH, OW, KW)."""
    found = _tables(problem, way)
    x = _cached(problem, way, _X_KEYS, _x)
    if found is None or x is None:
        return None
    A, B = found
    # (OH KH, H) @ (N, C, H, W) @ (W, OW KW) -> (N, C, OH KH, OW KW)
    seen = _flat(A).T @ x @ _flat(B)
    columns = seen.reshape(*x.shape[:2], *A.shape[1:], *B.shape[1:])
    if "columns" in way:
        columns = reordered(columns, "nciujv", *way["columns"][1:], groups=problem.spec.groups)
    return columns


def _grad_weight(problem: Inputs, way: Way) -> Array | None:
    spec = problem.spec
    columns, gy = _columns(problem, way), _cached(problem, way, _GY_KEYS, _gy)
    if columns is None or gy is None:
        return None
    N, C, OH, KH, OW, KW = columns.shape
    if gy.shape[2:] != (OH, OW):
        return None
    # (N, O, OH OW) @ (N, OH OW, C KH KW) -> (N, O, C KH KW)
    pixels = columns.transpose(0, 2, 4, 1, 3, 5).reshape(N, OH * OW, C * KH * KW)
    dense = (gy.reshape(N, -1, OH * OW) @ pixels).reshape(N, gy.shape[1], C, KH * KW)
    if way.get("result") != "per image":
        dense = dense.sum(0, keepdims=True)
    if way.get("result") != "dense":
        M = mapping(way.get("groups", "own"), spec.in_channels, spec.out_channels, spec.groups)
        # (O, C/G, C) @ (N, O, C, K) -> (N, O, C/G, K)
        dense = M.swapaxes(1, 2) @ dense
    gw = dense.reshape(*dense.shape[:3], KH, KW)
    return gw if way.get("result") == "per image" else _finished(gw[0], "ocuv", problem, way)


def _finished(array: Array, axes: str, problem: Inputs, way: Way) -> Array | None:
    """Change the result as a whole: its axes, or the order in which its memory is read."""
    how = way.get("result")
    if isinstance(how, tuple):
        kind, *rest = how
        if kind == "axes":
            return array.transpose(rest[0])
        if kind == "flip":
            return np.flip(array, tuple(2 + "hw".index(axis) for axis in rest[0]))
        if kind == "groups":
            at, G = axes.index("c" if axes[0] == "n" else "o"), problem.spec.groups
            cut = (*array.shape[:at], G, array.shape[at] // G, *array.shape[at + 1 :])
            return _reduced(array.reshape(cut), at, rest[0]).reshape(array.shape)
        return reordered(array, axes, *rest, groups=problem.spec.groups)
    if how == "exchanged in groups":  # and the groups one behind the other
        G, per_group = problem.spec.groups, len(array) // problem.spec.groups
        by_group = array.reshape(G, per_group, *array.shape[1:]).swapaxes(1, 2)
        return by_group.reshape(G * by_group.shape[1], *by_group.shape[2:])
    if how == "zero":
        return np.zeros_like(array)
    return array


def _forward(problem: Inputs, way: Way) -> Array | None:
    columns = _columns(problem, way)
    w = _cached(problem, way, _W_KEYS, _weights)
    if columns is None or w is None or columns.shape[3::2] != w.shape[2:]:
        return None
    # (N, C, OH, KH, OW, KW), (O, C, KH, KW) -> (N, OH, OW, O) -> (N, O, OH, OW)
    y = np.tensordot(columns, w, ([1, 3, 5], [1, 2, 3])).transpose(0, 3, 1, 2)
    if way.get("bias") != "left out":
        y = y + problem.b[:, None, None]
    return _finished(y, "noij", problem, way)


def _grad_bias(problem: Inputs, way: Way) -> Array | None:
    """`sum`: the axes of gy that are summed; `keep`: whether they stay with length 1."""
    gy = _cached(problem, way, _GY_KEYS, _gy)
    if gy is None:
        return None
    for axis, name in ((2, "rows"), (3, "columns of y")):
        gy = _reduced(gy, axis, way.get(name))
    return gy.sum(way.get("sum", (0, 2, 3)), keepdims=bool(way.get("keep")))
