"""How `pellucid explain` looks: sentences, formulas, and equations in the colours of their arrays.

Not here: arrays as boxes (grids.py), the sentences (explain/sentences.py). Next room: grids.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from pellucid.cli.grids import STYLES, boxes
from pellucid.explain import ConvDerivation, Element, Elements, Expression
from pellucid.explain.general import Part
from pellucid.explain.sentences import REASONS, SCREEN, Language
from pellucid.explain.summary import described
from pellucid.explain.views import View
from pellucid.kernels.conv.spec import Sizes

MOST_EQUATIONS = 49  # of one array; of a larger one the first, a middle and the last are shown
MOST_TERMS, FEW_TERMS = 40, 4  # of one equation; of a longer one the first and the last
_MOST_MEETINGS = 4  # of one axis
_INDENT = 5  # of formulas
_KEYS = {"grad_input": ("gx", "gy", "w"), "grad_weight": ("gw", "gy", "x"), "grad_bias": ("gy",)}


def shown(part: Elements) -> tuple[list[Expression], int]:
    """Return the equations of an array that are shown, and how many are left out."""
    if len(part) <= MOST_EQUATIONS:
        return list(part), 0
    first = tuple(0 for _ in part.shape)
    middle = tuple(size // 2 for size in part.shape)
    last = tuple(size - 1 for size in part.shape)
    return [part[first], part[middle], part[last]], len(part) - 3


def most(expression: Expression) -> int | None:
    """Return how many terms of an equation are shown; None is all of them."""
    return None if len(expression.terms) <= MOST_TERMS else FEW_TERMS


class Screen:
    """Prints the parts of one derivation to a console, in one language."""

    def __init__(self, console: Console, derivation: ConvDerivation, lang: Language) -> None:
        self.console, self.derivation, self.lang = console, derivation, lang
        self.words = SCREEN[lang]
        self._general = {part.name: part for part in derivation.general(lang).parts}

    def title(self) -> None:
        """Print the name of the problem, and what it is in words."""
        spec = self.derivation.spec
        transposed = self.derivation.transposed
        text = Text.assemble((str(spec), "bold"), "\n", described(spec, self.lang, transposed))
        if transposed:
            text.append(f"\n{self.words['spec_of']}", "dim")
        self.console.print(Panel(text, border_style="dim"))

    def arrays(self) -> None:
        """Print x, w and y as boxes with the first window marked, where they are small enough."""
        first = (0,) * (self.derivation.spec.axes + 2)
        if len(self.derivation.forward):
            self._boxes(("x", "w", "y"), self.derivation.forward[first])

    def part(self, part: Elements) -> None:
        """Print the formulas of one array, how they follow, and its equations."""
        general = self._general[part.title]
        self.console.print()
        self.console.print(Rule(Text(general.title, "bold"), align="left", style="dim"))
        self._formulas(general)
        self.console.print()
        expressions, left_out = shown(part)
        self._equations(expressions)
        if left_out:
            self._note("left_out", count=f"{left_out:,}", total=f"{len(part):,}", name=part.title)

    def element(self, part: Elements, expression: Expression) -> None:
        """Print one equation, what meets there, and how that is found."""
        left = expression.left
        place = f"{part.title}[{','.join(map(str, left.index))}]"
        self._say(Text.assemble(_coloured(left), "   ", (place, "dim")))
        self._boxes(_KEYS[part.title], expression)
        self.console.print()
        self._meetings(part, expression)
        self._equations([expression])
        if expression.why is not None:
            self._say(Text(expression.why.text(self.lang)))
        if most(expression) is not None:
            self._note("terms", count=f"{len(expression.terms):,}")

    def view(self, seen: View) -> None:
        """Print a view: its sentences broken at blanks, and its tables as they are."""
        self.console.print()
        for line in seen.lines(self.lang):
            if line.startswith(" "):
                self.console.print(_highlighted(self.derivation, line), soft_wrap=True)
            else:
                self._say(_highlighted(self.derivation, line))

    def hints(self) -> None:
        """Print the commands that show more."""
        command = f"  pellucid explain '{self.derivation.spec}'"
        command += " --transposed" if self.derivation.transposed else ""
        middle = ",".join(str(size // 2) for size in self.derivation.grad_input.shape)
        self.console.print()
        self._note("one_element")
        self._say(Text(f"{command} --grad input --at {middle}", "dim"))
        self._note("as_latex")
        self._say(Text(f"{command} --latex", "dim"))

    def _say(self, text: Text) -> None:
        self.console.print(Padding(text, (0, 1)))

    def _note(self, key: str, **values: str) -> None:
        self._say(Text(self.words[key].format(**values), "dim"))

    def _formulas(self, part: Part) -> None:
        for step in part.steps:
            self._say(Text(step.sentence))
            for formula in step.formulas:
                self._formula(formula.text)

    def _formula(self, text: str) -> None:
        """Print a formula; a long one breaks behind what its sum runs over, or before an arrow."""
        if len(text) > self.console.width - _INDENT - 1:
            text = re.sub(r"(sum\[[^]]*\]) | +(?==>)", r"\1\n    ", text)
        self.console.print(Padding(Text(text, "bold"), (0, 1, 0, _INDENT)))

    def _boxes(self, keys: Sequence[str], expression: Expression) -> None:
        """Print arrays as boxes, with all that stands in an equation marked."""
        marked: dict[str, set[Sizes]] = {key: set() for key in keys}
        marked.setdefault(expression.left.key, set()).add(expression.left.index)
        for term in expression.shown(None if len(expression.terms) <= MOST_TERMS else 0):
            for factor in term.elements if term else ():
                marked.setdefault(factor.key, set()).add(factor.index)
        plain = self.console.color_system is None
        picture = boxes(self.derivation, keys, marked, self.console.width - 2, plain)
        if picture is not None:
            self.console.print(Padding(picture, (1, 1, 0, 1)))
            self._note("marked", name=expression.left.text())

    def _meetings(self, part: Elements, expression: Expression) -> None:
        """Print the solution of the index equation of each axis."""
        if part.title == "grad_bias":
            return
        spread = self.derivation.spread.array
        kind = {"w": "by_tap", spread: "by_pixel"}.get(part.array, "by_window")
        self._say(Text(self.words[kind]))
        ends = (spread, "xy"["yx".index(spread)], "w")
        letters = [self.derivation.names.arrays[key].letters.split()[2:] for key in ends]
        for axis, place, h, i, u in zip(
            self.derivation.axes, expression.left.index[2:], *letters, strict=True
        ):
            solve, at, one, other = {
                "by_pixel": (axis.of_pixel, h, i, u),
                "by_window": (axis.of_window, i, u, h),
                "by_tap": (axis.of_tap, u, i, h),
            }[kind]
            pairs = solve(place)
            found = [f"{one} = {a}, {other} = {b}" for a, b in pairs[:_MOST_MEETINGS]]
            found += [f"... ({len(pairs):,})"] if len(pairs) > _MOST_MEETINGS else []
            line = f"{at} = {place}:  {'   '.join(found) or self.words['none']}"
            self._formula(line)
        self.console.print()

    def _equations(self, expressions: Sequence[Expression]) -> None:
        """Print equations with their left sides equally wide, and a blank line between rows."""
        wide = max((len(expression.left.text()) for expression in expressions), default=0)
        row = None
        for expression in expressions:
            before, row = row, expression.left.index[:-1]
            if before not in (None, row) and len(expressions) > _MOST_MEETINGS:
                self.console.print()
            for line in self._lines(expression, wide):
                self.console.print(Text("  ") + line, soft_wrap=True)

    def _lines(self, expression: Expression, wide: int) -> Iterator[Text]:
        """The lines of an equation, with its left side padded; each further one begins with +."""
        line = Text.assemble(_coloured(expression.left))
        line.pad_right(wide - line.cell_len)
        line.append(" = ")
        if not len(expression.terms):
            line.append("0")
        if expression.why is not None and expression.why.reason in REASONS[self.lang]:
            line.append(f"   {REASONS[self.lang][expression.why.reason]}", "dim")
        for k, term in enumerate(expression.shown(most(expression))):
            factors = (Text("..."),) if term is None else map(_coloured, term.elements)
            text = Text(" ").join(factors)
            if k and line.cell_len + text.cell_len + 3 > self.console.width - 3:
                yield line
                line = Text(" " * wide + " + ") + text
            else:
                line.append_text(Text(" + ") + text if k else text)
        yield line


def _highlighted(derivation: ConvDerivation, line: str) -> Text:
    """A line with the names of elements and arrays in their colours."""
    text = Text(line)
    for array, style in STYLES.items():
        symbol = derivation.names.symbol(array)
        text.highlight_regex(
            rf"(?<![A-Za-z\d/])(dL/d)?{symbol}(\d+|\[[\d,]+\])?(?![A-Za-z\d(/])", style
        )
    return text


def _coloured(element: Element) -> Text:
    return Text(element.text(), STYLES[element.array])
