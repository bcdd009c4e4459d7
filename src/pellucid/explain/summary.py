"""A derivation in a few words, and as it shows itself in a notebook.

Not here: all of its equations (cli/equations.py prints those). Next room: sources.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pellucid.explain.elements import Elements
from pellucid.explain.sentences import SCREEN, Language
from pellucid.kernels.conv.spec import ConvSpec

MOST_TERMS = 6


def described(spec: ConvSpec, lang: Language, transposed: bool = False) -> str:
    """Return a spec in words; `transposed` exchanges x and y.

    >>> described(ConvSpec.parse("c3 i9 o4 k3 s2 p1"), "en")
    'Convolution: input 3 channels of 9, kernel 3, stride 2, padding 1, output 4 channels of 5'
    """
    words = SCREEN[lang]

    def sized(channels: int, size: Sequence[int]) -> str:
        text = "x".join(map(str, size))
        return words["channels"].format(C=channels, size=text) if channels > 1 else text

    facts = [words["images"].format(N=spec.batch)] if spec.batch != 1 else []
    ends = [sized(spec.in_channels, spec.in_size), sized(spec.out_channels, spec.out_size)]
    x, y = reversed(ends) if transposed else ends
    facts.append(f"{words['input']} {x}")
    fields = {field[0]: field[1:] for field in str(spec).split()}
    for key, name in (("k", "kernel"), ("s", "stride"), ("p", "padding"), ("d", "dilation")):
        facts += [f"{words[name]} {fields[key]}"] if key in fields else []
    facts += [words["groups"].format(G=spec.groups)] if spec.groups > 1 else []
    facts.append(f"{words['output']} {y}")
    return f"{words['transposed' if transposed else 'convolution']}: {', '.join(facts)}"


def html(title: str, parts: Sequence[Elements]) -> str:
    """Return a table of arrays for a notebook: how each is indexed, its shape, one equation.

    >>> from pellucid.explain import derive
    >>> d = derive("c1 i5 o1 k3 s2")
    >>> "<td><code>grad_input[n,c,w]</code></td>" in html("", [d.grad_input])
    True
    """
    rows = []
    for part in parts:
        shape = "x".join(map(str, part.shape))
        middle = tuple(size // 2 for size in part.shape)
        example = part[middle].text(MOST_TERMS) if len(part) else ""
        cells = (part.indexed, shape, example)
        rows.append("".join(f"<td><code>{escape(cell)}</code></td>" for cell in cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<p>{escape(title)}</p><table>{body}</table>"
