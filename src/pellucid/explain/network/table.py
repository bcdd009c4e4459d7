"""Contributions as a table: the sum, its largest terms, and the images or channels behind them.

Not here: the numbers (contributions.py), the picture (heat.py). Next room: heat.py.
"""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pellucid.explain.network.words import HEADERS, WORDS
from pellucid.explain.sentences import Language

if TYPE_CHECKING:
    from pellucid.explain.network.contributions import Contributions

_GROUPS = 5  # images or channels that are listed


class Row(NamedTuple):
    """One of the largest terms: its names and numbers, the product, and its share."""

    call: str
    term: str
    numbers: str
    product: str
    share: str


def rows(found: Contributions, count: int) -> list[Row]:
    """Return the largest terms, the largest first; shares are of the sum of all magnitudes."""
    starts = np.cumsum([0, *(len(share.values) for share in found.shares)])
    made = []
    for number in found.largest(count):
        which = int(np.searchsorted(starts, number, side="right")) - 1
        share, k = found.shares[which], int(number - starts[which])
        made.append(
            Row(
                str(found.position(share.call)) if found.call_count > 1 else "",
                share.expression.terms[k].text(),
                " * ".join(map(short, share.numbers(k))),
                signed(found.terms[number]),
                percent(abs(found.terms[number]), found.magnitude),
            )
        )
    return made


def facts(found: Contributions, lang: Language) -> list[str]:
    """Return what there is to say of the whole sum, in lines."""
    words, terms = WORDS[lang], found.terms
    if found.why is not None:
        return [found.why.text(lang)]
    lines = [words["one"] if len(terms) == 1 else words["sum"].format(count=f"{len(terms):,}")]
    if len(terms) > 1:
        above, below = terms[terms > 0], terms[terms < 0]
        lines[0] += words["signs"].format(
            above=f"{len(above):,}", plus=signed(above.sum()),
            below=f"{len(below):,}", minus=signed(below.sum()),
            none=f"{len(terms) - len(above) - len(below):,}",
        )  # fmt: skip
    lines.append(words["magnitude"].format(magnitude=short(found.magnitude)))
    off = abs(found.kernel - found.value)
    lines.append(
        words["kernel" if off else "same"].format(
            dtype=found.dtype, value=f"{found.kernel:.8g}", off=f"{off:.1e}",
            share=f"{off / (found.magnitude or 1):.1e}",
        )
    )  # fmt: skip
    if found.call_count > 1:
        said = words["called" if len(found.shares) == 1 else "calls"]
        call = found.position(found.shares[0].call)
        lines.append(said.format(call=call, count=found.call_count))
    if found.others:
        lines.append(words["others"].format(ops=", ".join(found.others)))
    return lines


def groups(found: Contributions, lang: Language) -> list[list[str]]:
    """Return which images, or which output channels, add most in magnitude, as rows of a table."""
    lines = []
    for axis, key in enumerate(("image", "channel")):
        sizes, sums = (found.grouped(axis, v) for v in (np.abs(found.terms), found.terms))
        seen = np.flatnonzero(sizes)
        if len(seen) < 2:
            continue
        order = seen[np.argsort(-sizes[seen], kind="stable")]
        lines.append(list(HEADERS[lang][key]))
        lines += [
            [str(found.position(int(at))), signed(sums[at]), percent(sizes[at], found.magnitude)]
            for at in order[:_GROUPS]
        ]
        if len(order) > _GROUPS:
            rest = order[_GROUPS:]
            more = WORDS[lang]["more"].format(count=len(rest))
            share = percent(float(sizes[rest].sum()), found.magnitude)
            lines.append([more, signed(float(sums[rest].sum())), share])
    return lines


def table(found: Contributions, count: int, lang: Language) -> str:
    """Return it all as text."""
    lines = [f"{found.name} = {short(found.value)}"]
    lines += [f"  {fact}" for fact in facts(found, lang)]
    if found.why is not None:
        return "\n".join(lines)
    cells, right = _cells(found, count, lang)
    lines += ["", *_aligned(cells, right)]
    left_out = len(found.terms) - len(cells) + 1
    if left_out:
        shown = float(np.abs(found.terms[found.largest(count)]).sum())
        rest = percent(found.magnitude - shown, found.magnitude)
        lines.append("  " + WORDS[lang]["rest"].format(count=f"{left_out:,}", share=rest))
    if listed := groups(found, lang):
        lines += ["", *_aligned(listed, {1, 2})]
    return "\n".join(lines)


def _cells(found: Contributions, count: int, lang: Language) -> tuple[list[list[str]], set[int]]:
    """Return the largest terms under a header, and which columns are aligned to the right."""
    table = [Row(*HEADERS[lang]["term"]), *rows(found, count)]
    kept = [0] if found.call_count > 1 else []
    kept += [1, 3, 4] if found.grad == "bias" else [1, 2, 3, 4]  # of one factor, it is the product
    return [[row[k] for k in kept] for row in table], {kept.index(k) for k in (3, 4)}


def _aligned(cells: list[list[str]], right: set[int]) -> list[str]:
    """Return rows as lines with their columns aligned; Korean letters are two columns wide."""
    widths = [max(map(wide, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            " " * (width - wide(cell)) + cell if k in right else cell + " " * (width - wide(cell))
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "   ".join(padded)).rstrip())
    return lines


def wide(text: str) -> int:
    """Return how many columns a text has in a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def html(found: Contributions, count: int, lang: Language, picture: str) -> str:
    """Return the picture and the table as HTML, for a notebook or a page."""
    said = "".join(f"<p>{escape(fact)}</p>" for fact in facts(found, lang))
    parts = [f"<p><b>{escape(found.name)} = {short(found.value)}</b></p>", picture, said]
    if found.why is None:
        head, *body = _cells(found, count, lang)[0]
        parts.append(f"<table><thead>{_line(head, 'th')}</thead><tbody>")
        parts += [*(_line(row, "td") for row in body), "</tbody></table>"]
    return "\n".join(["<div>", *parts, "</div>"])


def _line(row: list[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)}</tr>"


def short(value: float) -> str:
    """Return a number with four digits.

    >>> short(0.041186964), short(-1234567.0)
    ('0.04119', '-1.235e+06')
    """
    return f"{value:.4g}"


def signed(value: float) -> str:
    """Return a number with four digits and its sign."""
    return f"{value:+.4g}" if value else "0"


def percent(part: float, whole: float) -> str:
    """Return a share as text.

    >>> percent(1.0, 8.0)
    '12.5 %'
    """
    return f"{100 * part / whole if whole else 0:.1f} %"
