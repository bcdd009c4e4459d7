"""`pellucid explain SPEC`: the derivation of a convolution, printed, as LaTeX, page or picture.

A small problem is shown with all its equations, of a larger one a few, and any one by `--at`.
Not here: the derivation, the page and the pictures (explain/), the look of what is printed
(equations.py).
Next room: equations.py.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from pellucid.cli.equations import Screen, most, shown
from pellucid.cli.progress import say
from pellucid.errors import ArgumentError
from pellucid.explain import ConvDerivation, Elements, Expression, derive, view
from pellucid.explain.notation import as_notation
from pellucid.explain.page import VIEWS, page
from pellucid.explain.sentences import Language, as_language
from pellucid.files import write

GRADIENTS = ("input", "weight", "bias")


def explain(
    text: str,
    grad: str | None,
    at: str | None,
    seen_as: str | None,
    latex: bool,
    notation: str,
    lang: str,
    html: Path | None,
    look: bool,
    svg: Path | None,
    transposed: bool,
) -> None:
    """Print the derivation of a spec, of one gradient, or of one of its elements; or a view.

    With `html` it becomes a page in that file, which `look` opens in a browser; with `svg`, a
    picture.

    Raises: ArgumentError for options that do not fit together, and as `derive` and its indexing.
    """
    language = as_language(lang)
    derivation = derive(text, notation=as_notation(notation), transposed=transposed)
    console = Console()
    if svg is not None:
        _check_drawn(seen_as, grad, at, latex, html)
        say(console, _drawn(derivation, seen_as, grad, at, svg, language))
        return
    if html is not None:
        _check_written(latex)
        _, element = _chosen(derivation, grad, at)
        say(console, _written(derivation, element, seen_as, html, look, language))
        return
    if look:
        raise ArgumentError(
            "explain", "--open opens a page, but --html does not say which", fix="add --html FILE"
        )
    if seen_as is not None:
        _check_alone(seen_as, grad, at, latex)
        seen, screen = view(derivation, seen_as), Screen(console, derivation, language)
        screen.title()
        screen.view(seen)
        return
    _print_equations(console, derivation, grad, at, latex, language)


def _print_equations(
    console: Console,
    derivation: ConvDerivation,
    grad: str | None,
    at: str | None,
    latex: bool,
    language: Language,
) -> None:
    """Print all arrays, or one gradient, or one element of it."""
    parts, element = _chosen(derivation, grad, at)
    if latex:
        say(console, _latex(derivation, parts, element, language))
        return
    screen = Screen(console, derivation, language)
    screen.title()
    if element is not None:
        screen.element(parts[0], element)
        return
    if grad is None:
        screen.arrays()
    for part in parts:
        screen.part(part)
    if grad is None:
        screen.hints()


def _written(
    derivation: ConvDerivation,
    element: Expression | None,
    seen_as: str | None,
    html: Path,
    look: bool,
    lang: Language,
) -> str:
    """Write the page, with the element and the view chosen that are asked for; say where."""
    chosen = None if element is None else element.left
    text = page(
        derivation.spec,
        lang,
        notation=derivation.names.notation,
        element=chosen,
        view=seen_as or VIEWS[0],
        transposed=derivation.transposed,
    )
    write("explain", html, text)
    if look:
        webbrowser.open(html.resolve().as_uri())
    return f"wrote {html}" if chosen is None else f"wrote {html}, open at {chosen.text()}"


def _drawn(
    derivation: ConvDerivation,
    seen_as: str | None,
    grad: str | None,
    at: str | None,
    file: Path,
    lang: Language,
) -> str:
    """Draw a view or one element, if none is asked for one in the middle; return what to say."""
    if seen_as is not None:
        picture, what = view(derivation, seen_as).animation(lang), seen_as
    else:
        parts, element = _chosen(derivation, grad, at)
        part = derivation.grad_input if grad is None else parts[0]
        if element is None:
            element = part[tuple(size // 2 for size in part.shape)]
        picture, what = element.figure(lang), element.left.text()
    picture.save(file)
    return f"drew {what} in {file}"


def _check_drawn(
    seen_as: str | None, grad: str | None, at: str | None, latex: bool, html: Path | None
) -> None:
    """Hold a picture to come without the options that print or write something else."""
    refuse(
        {"--latex": latex, "--html": html},
        "--svg draws a picture, and OPTION writes something else",
        "leave one of --svg and OPTION out",
    )
    if seen_as is not None:
        _check_alone(seen_as, grad, at, latex)


def _check_written(latex: bool) -> None:
    """Hold a page to come without the option that prints something else."""
    refuse(
        {"--latex": latex},
        "--html writes a page, and OPTION prints something else",
        "leave one of --html and OPTION out",
    )


def _check_alone(seen_as: str, grad: str | None, at: str | None, latex: bool) -> None:
    """Hold a view to come without the options that choose equations."""
    refuse(
        {"--grad": grad, "--at": at, "--latex": latex},
        f"--view {seen_as} shows a whole gradient, and OPTION something else",
        "leave one of --view and OPTION out",
    )


def refuse(options: Mapping[str, object], rule: str, fix: str) -> None:
    """Say of the first option that was given, as OPTION, that it does not belong here."""
    for option, given in options.items():
        if given:
            said, mended = (text.replace("OPTION", option) for text in (rule, fix))
            raise ArgumentError("explain", said, fix=mended)


def _chosen(
    derivation: ConvDerivation, grad: str | None, at: str | None
) -> tuple[list[Elements], Expression | None]:
    """The arrays to show, and the one element if one is asked for."""
    gradients = {
        "input": derivation.grad_input,
        "weight": derivation.grad_weight,
        "bias": derivation.grad_bias,
    }
    if grad is None:
        if at is not None:
            raise ArgumentError(
                "explain",
                f"--at {at} is the place of an element, but --grad does not say of which gradient",
                fix=f"add --grad {'|'.join(GRADIENTS)}",
            )
        return [derivation.forward, *gradients.values()], None
    if grad not in gradients:
        raise ArgumentError(
            "explain", f"there is no gradient {grad!r}", fix=f"use one of {', '.join(GRADIENTS)}"
        )
    chosen = gradients[grad]
    return [chosen], None if at is None else chosen[as_index(at)]


def as_index(at: str) -> tuple[int, ...]:
    """Return the index that `--at` names.

    Raises: ArgumentError for what is no list of whole numbers.

    >>> as_index("0,0,0,2")
    (0, 0, 0, 2)
    """
    try:
        return tuple(int(part) for part in at.split(","))
    except ValueError:
        raise ArgumentError(
            "explain",
            f"--at {at} is not a list of whole numbers",
            fix="write it as in --at 0,0,0,2",
        ) from None


def _latex(
    derivation: ConvDerivation,
    parts: list[Elements],
    element: Expression | None,
    lang: Language,
) -> str:
    """The same as LaTeX: one equation, or the formulas and the equations of each array."""
    if element is not None:
        return element.latex(most(element))
    general = {part.name: part.latex() for part in derivation.general(lang).parts}
    blocks = []
    for part in parts:
        equations, left_out = shown(part)
        blocks.append(general[part.title])
        blocks += [rf"\[ {equation.latex(most(equation))} \]" for equation in equations]
        if left_out:
            blocks.append(f"% {left_out:,} of {len(part):,} equations are left out")
    return "\n".join(blocks)
