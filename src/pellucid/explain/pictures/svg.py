"""A scene as SVG: one self-contained text, which moves by CSS alone.

Colours are CSS variables (`--ink`, `--tone0`), light or dark as the reader's system is, and can be
set from outside; or they are fixed. Shapes of equal style share a class. Where motion is not
wanted, or not known, one frame stands still; it also stops while it is pointed at.

Not here: what is drawn. Next room: raster.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import groupby

from pellucid.explain.pictures.scene import THEMES, Box, Frames, Label, Line, Scene, Shape, Style
from pellucid.explain.pictures.text import LOWERED, SUBSCRIPT, runs

_FONTS = (
    "text{text-anchor:middle;"
    "font-family:system-ui,'Noto Sans','Noto Sans KR',sans-serif}"
    ".m{font-family:'STIX Two Text','STIX','Times New Roman',Times,serif;font-style:italic}"
    ".s{text-anchor:start}.b{font-weight:600}"
)


def to_svg(scene: Scene, theme: str) -> str:
    """Return the text of an SVG file. `theme` is `light`, `dark`, or `auto` for either."""
    return _Writer(scene, theme).text()


def document(
    title: str,
    desc: str,
    lang: str,
    size: tuple[float, float],
    body: str,
    css: Callable[[str], str],
) -> str:
    """Return an SVG file around `body`: titled, described, and with the rules of `css(its id)`."""
    name = "p" + hashlib.sha256((title + body).encode()).hexdigest()[:8]
    wide, high = map(_number, size)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" role="img" lang="{lang}" '
        f'aria-labelledby="{name}-title {name}-desc">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n'
        f'<desc id="{name}-desc">{escape(desc)}</desc>\n'
        f"<style>\n{css(name)}\n</style>\n{body}\n</svg>\n"
    )


def both_themes(name: str) -> Iterator[str]:
    """The variables of both themes, for whichever the reader's system has; a page may set them."""
    yield f":where(#{name}){{{_variables('light')}}}"
    yield f"@media(prefers-color-scheme:dark){{:where(#{name}){{{_variables('dark')}}}}}"


class _Writer:
    """One scene on its way to text: it collects the styles and the frames that occur."""

    def __init__(self, scene: Scene, theme: str) -> None:
        self.scene, self.theme = scene, theme
        self.styles: dict[str, str] = {}  # declarations -> class
        self.shown: dict[frozenset[int], str] = {}  # frames -> class

    def text(self) -> str:
        """Return the whole file."""
        scene = self.scene
        size = scene.width, scene.height
        wide, high = map(_number, size)
        paper = f'<rect width="{wide}" height="{high}" class="paper"/>'
        body = "\n".join([paper, *self._grouped(scene.shapes)])
        return document(scene.title, scene.desc, scene.lang, size, body, self._css)

    # --- shapes ---

    def _grouped(self, shapes: Iterable[Shape]) -> Iterator[str]:
        """The shapes, those beside each other that share their frames in one group."""
        for frames, group in groupby(shapes, key=lambda shape: shape.frames):
            lines = "\n".join(self._shape(shape) for shape in group)
            yield lines if frames is None else f'<g class="{self._frames(frames)}">\n{lines}\n</g>'

    def _shape(self, shape: Shape) -> str:
        if isinstance(shape, Label):
            return self._label(shape)
        look = self._class(_declarations(shape.style))
        if isinstance(shape, Line):
            points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
            closed = "polygon" if shape.style.fill else "polyline"
            return f'<{closed} points="{points}" class="{look}"/>'
        return _rectangle(shape, look)

    def _label(self, label: Label) -> str:
        declarations = f"fill:var(--{label.colour})"
        kinds = [self._class(declarations)]
        kinds += ["s"] * (label.anchor == "start") + ["b"] * label.bold
        found = runs(label.text)
        all_maths = all(run.maths for run in found)
        kinds += ["m"] * all_maths
        inside, lowered = "", False
        for run in found:
            marks = ' class="m"' if run.maths and not all_maths else ""
            if run.lowered:
                marks += f' dy="{_number(LOWERED * label.size)}"'
                marks += f' font-size="{_number(SUBSCRIPT * label.size)}"'
            elif lowered:
                marks += f' dy="{_number(-LOWERED * label.size)}"'
            lowered = run.lowered
            text = escape(run.text, quote=False)
            inside += f"<tspan{marks}>{text}</tspan>" if marks else text
        place = f'x="{_number(label.x)}" y="{_number(label.y + 0.34 * label.size)}"'
        kept = ""
        if label.width is not None:
            kept = f' textLength="{_number(label.width)}" lengthAdjust="spacingAndGlyphs"'
        size = _number(label.size)
        return f'<text {place} font-size="{size}" class="{" ".join(kinds)}"{kept}>{inside}</text>'

    # --- styles ---

    def _class(self, declarations: str) -> str:
        return self.styles.setdefault(declarations, f"c{len(self.styles)}")

    def _frames(self, frames: frozenset[int]) -> str:
        return self.shown.setdefault(frames, f"f{len(self.shown)}")

    def _css(self, name: str) -> str:
        """The rules, all within this picture, so that several stand on one page."""
        rules = [f"#{name}{{max-width:100%;height:auto}}"]
        rules += both_themes(name) if self.theme == "auto" else []
        fonts = _FONTS.replace("}", "}\n").splitlines()
        looks = [f".{kind}{{{declared}}}" for declared, kind in self.styles.items()]
        nowhere = "*{pointer-events:none}"
        titled = ".t{pointer-events:all}"
        paper = ".paper{fill:var(--paper)}"
        rules += [f"#{name} {rule}" for rule in [nowhere, titled, paper, *fonts, *looks]]
        css = "\n".join([*rules, *self._motion(name)])
        return _with_fallback(css) if self.theme == "auto" else _fixed(css, THEMES[self.theme])

    def _motion(self, name: str) -> Iterator[str]:
        """The rules that show each group in its frames: at rest the still one, else all in turn."""
        if not self.shown:
            return
        scene = self.scene
        hidden = [kind for frames, kind in self.shown.items() if scene.still not in frames]
        yield ",".join(f"#{name} .{kind}" for kind in hidden) + "{visibility:hidden}"
        yield "@media(prefers-reduced-motion:no-preference){"
        seconds = _number(scene.frames * scene.seconds)
        for frames, kind in self.shown.items():
            rule = f"animation:{name}{kind} {seconds}s step-end infinite"
            yield f"#{name} .{kind}{{{rule}}}"
            yield f"@keyframes {name}{kind}{{{_keyframes(frames, scene.frames)}}}"
        yield f"#{name}:hover g{{animation-play-state:paused}}"
        yield "}"


def _rectangle(box: Box, look: str) -> str:
    place = f'x="{_number(box.left)}" y="{_number(box.top)}"'
    place += f' width="{_number(box.width)}" height="{_number(box.height)}"'
    place += f' rx="{_number(box.radius)}"' if box.radius else ""
    if not box.title:
        return f'<rect {place} class="{look}"/>'
    title = f"<title>{escape(box.title, quote=False)}</title>"
    return f'<rect {place} class="{look} t">{title}</rect>'


def _declarations(style: Style) -> str:
    """A style as CSS."""
    parts = [f"fill:var(--{style.fill})" if style.fill else "fill:none"]
    parts += [f"fill-opacity:{_number(style.opacity)}"] if style.opacity < 1 else []
    if style.stroke:
        parts += [f"stroke:var(--{style.stroke})", f"stroke-width:{_number(style.width)}"]
    if style.dash:
        dash, half = _number(style.dash), _number(style.dash / 2)
        parts += [f"stroke-dasharray:{dash}", f"stroke-dashoffset:{half}"]
    return ";".join(parts)


def _variables(theme: str) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in THEMES[theme].items())


def _with_fallback(css: str) -> str:
    """Give programs that know no variables the colours of the light theme."""
    light = THEMES["light"]
    return re.sub(r"(fill|stroke):var\(--(\w+)\)", lambda m: f"{m[1]}:{light[m[2]]};{m[0]}", css)


def _fixed(css: str, theme: dict[str, str]) -> str:
    """Put the colours of one theme in the place of the variables, for programs without them."""
    for name, colour in theme.items():
        css = css.replace(f"var(--{name})", colour)
    return css


def _keyframes(frames: Frames, count: int) -> str:
    """When a group is seen, in percent of the whole: steps where that changes."""
    shown = [k in (frames or ()) for k in range(count)]
    steps = [
        f"{_number(100 * k / count)}%{{visibility:{'visible' if now else 'hidden'}}}"
        for k, now in enumerate(shown)
        if k == 0 or now != shown[k - 1]
    ]
    return "".join(steps)


def _number(value: float) -> str:
    """A number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
