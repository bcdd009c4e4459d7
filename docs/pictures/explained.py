"""Draw the pictures of the pages that `explain` makes by itself.

    python docs/pictures/explained.py     writes the SVG files beside this one

Next to nothing is said here: what a picture shows is what a user gets.
"""

from __future__ import annotations

from pathlib import Path

from pellucid.explain import Picture, derive, view
from pellucid.explain.pictures.scene import THEMES

GATHER = view(derive("c1 i5x5 o1 k3x3 s2"), "gather")
LEFTOVER = derive("c1 i6x6 o1 k3x3 s2")

# What each is called, with its language behind a dot -> what it is.
DRAWN: dict[str, Picture] = {
    "gather": GATHER.animation(),
    "gather.ko": GATHER.animation("ko"),
    "coverage": LEFTOVER.coverage(),
}


def pictures() -> dict[str, str]:
    """Return the files by name."""
    files = {}
    for name, picture in DRAWN.items():
        stem, dot, language = name.partition(".")
        for theme in THEMES:
            files[f"{stem}-{theme}{dot}{language}.svg"] = picture.svg(theme)
    return files


if __name__ == "__main__":
    for name, svg in pictures().items():
        (Path(__file__).parent / name).write_text(svg, encoding="utf-8", newline="\n")
