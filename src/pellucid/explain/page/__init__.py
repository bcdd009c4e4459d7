"""One convolution as one HTML file: grids that can be pointed at, every gradient with its equation.

`page(spec)` puts the style and the modules of this folder into page.html. The browser does the
rest: the modules solve the index equation themselves, so that sliders need no Python, and a test
holds that page and Python say the same. Nothing is loaded from a network.

Not here: pictures for other pages, and what a terminal prints. Next room: spec.js, and from there
as each module says at its top.
"""

from __future__ import annotations

import re
from importlib.resources import files

import pellucid
from pellucid.errors import ArgumentError
from pellucid.explain.algebra import Element
from pellucid.explain.notation import as_notation
from pellucid.explain.sentences import as_language
from pellucid.kernels.conv import ConvSpec

VIEWS = ("scatter", "gather", "phases", "windows")  # the tabs, as views.js has them
# Each imports from those before it.
_MODULES = (
    "spec", "axis", "notation", "derive", "numbers", "light", "maths", "strings", "transposed",
    "draw", "layout", "stage", "panel", "pictures", "spread", "collect", "views", "player",
    "controls", "heat", "goto", "code", "sources", "address", "app",
)  # fmt: skip
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|class|function\*?) (\w+))", re.MULTILINE)


def page(
    spec: ConvSpec | str,
    lang: str = "en",
    *,
    notation: str = "textbook",
    element: Element | None = None,
    view: str = VIEWS[0],
    transposed: bool = False,
) -> str:
    """Return the page that explains one convolution, as the text of one HTML file.

    `element` is the one that is chosen at first: the left side of an equation of `derive(spec)`.
    `view` is the tab that is open at first: scatter, gather, phases or windows. `transposed` reads
    the spec as that of the convolution whose grad_input is meant, as `derive` does.
    Shapes: any; what is too large to draw is derived element by element.
    Raises: as `ConvSpec.parse`; ArgumentError for an unknown language, notation or view.

    >>> from pellucid.explain import derive
    >>> gw11 = derive("c1 i5x5 o1 k3x3 s2").grad_weight[0, 0, 0, 0].left
    >>> print(page("c1 i5x5 o1 k3x3 s2", "ko", element=gw11).splitlines()[1])
    <html lang="ko" data-spec="c1 i5x5 o1 k3x3 s2"
    """
    if view not in VIEWS:
        raise ArgumentError(
            "explain", f"the page has no view {view!r}", fix=f"use one of {', '.join(VIEWS)}"
        )
    problem = ConvSpec.parse(spec) if isinstance(spec, str) else spec
    if not isinstance(problem, ConvSpec):
        raise ArgumentError(
            "explain",
            f"a page is of a spec, and {type(spec).__name__} is none",
            fix="give d.spec, and transposed=d.transposed, of d = derive(...)",
        )
    parts = {
        "language": as_language(lang),
        "notation": as_notation(notation),
        "element": f"{element.key}:{','.join(map(str, element.index))}" if element else "",
        "view": view,
        "kind": "transposed" if transposed else "convolution",
        "spec": str(problem),
        "version": pellucid.__version__,
        "style": _read("page.css"),
        "script": "\n".join(_module(name) for name in _MODULES),
    }
    # In one pass, so that what is put in is not searched again.
    places = re.compile("|".join(f"{{{name}}}" for name in parts))
    return places.sub(lambda found: parts[found[0][1:-1]], _read("page.html"))


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _module(name: str) -> str:
    """Return a module as a function that is called once and returns what it exports."""
    text = _read(f"{name}.js")
    body = _IMPORT.sub(r"const \1 = $\2;", _EXPORT.sub("", text))
    exported = ", ".join(_EXPORT.findall(text))
    return f"const ${name} = (() => {{\n{body}return {{ {exported} }};\n}})();"
