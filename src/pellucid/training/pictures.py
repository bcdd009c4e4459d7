"""The pictures of a run, as PNG on light or dark paper: curves, confusion matrix, filters, images.

matplotlib draws them; it comes with the extra `app` and is imported when a picture is drawn, as
figures of their own that leave its global state alone. Not here: the page that shows them
(report.py). Next room: report.py.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pellucid.backend import Array
from pellucid.training.trainer import EpochDone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Theme(NamedTuple):
    """The colours of a picture: those of docs/pictures."""

    paper: str
    ink: str
    grey: str
    line: str
    blue: str
    orange: str


LIGHT = Theme("#ffffff", "#1f2328", "#6e7781", "#d0d7de", "#0072b2", "#d55e00")
DARK = Theme("#0d1117", "#e6edf3", "#9198a1", "#30363d", "#56b4e9", "#f0a03c")
_WIDTH, _DPI = 5.6, 200  # inches: its text can still be read on a phone


def draw_curves(history: Sequence[EpochDone], theme: Theme = LIGHT) -> bytes:
    """Return the losses and the accuracy by epoch."""
    figure = _figure(5.6, theme)
    upper, lower = figure.subplots(2, 1, sharex=True)
    epochs = [line.epoch for line in history]
    style = {"marker": "o", "markersize": 4, "linewidth": 2, "clip_on": False}
    upper.plot(epochs, [line.train_loss for line in history], color=theme.orange, **style)
    upper.plot(epochs, [line.test_loss for line in history], color=theme.blue, **style)
    upper.set_title("Loss", loc="left", color=theme.ink, fontweight="bold")
    upper.legend(
        upper.lines, ["training images", "test images"], frameon=False, labelcolor=theme.ink
    )
    upper.set_ylim(bottom=0)
    accuracy = [100 * line.test_accuracy for line in history]
    lower.plot(epochs, accuracy, color=theme.blue, **style)
    lower.set_title("Test images recognised (%)", loc="left", color=theme.ink, fontweight="bold")
    lower.set_xlabel("epoch", color=theme.grey)
    lower.xaxis.get_major_locator().set_params(integer=True)
    for axes in (upper, lower):
        _quiet(axes, theme)
        axes.grid(axis="y", color=theme.line, linewidth=0.8)
    return _png(figure)


def draw_confusion(confusion: Array, classes: Sequence[str], theme: Theme = LIGHT) -> bytes:
    """Return the confusion matrix: rows are true classes, columns what the model said."""
    count = len(classes)
    figure = _figure(_WIDTH, theme)
    axes = figure.subplots()
    axes.imshow(_confusion_colours(confusion, theme))
    for true, row in enumerate(confusion):
        for said, number in enumerate(row):
            if number:
                weight = "bold" if true == said else "normal"
                axes.text(said, true, str(number), ha="center", va="center", color=theme.ink,
                          fontsize=9, fontweight=weight)  # fmt: skip
    tilt = 45 if max(map(len, classes)) > 2 else 0
    axes.set_xticks(range(count), classes, rotation=tilt, ha="right" if tilt else "center")
    axes.set_yticks(range(count), classes)
    axes.set_xlabel("taken for", color=theme.grey)
    axes.set_ylabel("is", color=theme.grey)
    _quiet(axes, theme)
    return _png(figure)


def _confusion_colours(confusion: Array, theme: Theme) -> Array:
    """Colour each cell by its share of the row: blue what is right, orange what is wrong.

    The wrong ones get a scale of their own, as they would be invisible on that of the right ones.
    """
    right = np.eye(len(confusion), dtype=bool)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    worst = share[~right].max(initial=0.0)
    strength = np.where(right, 0.45 * share, 0.15 * (share > 0) + 0.6 * share / (worst or 1.0))
    colours = np.where(right[..., None], _rgb(theme.blue), _rgb(theme.orange))
    # strength (K, K) -> (K, K, 1), beside colours (K, K, 3)
    return _rgb(theme.paper) + strength[..., None] * (colours - _rgb(theme.paper))


def draw_filters(weight: Array, theme: Theme = LIGHT) -> bytes:
    """Return the filters of a convolution w (O, C, KH, KW): the mean over C of each."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415  the extra `app`

    # (O, C, KH, KW) -> (O, KH, KW)
    filters = weight.mean(axis=1)
    columns = min(8, len(filters))
    rows = -(-len(filters) // columns)
    figure = _figure(_WIDTH * rows / columns + 0.6, theme)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    limit = float(np.abs(filters).max()) or 1.0
    hues = LinearSegmentedColormap.from_list("signs", [theme.orange, theme.paper, theme.blue])
    for axes in grid:
        axes.set_axis_off()
    for axes, each in zip(grid, filters, strict=False):
        image = axes.imshow(each, cmap=hues, vmin=-limit, vmax=limit)
    bar = figure.colorbar(image, ax=list(grid), orientation="horizontal", aspect=40, pad=0.08)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=theme.grey, labelsize=9, length=0)
    return _png(figure)


def draw_image(image: Array) -> bytes:
    """Return one image (H, W) with values from 0 to 1, pixel for pixel: dark ink on light paper."""
    from matplotlib.image import imsave  # noqa: PLC0415  the extra `app`

    buffer = io.BytesIO()
    imsave(buffer, image, cmap="gray_r", vmin=0, vmax=1, format="png")
    return buffer.getvalue()


def _figure(height: float, theme: Theme) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415  the extra `app`
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415

    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    return Figure((_WIDTH, height), dpi=_DPI, facecolor=theme.paper, layout=layout)


def _quiet(axes: Axes, theme: Theme) -> None:
    """Leave of the frame what carries information."""
    axes.set_facecolor(theme.paper)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=theme.grey, length=0)


def _rgb(colour: str) -> Array:
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the name and version of matplotlib, so that equal pictures are equal files.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
