"""Convolution on arrays: the ordered list of algorithms, and the choice of one for a spec.

Each algorithm is a file with the trio `forward`, `grad_input`, `grad_weight` and three statements:
`refuses` says why it cannot compute a spec, `slower` why it should not be chosen for it (measured,
see benchmarks/), `workspace` how much memory it takes. The first in the list that neither refuses
nor is slower computes. The choice depends on the spec, the direction and the dtype alone, never on
threads, alignment or time.

This room checks arrays against the spec; it does not know tensors or gradients of anything else.
Next room: direct.py, the register tile; reference.py is the oracle of them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn, Protocol, get_args

import numpy as np

from pellucid.backend import Array, native
from pellucid.dtypes import DType, as_dtype, float32, float64, is_float
from pellucid.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from pellucid.kernels.conv import direct, im2col, lanewise, planar, reference, winograd
from pellucid.kernels.conv.memory import check_memory, no_memory
from pellucid.kernels.conv.spec import ConvSpec as ConvSpec
from pellucid.kernels.conv.spec import Direction as Direction
from pellucid.kernels.conv.spec import count_windows as count_windows
from pellucid.kernels.conv.spec import named_array
from pellucid.kernels.conv.spec import same_padding as same_padding
from pellucid.kernels.conv.winograd import set_winograd as set_winograd
from pellucid.kernels.layout import empty_rows
from pellucid.kernels.native import module


class Algorithm(Protocol):
    """What a file must offer to stand in the list."""

    def refuses(self, spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
        """Why this algorithm cannot compute that; None where it can."""

    def slower(self, spec: ConvSpec, direction: Direction, dtype: DType) -> str | None:
        """Why another one should compute that; None where it should be this one."""

    def workspace(self, spec: ConvSpec, direction: Direction, dtype: DType) -> int:
        """How many bytes it takes at most beside its result and copies of its inputs."""

    def forward(
        self,
        x: Array,
        w: Array,
        b: Array | None,
        spec: ConvSpec,
        *,
        ceiling: float | None = None,
    ) -> Array:
        """Return y, or with a ceiling min(max(y, 0), ceiling), where a NaN stays one."""

    def grad_input(self, gy: Array, w: Array, spec: ConvSpec, bx: Array | None = None) -> Array:
        """Return gx, plus bx."""

    def grad_weight(self, gy: Array, x: Array, spec: ConvSpec) -> Array:
        """Return gw."""


# In the order in which they are asked.
ALGORITHMS: dict[str, Algorithm] = {
    "winograd": winograd,
    "lanewise": lanewise,
    "planar": planar,
    "direct": direct,
    "im2col": im2col,
    "reference": reference,
}
# Those that rearrange w in each call, and can be given that.
_PACKED_BY = {"winograd": direct.Native.WINOGRAD, "direct": direct.Native.DIRECT}


# Elements of x, w and y that need no check: at most some hundred megabytes, workspace included.
_SURELY_FITS = 1 << 20


def choose(spec: ConvSpec, direction: Direction, dtype: DType) -> str:
    """Return the name of the first algorithm that neither refuses nor is slower.

    >>> choose(ConvSpec.parse("n8 c64 i56x56 o64 k3 p1 s2"), "forward", np.dtype("float32"))
    'direct'
    """
    return _chosen(spec, direction, dtype, winograd.switched_on)


# With few channels, to ask everyone takes as long as the convolution itself. All that an answer
# depends on is part of the key, so that the switch of winograd holds at once.
@lru_cache(maxsize=1024)
def _chosen(spec: ConvSpec, direction: Direction, dtype: DType, _switched_on: bool) -> str:
    for name, algorithm in ALGORITHMS.items():
        if not (
            algorithm.refuses(spec, direction, dtype) or algorithm.slower(spec, direction, dtype)
        ):
            return name
    raise AssertionError(f"no algorithm takes {spec}: im2col takes everything")


def explain_choice(spec: ConvSpec, dtype: DType = float32) -> str:
    """Return the table of reasons: for each direction, what each algorithm says of this spec.

    >>> print(explain_choice(ConvSpec.parse("c1 i5x5 o1 k3x3 s2")))
    c1 i5x5 o1 k3x3 s2, float32
      forward      winograd    refuses: it would hardly save multiplications
                   lanewise    refuses: it is for groups
                   planar      refuses: it is for grad_input
                   direct      chosen
                   im2col      slower: matrix products of NumPy, with columns to copy
                   reference   slower: a walk in Python, the oracle of the others
      grad_input   winograd    refuses: it would hardly save multiplications
                   lanewise    refuses: it is for groups
                   planar      chosen
                   direct      comes after planar
                   im2col      slower: matrix products of NumPy, with columns to copy
                   reference   slower: a walk in Python, the oracle of the others
      grad_weight  winograd    refuses: it would hardly save multiplications
                   lanewise    refuses: it is for groups
                   planar      refuses: it is for grad_input
                   direct      chosen
                   im2col      slower: matrix products of NumPy, with columns to copy
                   reference   slower: a walk in Python, the oracle of the others
    """
    lines = [f"{spec}, {dtype}"]
    for direction in get_args(Direction):
        chosen = choose(spec, direction, dtype)
        label = direction
        for name, algorithm in ALGORITHMS.items():
            if refusal := algorithm.refuses(spec, direction, dtype):
                verdict = f"refuses: {refusal}"
            elif reason := algorithm.slower(spec, direction, dtype):
                verdict = f"slower: {reason}"
            else:
                verdict = "chosen" if name == chosen else f"comes after {chosen}"
            lines.append(f"  {label:<12} {name:<11} {verdict}")
            label = ""
    return "\n".join(lines)


def forward(
    x: Array,
    w: Array | PackedWeights,
    b: Array | None,
    spec: ConvSpec,
    algorithm: str | None = None,
    *,
    ceiling: float | None = None,
) -> Array:
    """Return y, the convolution of x with w, plus b; with a ceiling, min(max(y, 0), ceiling).

    A ceiling of inf is a ReLU and one of 6 a ReLU6, in the pass that writes y.

    Shapes: x (N, C, H, W), w (O, C/G, KH, KW), b (O) or None, y (N, O, OH, OW), likewise with one
    or three spatial axes; any strides. In the place of w may stand its `PackedWeights`.
    Maths: y[n,o,i,j] = b[o] + sum over c,u,v  x[n, c, i s + u d - p, j s + v d - p] w[o,c,u,v]
    (docs/maths.md, 1).
    Cost: `spec.flops`; memory for y, at most the `workspace` of the algorithm, and a copy of x
    where its channels do not lie side by side.
    Raises: ShapeError for arrays that are not those of the spec; DTypeError for integers and for
    mixed dtypes, UnsupportedError for float16; ArgumentError for an unknown algorithm,
    UnsupportedError for one that refuses; OutOfMemoryError for what does not fit into memory.

    >>> x, w = np.arange(25.0).reshape(1, 1, 5, 5), np.ones((1, 1, 3, 3))
    >>> forward(x, w, None, ConvSpec.from_shapes(x.shape, w.shape, stride=2))[0, 0]
    array([[ 54.,  72.],
           [144., 162.]])
    """
    if isinstance(w, PackedWeights):
        return w._forward(x, b, spec, algorithm, ceiling)
    x, w, b = _ready(spec, x=x, w=w, b=b)
    chosen = _algorithm(spec, "forward", x.dtype, algorithm)
    if spec.elements > _SURELY_FITS:
        check_memory(spec, "forward", chosen.workspace, x=x, w=w)
    try:
        return chosen.forward(x, w, b, spec, ceiling=ceiling)
    except MemoryError:
        raise no_memory(spec, "forward", chosen.workspace, x=x, w=w) from None


def grad_input(
    gy: Array,
    w: Array,
    spec: ConvSpec,
    algorithm: str | None = None,
    *,
    bx: Array | None = None,
) -> Array:
    """Return gx, the gradient of sum(y * gy) by x; also the transposed convolution of gy, plus bx.

    Shapes: gy (N, O, OH, OW), w (O, C/G, KH, KW), bx (C) or None, gx (N, C, H, W); any strides.
    Maths: gx[n,c,h,w] = bx[c] + sum over o,u,v and the i,j with h = i s + u d - p,
    w = j s + v d - p, of gy[n,o,i,j] w[o,c,u,v]; the sum is 0 where no window reaches
    (docs/maths.md, 4, 6 and 9).
    Cost: as `forward`. Raises: as `forward`.

    >>> gy, w = np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3))
    >>> grad_input(gy, w, ConvSpec.parse("c1 i6x6 o1 k3x3 s2"))[0, 0]
    array([[1., 1., 2., 1., 1., 0.],
           [1., 1., 2., 1., 1., 0.],
           [2., 2., 4., 2., 2., 0.],
           [1., 1., 2., 1., 1., 0.],
           [1., 1., 2., 1., 1., 0.],
           [0., 0., 0., 0., 0., 0.]])
    """
    gy, w, bx = _ready(spec, gy=gy, w=w, bx=bx)
    chosen = _algorithm(spec, "grad_input", gy.dtype, algorithm)
    if spec.elements > _SURELY_FITS:
        check_memory(spec, "grad_input", chosen.workspace, gy=gy, w=w)
    try:
        return chosen.grad_input(gy, w, spec, bx)
    except MemoryError:
        raise no_memory(spec, "grad_input", chosen.workspace, gy=gy, w=w) from None


def grad_weight(gy: Array, x: Array, spec: ConvSpec, algorithm: str | None = None) -> Array:
    """Return gw, the gradient of sum(y * gy) by w.

    Shapes: gy (N, O, OH, OW), x (N, C, H, W), gw (O, C/G, KH, KW); any strides.
    Maths: gw[o,c,u,v] = sum over n,i,j  gy[n,o,i,j] x[n, c, i s + u d - p, j s + v d - p]
    (docs/maths.md, 4).
    Cost: as `forward`; a copy of gy too where it is not channels-last. Raises: as `forward`.

    >>> x, gy = np.arange(25.0).reshape(1, 1, 5, 5), np.ones((1, 1, 2, 2))
    >>> grad_weight(gy, x, ConvSpec.parse("c1 i5x5 o1 k3x3 s2"))[0, 0]
    array([[24., 28., 32.],
           [44., 48., 52.],
           [64., 68., 72.]])
    """
    gy, x = _ready(spec, gy=gy, x=x)
    chosen = _algorithm(spec, "grad_weight", gy.dtype, algorithm)
    if spec.elements > _SURELY_FITS:
        check_memory(spec, "grad_weight", chosen.workspace, gy=gy, x=x)
    try:
        return chosen.grad_weight(gy, x, spec)
    except MemoryError:
        raise no_memory(spec, "grad_weight", chosen.workspace, gy=gy, x=x) from None


def grad_bias(gy: Array, spec: ConvSpec, *, transposed: bool = False) -> Array:
    """Return gb, the gradient of sum(y * gy) by b, summed in float64.

    Shapes: gy (N, O, OH, OW), gb (O); or `transposed`, where gx is the output and bx its bias,
    gy (N, C, H, W), gb (C).
    Maths: gb[o] = sum over n,i,j  gy[n,o,i,j]     (docs/maths.md, 4)
    Raises: as `forward`.

    >>> grad_bias(np.ones((8, 2, 2, 2)), ConvSpec.parse("n8 c1 i5x5 o2 k3x3 s2"))
    array([32., 32.])
    """
    (gy,) = _ready(spec, gx=gy) if transposed else _ready(spec, gy=gy)
    gb = None if module is None else module.channel_sums(gy)
    if gb is None:  # gy is not channels-last
        # Over the images first, whose sum runs along memory in either layout. In float32, a hundred
        # thousand pixels would cost the last two digits.
        by_pixel = gy.sum(axis=0, dtype=np.float64)
        gb = by_pixel.sum(axis=tuple(range(1, by_pixel.ndim))).astype(gy.dtype)
    return np.asarray(gb)


def _algorithm(spec: ConvSpec, direction: Direction, dtype: DType, name: str | None) -> Algorithm:
    """Return the algorithm of that name, or the one that is chosen."""
    if name is None:
        return ALGORITHMS[choose(spec, direction, dtype)]
    if name not in ALGORITHMS:
        raise ArgumentError(
            spec.op,
            f"there is no algorithm {name!r}",
            fix=f"use one of {', '.join(ALGORITHMS)}, or None for the fastest",
        )
    if reason := ALGORITHMS[name].refuses(spec, direction, dtype):
        raise UnsupportedError(
            spec.op,
            f"{name} refuses {direction} in {dtype}: {reason}",
            str(spec),
            fix="leave the algorithm out, and one that can is chosen",
        )
    return ALGORITHMS[name]


def _ready(spec: ConvSpec, **arrays: Any) -> Iterable[Array]:
    """Return the arrays in native byte order, after a check against the spec and each other.

    They are named x, w, b, bx, y or with a g before that: a gradient has the shape of its array.
    A bias may be None, and stays so. What is as it mostly is takes no more than this loop.
    """
    shapes, dtype = spec.shapes, next(iter(arrays.values())).dtype
    usual = dtype in (float32, float64)  # in native order, or they would not be equal
    for name, array in arrays.items():
        usual = usual and (
            array is None
            or (
                type(array) is np.ndarray
                and array.dtype == dtype
                and array.shape == shapes[name]
                and array.flags.aligned
            )
        )
    if usual:
        return arrays.values()
    _check(spec, {name: array for name, array in arrays.items() if array is not None})
    ready: list[Any] = [None if array is None else native(array) for array in arrays.values()]
    return ready


def _check(spec: ConvSpec, arrays: dict[str, Array]) -> None:
    """Say what is wrong with these arrays, if anything is."""
    (first, leader), *_ = arrays.items()
    for name, array in arrays.items():
        if isinstance(array, PackedWeights):
            raise UnsupportedError(
                spec.op,
                f"{name} is a PackedWeights, which stand for w in forward and nowhere else",
                f"{array}",
                str(spec),
                fix=f"give the array {name}",
            )
        dtype = as_dtype(array.dtype, spec.op)
        if not is_float(dtype):
            raise DTypeError(
                spec.op,
                f"{name} is {dtype}, but convolution is for floats",
                named_array(name, array.shape, spec.axes),
                fix="convert it to float32 or float64",
            )
        if dtype != as_dtype(leader.dtype, spec.op):
            raise DTypeError(
                spec.op,
                f"{first} is {leader.dtype}, but {name} is {dtype}",
                named_array(first, leader.shape, spec.axes),
                named_array(name, array.shape, spec.axes),
                fix="convert one of them to the dtype of the other",
            )
        if array.shape != spec.shapes[name]:
            raise ShapeError(
                spec.op,
                f"{name} has the shape {array.shape}, but the spec says {spec.shapes[name]}",
                named_array(name, array.shape, spec.axes),
                str(spec),
                fix=f"make the spec from the shapes of x and w, or give {name} that shape",
            )


class PackedWeights:
    """Weights as `forward` reads them, made once for many calls: for inference.

    Each call of `forward` rearranges w, and Winograd transforms it; with a `PackedWeights` in the
    place of w it finds that done, and y has the same bits. They serve one spec, with any batch,
    and one algorithm: that which `forward` chooses now, or the one that is named. What is kept is a
    copy, in memory from the pool, and none of it changes: who changes w packs it again.

    Shapes: w (O, C/G, KH, KW), likewise with one or three spatial axes; any strides.
    Maths: for direct, blocks of output channels, [taps, c][o]; for winograd, U[p][k][o] of each of
    its 36 points (docs/maths.md, 13), and w for tiles that are not finite; for others, w.
    Cost: the time of one such rearrangement, and `nbytes`: for direct those of w with O/G rounded
    up to whole blocks, for winograd about five times w (3x3), else those of w. Where w is much
    larger than x (512 channels of 7x7), winograd makes U in parts all the same, which takes less
    time than to read it, and nothing is gained; nor is it for algorithms that keep w.
    Raises: as `forward`; in its use ShapeError for another spec, DTypeError for x of another dtype,
    ArgumentError for another algorithm.

    >>> x, w = np.arange(25.0).reshape(1, 1, 5, 5), np.ones((1, 1, 3, 3))
    >>> spec = ConvSpec.from_shapes(x.shape, w.shape, stride=2)
    >>> packed = PackedWeights(w, spec, algorithm="reference")
    >>> packed
    PackedWeights('c1 i5x5 o1 k3x3 s2', algorithm='reference', dtype=float64, nbytes=72)
    >>> forward(x, packed, None, spec)[0, 0]
    array([[ 54.,  72.],
           [144., 162.]])
    """

    __slots__ = ("_algorithm", "_isa", "_nbytes", "_packed", "_spec", "_w")

    def __init__(self, w: Array, spec: ConvSpec, algorithm: str | None = None) -> None:
        self._spec = spec = spec.of_one_image
        (w,) = _ready(spec, w=w)
        chosen = _algorithm(spec, "forward", w.dtype, algorithm)
        self._algorithm = algorithm or choose(spec, "forward", w.dtype)
        if spec.elements > _SURELY_FITS:
            check_memory(spec, "forward", chosen.workspace, w=w)
        try:
            self._pack(w)
        except MemoryError:
            raise no_memory(spec, "forward", chosen.workspace, w=w) from None

    def _pack(self, w: Array) -> None:
        """Keep what the algorithm reads: its own order of w, w itself, or both."""
        kind = _PACKED_BY.get(self._algorithm)
        self._packed, self._isa, self._nbytes = None, None, 0
        if kind is not None:
            self._packed, self._isa = direct.pack(w, self._spec, kind), module.isa()
            self._nbytes = self._packed.nbytes
        if kind == direct.Native.DIRECT:
            # It reads no element of w any more, only how the taps lie.
            self._w = np.broadcast_to(np.zeros(self._spec.kernel, w.dtype), w.shape)
        else:
            self._w = empty_rows(w.shape, w.dtype)
            self._w[...] = w
            self._nbytes += w.nbytes

    @property
    def spec(self) -> ConvSpec:
        """What they were packed for, with the batch 1, which stands for any."""
        return self._spec

    @property
    def algorithm(self) -> str:
        """The name of the algorithm that reads them."""
        return self._algorithm

    @property
    def dtype(self) -> DType:
        """The dtype of w, which x must have too."""
        return self._w.dtype

    @property
    def nbytes(self) -> int:
        """The memory that they hold."""
        return self._nbytes

    def __repr__(self) -> str:
        return (
            f"PackedWeights({str(self.spec)!r}, algorithm={self.algorithm!r}, "
            f"dtype={self.dtype}, nbytes={self.nbytes})"
        )

    def __reduce__(self) -> NoReturn:
        raise UnsupportedError(
            "PackedWeights",
            "they fit this processor alone, and are neither pickled nor copied",
            repr(self),
            fix="pickle w, and pack it again where it is used",
        )

    def _forward(
        self,
        x: Array,
        b: Array | None,
        spec: ConvSpec,
        algorithm: str | None,
        ceiling: float | None,
    ) -> Array:
        """Return y, after the checks of `forward` and those that packing brings."""
        self._check(x, spec, algorithm)
        x, b = _ready(spec, x=x, b=b)
        chosen = ALGORITHMS[self._algorithm]
        if spec.elements > _SURELY_FITS:
            check_memory(spec, "forward", chosen.workspace, x=x, w=self._w)
        try:
            if self._packed is None:
                return chosen.forward(x, self._w, b, spec, ceiling=ceiling)
            assert self._isa == module.isa(), (self._isa, module.isa())
            kind = _PACKED_BY[self._algorithm]
            return direct.forward(x, self._w, b, spec, kind, self._packed, ceiling)
        except MemoryError:
            raise no_memory(spec, "forward", chosen.workspace, x=x, w=self._w) from None

    def _check(self, x: Array, spec: ConvSpec, algorithm: str | None) -> None:
        """Refuse another spec, dtype or algorithm than that of the packing."""
        if spec.of_one_image != self._spec:
            raise ShapeError(
                spec.op,
                f"w is packed for {self._spec} with any batch, but the spec says {spec}",
                repr(self),
                fix="pack w again for this spec",
            )
        if algorithm not in (None, self._algorithm):
            raise ArgumentError(
                spec.op,
                f"w is packed for {self._algorithm}, but algorithm={algorithm!r}",
                repr(self),
                fix="leave the algorithm out, or pack w again for that one",
            )
        if as_dtype(x.dtype, spec.op) != self.dtype:
            raise DTypeError(
                spec.op,
                f"x is {x.dtype}, but the packed w is {self.dtype}",
                named_array("x", x.shape, spec.axes),
                repr(self),
                fix="convert x, or convert w and pack it again",
            )
