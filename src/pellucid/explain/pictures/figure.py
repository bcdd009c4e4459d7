"""The picture of one equation: its arrays, what it is made of lit in them, the equation below.

Terms, and the cells that they are made of, have the same numbers and colours. The windows of the
outputs are outlined where they lie.

Not here: what is drawn (plan.py) and where (layout.py). Next room: coverage.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pellucid.errors import UnsupportedError
from pellucid.explain.pictures.block import Block, Part
from pellucid.explain.pictures.layout import Piece, Sheet, disc
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.pictures.plan import MOST_NUMBERED, Plan
from pellucid.explain.pictures.scene import Scene, Shape, Style, tone
from pellucid.explain.pictures.text import plain
from pellucid.explain.pictures.words import NOTES, SUMS
from pellucid.explain.sentences import Language, as_language
from pellucid.kernels.conv.spec import Sizes

if TYPE_CHECKING:
    from pellucid.explain.algebra import Term
    from pellucid.explain.expression import Expression

_SHADE, _WINDOW = 0.24, 0.06  # of lit cells, and of windows


def figure(expression: Expression, lang: Language) -> Picture:
    """Return the picture of an equation of a convolution."""
    lang = as_language(lang)
    if expression.derivation is None:
        raise UnsupportedError(
            "figure",
            f"{expression.left} is of no convolution, and only these have pictures",
            fix="look at .text(), .latex() or .mathml()",
        )
    plan = Plan(expression.derivation, expression)
    sentence = f"${plan.name(plan.left)}$: {_sentence(plan, lang)}"
    sheet = Sheet(plan.columns, sentence)
    for block in sheet.blocks:
        sheet.shapes.append(sheet.title(block))
        sheet.shapes += _cells(plan, block)
    sheet.arrow()
    if expression.why is None:
        sheet.equation(list(_pieces(plan)))
    else:
        sheet.sentence(f"${plan.name(plan.left)} = {_value(plan)}$: {expression.why.text(lang)}")
    left_out = plan.left_out(lang)
    sheet.note(left_out)
    words = NOTES[lang]
    return Picture(
        Scene(
            width=sheet.wide,
            height=sheet.y,
            title=words["title"].format(name=plan.left.text(), problem=plan.derivation.spec),
            desc=words["desc"].format(
                sentence=plain(sentence), equation=expression.text(most=MOST_NUMBERED)
            ),
            lang=lang,
            shapes=tuple(sheet.shapes),
        )
    )


# --- words ----------------------------------------------------------------------------------------


def _sentence(plan: Plan, lang: Language) -> str:
    """Say what the equation is: a window, what windows spread, or a sum over all outputs."""
    role = {"b": "bias", "w": "weight"}.get(plan.left.array)
    if role is None:
        role = "spread" if plan.left.array == plan.pixels else "window"
        role += "_bias" if plan.total.last else ""
    symbols = [_symbol(plan, factor.key) for factor in plan.total.factors]
    return SUMS[lang][role].format(first=symbols[0], second=symbols[-1])


def _symbol(plan: Plan, key: str) -> str:
    symbol = plan.names.symbol(key[-1])
    return f"$∂L/∂{symbol}$" if key != key[-1] else f"${symbol}$"


def _value(plan: Plan) -> str:
    return "0" if plan.total.last is None else plan.name(plan.total.last)


def _pieces(plan: Plan) -> Iterator[Piece]:
    """Cut the equation into pieces: names, signs, terms."""
    yield Piece(f"${plan.name(plan.left)}$")
    for k, term in enumerate(plan.expression.shown(MOST_NUMBERED + 1)):
        yield Piece(_term(plan, term), "+" if k else "=", k if plan.numbered else None)


def _term(plan: Plan, term: Term | None) -> str:
    return "$…$" if term is None else f"${' '.join(map(plan.name, term.elements))}$"


# --- cells ----------------------------------------------------------------------------------------


def _cells(plan: Plan, block: Block) -> Iterator[Shape]:
    """Draw a block: cells, those that are lit, windows, names, and the numbers of terms."""
    part, lit = block.part, plan.lit(block.part)
    seen = {place: term for place, term in lit.items() if block.holds(place)}
    yield from block.cells(_tooltip(plan, part) if block.labelled else part.text)
    for place in block.elements():
        if plan.is_uncovered(part, place):
            yield block.fill(place, Style("tile"))
    for place, term in seen.items():
        shade = Style("ink", 0.1) if plan.is_left(part) else Style(_tone(plan, term), _SHADE)
        yield block.fill(place, shade)
    for k, window in enumerate(plan.windows(part)):
        colour = _tone(plan, window.term)
        style = Style(colour, _WINDOW, colour, 2.2)
        yield from block.outline(window.places, style, 2.5 + 2 * (k % 3))
    yield from block.labels(lambda place: plan.is_uncovered(part, place))
    yield from block.numbers()
    if not part.gradient:
        yield from block.zeros()
    for place, term in seen.items():
        if plan.is_left(part):
            yield block.fill(place, Style(stroke="ink", width=2.4), 1)
        elif plan.numbered:
            yield block.fill(place, Style(stroke=_tone(plan, term), width=2), 1)
            x, y = block.corner(place)
            yield from disc(x + block.cell - 4, y + 4, term)


def _tone(plan: Plan, term: int) -> str:
    return tone(term if plan.numbered else 0)


def _tooltip(plan: Plan, part: Part) -> Callable[[Sizes], str]:
    """What a cell says when it is pointed at: its equation, or its name."""
    derivation = plan.derivation
    equations = {
        "y": derivation.forward,
        "gx": derivation.grad_input,
        "gw": derivation.grad_weight,
    }
    if plan.is_left(part) and part.key in equations:
        elements = equations[part.key]
        return lambda place: elements[part.lead + place].text(most=6)
    return part.text
