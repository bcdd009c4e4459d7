"""The report of a run: one HTML page that needs nothing but itself, and the pictures it shows.

The page follows the reader's light or dark paper and fits a phone; its layout is
report.html.jinja. jinja2 fills it in; it comes with the extra `app` and is imported when a report
is made. Not here: how pictures are drawn (pictures.py). Next room: README.md.
"""

from __future__ import annotations

import base64
import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pellucid
from pellucid.data import ImageDataset
from pellucid.errors import UnsupportedError
from pellucid.explain.network.table import rows, short
from pellucid.nn import Conv2d, Module
from pellucid.training.evaluation import Evaluation
from pellucid.training.folder import REPORT
from pellucid.training.pictures import (
    DARK,
    LIGHT,
    draw_confusion,
    draw_curves,
    draw_filters,
    draw_image,
)
from pellucid.training.replay import Replay
from pellucid.training.settings import Settings, option
from pellucid.training.trainer import EpochDone

CURVES, CONFUSION, FILTERS = "curves.png", "confusion.png", "filters.png"
TEMPLATE = "report.html.jinja"
TERMS = 6  # of the gradient that is shown, the largest
MISTAKES = 24  # how many of the wrongly classified images are shown, the surest first


class Outcome(NamedTuple):
    """What there is to report when a run has ended."""

    settings: Settings
    history: Sequence[EpochDone]
    evaluation: Evaluation  # of all test images, in their order
    model: Module
    train_images: int
    test_data: ImageDataset
    seconds: float
    replay: Replay | None  # of the last batch, one of whose gradients is shown


def make_report(outcome: Outcome) -> dict[str, bytes]:
    """Return the contents of the files of a report by their names.

    Raises: UnsupportedError without the extra `app`.
    """
    try:
        drawings = _drawings(outcome)
        pictures = {name: (draw(theme=LIGHT), draw(theme=DARK)) for name, draw in drawings.items()}
        page = _page(outcome, pictures)
    except ImportError as error:
        raise UnsupportedError(
            "train",
            f"the report needs the extra 'app' ({error.name} is not installed)",
            fix='pip install "pellucid[app]"',
        ) from error
    return {**{name: light for name, (light, _) in pictures.items()}, REPORT: page.encode()}


def _drawings(outcome: Outcome) -> dict[str, Callable[..., bytes]]:
    """Return what draws each picture, once told the theme."""
    drawings: dict[str, Callable[..., bytes]] = {
        CURVES: partial(draw_curves, outcome.history),
        CONFUSION: partial(draw_confusion, outcome.evaluation.confusion, outcome.test_data.classes),
    }
    convolutions = [m for m in outcome.model.modules() if isinstance(m, Conv2d)]
    if convolutions:
        drawings[FILTERS] = partial(draw_filters, convolutions[0].weight.array)
    return drawings


def _page(outcome: Outcome, pictures: dict[str, tuple[bytes, bytes]]) -> str:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  the extra `app`

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    template = Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    found = outcome.evaluation
    return environment.from_string(template).render(
        settings={option(k): v for k, v in asdict(outcome.settings).items() if v is not None},
        command=outcome.settings.command(),
        history=outcome.history,
        accuracy=found.accuracy,
        wrong=found.count - int(found.confusion.trace()),
        count=found.count,
        train_images=outcome.train_images,
        parameters=sum(p.numel() for p in outcome.model.parameters()),
        model=repr(outcome.model),
        minutes=f"{outcome.seconds // 60:.0f}:{outcome.seconds % 60:02.0f}",
        pictures={name: tuple(map(_embedded, both)) for name, both in pictures.items()},
        classes=_by_class(found, outcome.test_data.classes),
        mistakes=_mistakes(found, outcome.test_data),
        gradient=_gradient(outcome.replay),
        versions=f"pellucid {pellucid.__version__}, NumPy {np.__version__}, "
        f"Python {platform.python_version()}",
        light=LIGHT,
        dark=DARK,
    )


def percent(share: float) -> str:
    """Return a share as text.

    >>> percent(0.9859)
    '98.59 %'
    """
    return f"{100 * share:.2f} %"


def _embedded(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _gradient(replay: Replay | None) -> dict[str, Any] | None:
    """The largest element of the gradient of a weight, and what it is made of."""
    if replay is None:
        return None
    found = replay.contributions("weight")
    return {
        "layer": replay.name,
        "batch": replay.batch,
        "name": found.name,
        "value": short(found.value),
        "count": len(found.terms),
        # inside of HTML the name space goes without saying
        "picture": re.sub(' xmlns="[^"]*"', "", found.svg()),
        "rows": rows(found, TERMS),
        "at": ",".join(map(str, found.index)),
    }


def _by_class(found: Evaluation, classes: Sequence[str]) -> list[dict[str, Any]]:
    """How many images of each class there are, and how many were recognised."""
    return [
        {"name": name, "right": int(row[k]), "count": int(row.sum())}
        for k, (name, row) in enumerate(zip(classes, found.confusion, strict=True))
    ]


def _mistakes(found: Evaluation, data: ImageDataset) -> list[dict[str, Any]]:
    """The images that were taken for something else, those first that it was surest of."""
    wrong = np.flatnonzero(found.predicted != data.targets.array)
    surest = wrong[np.argsort(-found.confidence[wrong], kind="stable")][:MISTAKES]
    return [
        {
            "image": _embedded(draw_image(data[index][0].array[0])),
            "index": int(index),
            "is": data.classes[data[index][1]],
            "said": data.classes[found.predicted[index]],
            "confidence": f"{100 * found.confidence[index]:.0f} %",
        }
        for index in surest
    ]
