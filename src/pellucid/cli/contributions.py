"""`pellucid explain FOLDER`: what a gradient of a trained run is made of.

Not here: how the batch comes again (training/replay.py), the table and the heat map
(explain/network). Next room: equations.py.
"""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from pellucid.cli.explain import as_index, refuse
from pellucid.cli.progress import say
from pellucid.errors import ArgumentError
from pellucid.explain.network import Contributions
from pellucid.explain.network.call import GRADS, Grad
from pellucid.explain.network.document import document
from pellucid.explain.network.words import WORDS
from pellucid.explain.notation import as_notation
from pellucid.explain.sentences import Language, as_language
from pellucid.files import write
from pellucid.training.replay import Replay, replay_folder

_TERMS = 10  # in the table
_PAGE_TERMS = 50  # in a page
_SAMPLES = 3  # images that are named


class Batch(NamedTuple):
    """The options that choose a layer and a batch; None is one that was not given."""

    layer: str | None
    epoch: int | None
    batch: int | None


def is_run(text: str, chosen: Batch) -> bool:
    """Whether a run is meant: there is such a folder, or it is written like one.

    Raises: ArgumentError where it is not, but an option is of a run.
    """
    if "/" in text or os.sep in text or (text and Path(text).exists()):
        return True
    refuse(
        {f"--{name}": value is not None for name, value in chosen._asdict().items()},
        f"OPTION is of a run, and there is no folder {text}",
        "give the folder of a run, such as runs/digits-1, or leave OPTION out",
    )
    return False


def explain_run(
    folder: str, chosen: Batch, grad: str | None, at: str | None, view: str | None, latex: bool,
    notation: str, lang: str, html: Path | None, look: bool, svg: Path | None, transposed: bool,
) -> None:  # fmt: skip
    """Print what an element of a gradient is made of, or write it as a page or a picture.

    Raises: ArgumentError for options that are not there, and as `replay_folder` and indexing.
    """
    language, wanted = as_language(lang), _grad(grad)
    _check(folder, {"--view": view, "--latex": latex, "--transposed": transposed}, html, look)
    index = None if at is None else as_index(at)
    replay = replay_folder(folder, *chosen)
    found = replay.contributions(wanted, index, as_notation(notation))
    before, console = _said(replay, found, language), Console()
    if svg is not None:
        write("explain", svg, found.svg(language))
    if html is not None:
        write("explain", html, document(found, before, _PAGE_TERMS, language))
        if look:
            webbrowser.open(html.resolve().as_uri())
    written = [f"wrote {file}" for file in (html, svg) if file is not None]
    say(console, "\n".join(written or [*before, "", found.table(_TERMS, language)]))


def _check(folder: str, of_spec: Mapping[str, object], html: Path | None, look: bool) -> None:
    """Refuse the options that are for a spec alone."""
    refuse(
        of_spec,
        f"OPTION is for a spec, and {folder} is a run",
        "leave OPTION out",
    )
    if look and html is None:
        raise ArgumentError(
            "explain", "--open opens a page, but --html does not say which", fix="add --html FILE"
        )


def _grad(grad: str | None) -> Grad:
    for known in GRADS:
        if known == (grad or "weight"):
            return known
    raise ArgumentError(
        "explain", f"there is no gradient {grad!r}", fix=f"use one of {', '.join(GRADS)}"
    )


def _said(replay: Replay, found: Contributions, lang: Language) -> list[str]:
    """Say which batch it is, whose weights, and what the images are that have most of it."""
    words, settings = WORDS[lang], replay.settings
    lines = [
        words["replay"].format(
            layer=replay.name, model=settings.model, data=settings.data,
            images=len(replay.samples), epoch=replay.epoch, batch=replay.batch,
            batches=replay.batches,
        ),
        _weights(replay, lang),
    ]  # fmt: skip
    lines += [
        words["sample"].format(
            at=found.position(at), sample=replay.samples[at], label=replay.labels[at]
        )
        for at in found.main_images(_SAMPLES)
    ]
    return lines


def _weights(replay: Replay, lang: Language) -> str:
    words = WORDS[lang]
    if replay.exact:
        return words["exact"]
    epoch, batch = divmod(replay.trained, replay.batches)
    if epoch == replay.settings.epochs:
        return words["end"]
    return words["checkpoint"].format(epoch=epoch + 1, batch=batch)
