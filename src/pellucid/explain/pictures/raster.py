"""A scene as pixels: PNG, or GIF where it moves, painted by matplotlib without a window.

It paints the same scene that svg.py writes. Fonts are those inside matplotlib; for Korean, one that
the system has. Not here: what is drawn. Next room: words.py.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.backend import Array
from pellucid.errors import UnsupportedError
from pellucid.explain.pictures.scene import THEMES, Box, Label, Line, Scene, Shape, Style
from pellucid.explain.pictures.text import LOWERED, SUBSCRIPT, Run, runs

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from PIL.Image import Image

SCALE = 2  # pixels for each unit of a scene
_ROUND = 0.5523  # the handles of a Bezier curve that is a quarter of a circle
# The beginnings of the names of files that hold Hangul, on Linux, Windows and macOS.
_HANGUL = ("NotoSansKR", "NotoSansCJK", "NanumGothic", "malgun", "AppleSDGothicNeo", "UnDotum")


def to_png(scene: Scene, theme: str) -> bytes:
    """Return a PNG file; of a scene that moves, one that does (APNG)."""
    return _file(scene, "png", [_painted(scene, theme, k) for k in range(scene.frames)])


def to_gif(scene: Scene, theme: str) -> bytes:
    """Return a GIF file."""
    # One palette for all frames, or colours would flicker: that of a frame with many colours.
    palette = _Palette(_painted(scene, theme, scene.still))
    frames = (_painted(scene, theme, k) for k in range(scene.frames))
    return _file(scene, "gif", [palette.applied(frame) for frame in frames])


def _file(scene: Scene, kind: str, images: list[Image]) -> bytes:
    buffer = io.BytesIO()
    more: dict[str, Any] = {}
    if len(images) > 1:
        more = {"save_all": True, "append_images": images[1:], "loop": 0}
        more["duration"] = round(1000 * scene.seconds)
    images[0].save(buffer, format=kind, optimize=True, **more)
    return buffer.getvalue()


class _Palette:
    """The colours that occur most often in an image, and the nearest of them to any other.

    Pillow's own search is too coarse: it makes white a little grey.
    """

    def __init__(self, image: Image) -> None:
        colours, counts = np.unique(_packed(image), return_counts=True)
        often = colours[np.argsort(counts)[::-1][:256]]
        self.parts = _unpacked(often)
        self.nearest = np.full(1 << 24, -1, np.int16)
        self.nearest[often] = np.arange(len(often))

    def applied(self, image: Image) -> Image:
        """Return an image in these colours."""
        from PIL import Image as images  # noqa: N813, PLC0415  the extra `app`

        packed = _packed(image)
        new = np.unique(packed[self.nearest[packed] < 0])
        # (new, 1, 3) - (256, 3) -> (new, 256)
        distances = ((_unpacked(new)[:, None] - self.parts) ** 2).sum(axis=-1)
        self.nearest[new] = distances.argmin(axis=1)
        found = images.fromarray(self.nearest[packed].astype(np.uint8))
        found.putpalette(self.parts.astype(np.uint8).tobytes())
        return found


def _packed(image: Image) -> Array:
    """Each pixel as one number: (H, W, 3) -> (H, W)."""
    return np.asarray(image, np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)


def _unpacked(colours: Array) -> Array:
    """Red, green and blue: (colours,) -> (colours, 3)."""
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int64)


def _painted(scene: Scene, theme: str, frame: int) -> Image:
    """One frame of a scene as an image."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415  the extra `app`
    from PIL import Image as images  # noqa: N813, PLC0415  the extra `app`

    wide, high = (round(SCALE * side) for side in (scene.width, scene.height))
    renderer: Any = RendererAgg  # it has no type hints
    painter = _Painter(renderer(wide, high, 72), scene, THEMES[theme])
    painter.box(Box(0, 0, scene.width, scene.height, Style("paper")))
    for shape in scene.shapes:
        if shape.frames is None or frame in shape.frames:
            painter.paint(shape)
    pixels = np.asarray(painter.renderer.buffer_rgba())
    return images.fromarray(np.ascontiguousarray(pixels[..., :3]))


class _Painter:
    """What paints the shapes of one frame."""

    def __init__(self, renderer: Any, scene: Scene, theme: dict[str, str]) -> None:
        from matplotlib.transforms import Affine2D  # noqa: PLC0415  the extra `app`

        self.renderer, self.scene, self.theme = renderer, scene, theme
        # Up is down in matplotlib.
        self.place = Affine2D().scale(SCALE, -SCALE).translate(0, SCALE * scene.height)

    def paint(self, shape: Shape) -> None:
        """Paint a shape."""
        if isinstance(shape, Box):
            self.box(shape)
        elif isinstance(shape, Line):
            self._line(shape)
        else:
            self._label(shape)

    def box(self, box: Box) -> None:
        """Paint a rectangle."""
        self._path(_rectangle(box), box.style)

    def _line(self, line: Line) -> None:
        from matplotlib.path import Path as Outline  # noqa: PLC0415  the extra `app`

        points = [*line.points, line.points[0]] if line.style.fill else line.points
        self._path(Outline(np.array(points)), line.style)

    def _path(self, path: Outline, style: Style) -> None:
        """Paint a path, first its filling and then its line."""
        context = self.renderer.new_gc()
        context.set_linewidth(0)
        if style.fill:
            colour = (*_rgb(self.theme[style.fill]), style.opacity)
            self.renderer.draw_path(context, path, self.place, colour)
        if style.stroke:
            context.set_foreground(self.theme[style.stroke])
            context.set_linewidth(SCALE * style.width)
            if style.dash:
                dash = SCALE * style.dash
                context.set_dashes(dash / 2, [dash, dash])
            self.renderer.draw_path(context, path, self.place, None)
        context.restore()

    def _label(self, label: Label) -> None:
        """Paint a text, piece by piece."""
        from matplotlib.transforms import Affine2D  # noqa: PLC0415  the extra `app`

        pieces = [(run, *_of_run(run, label)) for run in runs(label.text)]
        wide = sum(advance for _, _, advance in pieces)
        squeezed = 1.0 if label.width is None or not wide else label.width / wide
        x = label.x - (wide / 2 if label.anchor == "middle" else 0)
        context = self.renderer.new_gc()
        context.set_linewidth(0)
        colour = (*_rgb(self.theme[label.colour]), 1.0)
        base = label.y + 0.34 * label.size
        for run, outline, advance in pieces:
            y = base + (LOWERED * label.size if run.lowered else 0)
            to_line = Affine2D().scale(squeezed, -1).translate(x, y) + self.place
            self.renderer.draw_path(context, outline, to_line, colour)
            x += squeezed * advance
        context.restore()


def _of_run(run: Run, label: Label) -> tuple[Outline, float]:
    size = label.size * (SUBSCRIPT if run.lowered else 1.0)
    return _glyphs(run.text, run.maths, label.bold, round(size, 2))


@lru_cache(maxsize=4096)
def _glyphs(text: str, maths: bool, bold: bool, size: float) -> tuple[Outline, float]:
    """A piece of text as a path, and how far it reaches."""
    from matplotlib.textpath import TextPath, text_to_path  # noqa: PLC0415  the extra `app`

    font = _font(maths, bold, _has_hangul(text)).copy()
    font.set_size(size)
    # Blanks at the end count, so a mark stands behind them.
    whole, mark = (
        text_to_path.get_text_width_height_descent(measured, font, False)[0]
        for measured in (f"{text}|", "|")
    )
    return TextPath((0, 0), text, size=size, prop=font), whole - mark


def _font(maths: bool, bold: bool, hangul: bool) -> FontProperties:
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415  the extra `app`

    weight = "bold" if bold else "normal"
    if hangul:
        return FontProperties(fname=str(_hangul_file()))
    if maths:
        return FontProperties(family="STIXGeneral", style="italic", weight=weight)
    return FontProperties(family="DejaVu Sans", weight=weight)


@lru_cache
def _hangul_file() -> Path:
    """Find a font with Hangul among those of the system."""
    from matplotlib.font_manager import findSystemFonts, get_font  # noqa: PLC0415  the extra `app`

    files = sorted(map(Path, findSystemFonts()))
    for name in _HANGUL:
        for file in files:
            regular = "Bold" not in file.stem and "Light" not in file.stem
            if file.stem.startswith(name) and regular and ord("가") in get_font(file).get_charmap():
                return file
    raise UnsupportedError(
        "save",
        "this system has no font with Korean letters that is known here",
        fix="install Noto Sans KR or NanumGothic, or save an SVG, whose reader brings the font",
    )


def _has_hangul(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def _rectangle(box: Box) -> Outline:
    """A rectangle, with round corners if it has a radius."""
    from matplotlib.path import Path as Outline  # noqa: PLC0415  the extra `app`

    left, top = box.left, box.top
    right, bottom = left + box.width, top + box.height
    r = min(box.radius, box.width / 2, box.height / 2)
    if not r:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return Outline(np.array(corners))
    h = r * (1 - _ROUND)
    points = [
        (left + r, top), (right - r, top),
        (right - h, top), (right, top + h), (right, top + r),
        (right, bottom - r), (right, bottom - h), (right - h, bottom), (right - r, bottom),
        (left + r, bottom), (left + h, bottom), (left, bottom - h), (left, bottom - r),
        (left, top + r), (left, top + h), (left + h, top), (left + r, top),
    ]  # fmt: skip
    curve = [Outline.CURVE4] * 3
    codes = [Outline.MOVETO, Outline.LINETO, *curve, *[Outline.LINETO, *curve] * 3]
    return Outline(np.array(points), codes)


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue
