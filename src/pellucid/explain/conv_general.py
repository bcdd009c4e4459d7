"""The general formulas of a convolution, and how they follow: chain rule, windows, the solution.

The formulas come from the `equation` of the op (equation.py); here are the sentences around them,
in English and Korean. Not here: single elements (convolution.py). Next room: convolution.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from pellucid.explain.axis import Axis, axes_of
from pellucid.explain.equation import Equation, Index, Product
from pellucid.explain.general import Formula, General, Part, Step
from pellucid.explain.notation import Notation
from pellucid.explain.sentences import GENERAL, Language
from pellucid.explain.why import uncovered
from pellucid.kernels.conv.spec import LETTERS, ConvSpec
from pellucid.ops.conv import Conv
from pellucid.ops.conv_transpose import ConvTranspose

# The letters of a pixel, a window and a tap along each axis, last axis last.
_AXIS_LETTERS = ("dkt", "hiu", "wjv")


def conv_general(
    spec: ConvSpec, notation: Notation, transposed: bool, bias: bool, lang: Language
) -> General:
    """Return the general formulas of a convolution, with this spec's numbers in them."""
    writer = _Writer(spec, transposed, bias, lang)
    parts = [
        Part("forward", writer.say("forward"), tuple(writer.forward(notation))),
        Part("grad_input", writer.say("grad_input"), tuple(writer.grad_input())),
        Part("grad_weight", writer.say("grad_weight"), tuple(writer.grad_weight())),
    ]
    if bias:
        parts.append(Part("grad_bias", writer.say("grad_bias"), tuple(writer.grad_bias())))
    return General(tuple(parts))


class _Writer:
    """Writes the steps of each part for one problem."""

    def __init__(self, spec: ConvSpec, transposed: bool, bias: bool, lang: Language) -> None:
        self.spec, self.transposed, self.bias, self.lang = spec, transposed, bias, lang
        self.axes = axes_of(spec)
        self.letters = _AXIS_LETTERS[-spec.axes :]
        op = ConvTranspose if transposed else Conv
        equation = Equation.parse(op.equation).with_axes(spec.axes)
        if not bias:
            equation = equation.without_bias()
        self.equation, self.numbers = equation, _parameters(spec)

    def say(self, key: str, **values: object) -> str:
        """Return a sentence, with the names of elements and the numbers of the problem in it."""
        pixel, window, tap = (",".join(letters) for letters in zip(*self.letters, strict=True))
        ends = (window, pixel) if self.transposed else (pixel, window)
        w = "c,o" if self.transposed else "o,c"
        names = {
            "x": f"x[n,c,{ends[0]}]",
            "y": f"y[n,o,{ends[1]}]",
            "w": f"w[{w},{tap}]",
            "b": "b[o]",
        }
        return GENERAL[self.lang][key].format(**names, **values)

    def forward(self, notation: Notation) -> Iterator[Step]:
        """What it computes: the equation of the op, and the index equation of each axis."""
        if notation == "textbook":
            yield Step(self.say("counted"))
        kind = "spread" if self.transposed else "window"
        end = "" if self.bias else "_no_bias"
        yield Step(self.say(kind + end), (self._formula(self.equation),))
        yield Step(self.say("lies"), tuple(map(self._index_equation, range(len(self.axes)))))
        if any(axis.low > 0 or axis.high > 0 for axis in self.axes):
            yield Step(self.say("cropped" if self.transposed else "padding"))
        if self.spec.groups > 1:
            yield Step(self._groups())
        if self.transposed:
            yield from self._solution()

    def grad_input(self) -> Iterator[Step]:
        """By x: where it was used, and, for a convolution, which windows hold it."""
        yield Step(self.say("chain"), (self._chain_rule(),))
        step = "used_spread" if self.transposed else "used"
        yield Step(self.say(step), (self._formula(self.equation.gradient("x")),))
        if not self.transposed:
            yield from self._solution()

    def grad_weight(self) -> Iterator[Step]:
        """By w: it was used in every window."""
        step = "weight_spread" if self.transposed else "weight"
        yield Step(self.say(step), (self._formula(self.equation.gradient("w")),))
        yield Step(self.say("same_walk"))

    def grad_bias(self) -> Iterator[Step]:
        """By b: it was added everywhere."""
        yield Step(self.say("bias"), (self._formula(self.equation.gradient("b")),))

    def _formula(self, equation: Equation) -> Formula:
        numbered = equation.with_numbers(self.numbers)
        return Formula(numbered.text(), numbered.latex())

    def _index_equation(self, k: int) -> Formula:
        """`h = i s + u d - p` of one axis, first in letters and then in numbers."""
        axis, (h, i, u) = self.axes[k], tuple(self.letters[k])
        numbers = Index(
            (Product(axis.stride, (i,)), Product(axis.dilation, (u,)), Product(-axis.low, ()))
        ).with_numbers({})
        line = f"{h} = {i} s + {u} d - p = {numbers.written(' ')}"
        return Formula(line, line)

    def _chain_rule(self) -> Formula:
        """The gradient by x as a sum over all outputs."""
        gradient = self.equation.gradient("x")
        element = gradient.left.written()[1:]
        output = self.equation.left.written()
        over = [letter for letter in self.equation.left.letters() if letter != "n"]
        text = f"dL/d{element} = sum[{','.join(over)}] dL/d{output} d{output}/d{element}"
        x, y = (part.replace("[", "_{").replace("]", "}") for part in (element, output))
        latex = (
            rf"\frac{{\partial L}}{{\partial {x}}} = \sum_{{{','.join(over)}}} "
            rf"\frac{{\partial L}}{{\partial {y}}} \frac{{\partial {y}}}{{\partial {x}}}"
        )
        return Formula(text, latex)

    def _solution(self) -> Iterator[Step]:
        """Which windows hold a pixel: the index equation, solved for the tap."""
        whole = "_whole" if any(axis.dilation > 1 for axis in self.axes) else ""
        yield Step(
            self.say(("solve_spread" if self.transposed else "solve") + whole),
            tuple(solved(axis, *of) for axis, of in zip(self.axes, self.letters, strict=True)),
        )
        places = list(uncovered(self.axes, self.lang))
        empty = "uncovered_bias" if self.transposed and self.bias else "uncovered"
        yield Step(self.say(empty, places="; ".join(places)) if places else self.say("covered"))

    def _groups(self) -> str:
        """How the groups stand beside each other."""
        spec = self.spec
        ends = [spec.in_channels // spec.groups, spec.out_channels // spec.groups]
        of_x, of_y = ends[::-1] if self.transposed else ends
        c, o = _index((of_x, "g"), (1, "c")), _index((of_y, "g"), (1, "o"))
        key = "groups_spread" if self.transposed else "groups"
        return self.say(key, G=spec.groups, c=c, o=o)


def _parameters(spec: ConvSpec) -> dict[str, int]:
    """The numbers of the parameters of an equation: `sh`, `dh`, `ph` and so on."""
    columns = zip(spec.stride, spec.dilation, spec.padding, strict=True)
    found: dict[str, int] = {}
    for letter, (s, d, (low, _)) in zip(LETTERS[-spec.axes :].lower(), columns, strict=True):
        found |= {f"s{letter}": s, f"d{letter}": d, f"p{letter}": low}
    return found


def solved(axis: Axis, h: str, i: str, u: str) -> Formula:
    """`u = (h + p - s i) / d` from 0 to k - 1, and so the range of the windows i."""
    tap = _index((1, h), (axis.low, ""), (-axis.stride, i))
    first = _index((1, h), (axis.low - axis.reach + 1, ""))
    last = _index((1, h), (axis.low, ""))
    d, s = axis.dilation, axis.stride
    limits = f"0 <= {u} <= {axis.kernel - 1}", f"0 <= {i} <= {axis.windows - 1}"
    text = (
        f"{u} = {_over(tap, d)},  {limits[0]}   =>   "
        f"{_over(first, s)} <= {i} <= {_over(last, s)},  {limits[1]}"
    )
    latex = (
        rf"{u} = {_fraction(tap, d)},\quad {limits[0]} \quad\Rightarrow\quad "
        rf"{_fraction(first, s)} <= {i} <= {_fraction(last, s)},\quad {limits[1]}"
    )
    return Formula(text, latex.replace("<=", r"\leq"))


def _index(*products: tuple[int, str]) -> str:
    parts = tuple(Product(number, (letter,) if letter else ()) for number, letter in products)
    return Index(parts).with_numbers({}).written(" ")


def _over(numerator: str, denominator: int) -> str:
    if denominator == 1:
        return numerator
    return f"({numerator}) / {denominator}" if " " in numerator else f"{numerator} / {denominator}"


def _fraction(numerator: str, denominator: int) -> str:
    return numerator if denominator == 1 else rf"\frac{{{numerator}}}{{{denominator}}}"
