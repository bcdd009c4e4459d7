"""`Picture`: a scene that shows itself in a notebook and can be saved.

Not here: what is drawn (figure.py, coverage.py, steps.py). Next room: scene.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import ArgumentError
from pellucid.explain.pictures.raster import to_gif, to_png
from pellucid.explain.pictures.scene import THEMES, Scene
from pellucid.explain.pictures.svg import to_svg
from pellucid.files import write

AUTO = "auto"  # light or dark, as the reader's system is


@dataclass(frozen=True)
class Picture:
    """A picture, which moves if it has several frames.

    In a notebook it shows itself.
    """

    scene: Scene

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return self.scene.frames

    def svg(self, theme: str = AUTO) -> str:
        """Return the picture as the text of an SVG file, which needs no other file.

        `theme` is `light`, `dark`, or `auto`: as the reader's system is. With `auto`, a page that
        the text is pasted into can set the colours, `svg { --paper: transparent }`.
        Raises: ArgumentError for another theme.

        >>> from pellucid.explain import derive
        >>> picture = derive("c1 i5x5 o1 k3x3 s2").grad_input[0, 0, 0, 2].figure()
        >>> print(picture.svg().splitlines()[1].split(">")[1])
        dL/dx13 in c1 i5x5 o1 k3x3 s2</title
        """
        return to_svg(self.scene, _checked(theme))

    def save(self, path: str | os.PathLike[str], theme: str = AUTO) -> None:
        """Write the picture to a file that appears whole or not at all: .svg, .png or .gif.

        PNG and GIF are light unless `theme` is `dark`; a picture that moves does so in both. They
        need matplotlib, which is in the extra `app`, and for Korean a font of the system.
        Raises: ArgumentError for another ending or theme, UnsupportedError where there is no such
        font, DataError when the file cannot be written.
        """
        place, theme = Path(path), _checked(theme)
        fixed = "light" if theme == AUTO else theme
        match place.suffix.lower():
            case ".svg":
                data = to_svg(self.scene, theme).encode()
            case ".png":
                data = to_png(self.scene, fixed)
            case ".gif":
                data = to_gif(self.scene, fixed)
            case other:
                raise ArgumentError(
                    "save",
                    f"there is no picture of the kind '{other}'",
                    fix="name the file .svg, .png or .gif",
                )
        write("save", place, data)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        """The same within the page, where cells say their equation when they are pointed at."""
        return self.svg()


def _checked(theme: str) -> str:
    if theme not in {AUTO, *THEMES}:
        raise ArgumentError(
            "svg",
            f"there is no theme {theme!r}",
            fix=f"use one of {', '.join([AUTO, *THEMES])}",
        )
    return theme
