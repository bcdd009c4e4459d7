"""Contributions as an HTML page of its own: what they are of, the heat map, the table.

Not here: the parts (table.py, heat.py). Next room: contributions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pellucid.explain.network.table import html
from pellucid.explain.network.words import WORDS
from pellucid.explain.sentences import Language

if TYPE_CHECKING:
    from pellucid.explain.network.contributions import Contributions

_STYLE = """\
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--grey:#59636e;--line:#d0d7de}
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--grey:#9198a1;--line:#30363d}}
body{margin:0 auto;padding:2rem 1.25rem;max-width:46rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,"Noto Sans KR",sans-serif}
h1{font-size:1.4rem}
p{margin:.4rem 0}
.note{color:var(--grey)}
.scroll{overflow-x:auto}
table{margin:1rem 0;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);text-align:left;
white-space:nowrap}
th{color:var(--grey);font-weight:500}
"""


def document(found: Contributions, before: Sequence[str], count: int, lang: Language) -> str:
    """Return a page with sentences, the heat map, and the table of the `count` largest terms."""
    title = WORDS[lang]["title"].format(name=found.name)
    said = "".join(f'<p class="note">{escape(line)}</p>\n' for line in before)
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{said}{html(found, count, lang, found.svg(lang))}\n"
        "</main>\n</body>\n</html>\n"
    )
