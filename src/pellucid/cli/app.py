"""The commands and their options; what goes wrong becomes one message and an exit code.

Exit codes: 0 done, 1 the system would not (a full disk, no memory), or `diagnose` found a mistake,
2 the options or the data cannot be used, 128 + n stopped by signal n (130 for Ctrl-C).
Next room: train.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import pellucid
from pellucid.cli.bench import bench
from pellucid.cli.contributions import Batch, explain_run, is_run
from pellucid.cli.diagnose import diagnose_file
from pellucid.cli.explain import GRADIENTS, explain
from pellucid.cli.info import describe
from pellucid.cli.train import train
from pellucid.data.mnist import ENVIRONMENT
from pellucid.errors import PellucidError
from pellucid.explain.notation import NOTATIONS
from pellucid.explain.sentences import LANGUAGES
from pellucid.explain.views import VIEWS
from pellucid.kernels.conv import ALGORITHMS
from pellucid.training.build import MODELS, OPTIMIZERS
from pellucid.training.settings import DEFAULT_DATA, RECIPES

_BY_DATA = "[default: by data set]"

app = typer.Typer(
    name="pellucid",
    help="Convolution and its backpropagation on NumPy arrays, every gradient shown and proved.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@contextmanager
def _in_words() -> Iterator[None]:
    """Say what went wrong in one message, without a traceback."""
    try:
        yield
    except PellucidError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except MemoryError:
        typer.echo("error: there is not enough memory for this", err=True)
        raise typer.Exit(1) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pellucid {pellucid.__version__}")
        raise typer.Exit


_Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


@app.callback()
def _root(version: _Version = False) -> None:
    pass


@app.command("info")
def _info() -> None:
    """Print the version, kernels, threads, dtypes and paths."""
    typer.echo(describe())


_Spec = Annotated[
    str, typer.Argument(metavar="SPEC", help="As in `n8 c64 i56x56 o64 k3x3 p1`, in quotes.")
]
_DType = Annotated[str, typer.Option("--dtype", metavar="float32|float64", help="The numbers.")]
_Algorithm = Annotated[
    str | None,
    typer.Option(metavar="|".join(ALGORITHMS), help="The one to time. [default: the one chosen]"),
]
_Threads = Annotated[
    int | None, typer.Option(metavar="N", help="How many to use. [default: all there are]")
]


_Packed = Annotated[
    bool, typer.Option("--packed", help="Time forward with weights packed beforehand, too.")
]


@app.command("bench")
def _bench(
    spec: _Spec,
    dtype: _DType = "float32",
    algorithm: _Algorithm = None,
    threads: _Threads = None,
    packed: _Packed = False,
) -> None:
    """Time one convolution in its three directions."""
    with _in_words():
        typer.echo(bench(spec, dtype, algorithm, threads, packed))


def _one_of(names: Iterable[str]) -> str:
    return "|".join(names)


_Grad = Annotated[
    str | None,
    typer.Option(metavar=_one_of(GRADIENTS), help="One gradient. [default: all; of a run, weight]"),
]
_At = Annotated[
    str | None,
    typer.Option(
        metavar="N,C,H,W",
        help="One element of it, counted from 0, as in 0,0,0,2. [default: all; of a run, the "
        "largest]",
    ),
]
_View = Annotated[
    str | None,
    typer.Option(
        metavar=_one_of(VIEWS), help="One way to see a gradient, step by step; of a page, its tab."
    ),
]
_Transposed = Annotated[
    bool,
    typer.Option(
        "--transposed", help="The transposed convolution that is the gradient by x of SPEC."
    ),
]
_Latex = Annotated[bool, typer.Option("--latex", help="Print LaTeX.")]
_Notation = Annotated[
    str, typer.Option(metavar=_one_of(NOTATIONS), help="x13 counted from 1, or x[0,0,0,2] from 0.")
]
_Html = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write it as a page to look at and try out.")
]
_Open = Annotated[bool, typer.Option("--open", help="Open that page in a browser.")]
_Svg = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Draw it: one element, or with --view its steps; the ending may be .png or .gif. Of a "
        "run: the heat map.",
    ),
]
_Layer = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A layer of a run. [default: the first]"),
]
_Epoch = Annotated[
    int | None, typer.Option(metavar="E", help="An epoch of a run, from 1. [default: the last]")
]
_Batch = Annotated[
    int | None, typer.Option(metavar="B", help="A batch of it, from 1. [default: the last full]")
]
_What = Annotated[
    str,
    typer.Argument(
        metavar="SPEC|FOLDER", help="As in `c1 i5x5 o1 k3x3 s2`, in quotes; or the folder of a run."
    ),
]
_Lang = Annotated[str, typer.Option(metavar=_one_of(LANGUAGES), help="English or Korean.")]


@app.command("explain")
def _explain(
    what: _What,
    grad: _Grad = None,
    at: _At = None,
    view: _View = None,
    transposed: _Transposed = False,
    latex: _Latex = False,
    notation: _Notation = "textbook",
    lang: _Lang = "en",
    html: _Html = None,
    look: _Open = False,
    svg: _Svg = None,
    layer: _Layer = None,
    epoch: _Epoch = None,
    batch: _Batch = None,
) -> None:
    """Show every gradient of one convolution, and how it follows.

    That is the equation of every element. The example to begin with:
    pellucid explain "c1 i5x5 o1 k3x3 s2"

    Of the folder of a run, show what an element of a gradient of a layer is made of.
    """
    with _in_words():
        chosen = Batch(layer, epoch, batch)
        if is_run(what, chosen):
            explain_run(
                what, chosen, grad, at, view, latex, notation, lang, html, look, svg, transposed
            )
        else:
            explain(what, grad, at, view, latex, notation, lang, html, look, svg, transposed)


_Target = Annotated[str, typer.Argument(metavar="FILE:FUNCTION", help="As in my_conv.py:backward.")]
_Forward = Annotated[
    str | None,
    typer.Option(metavar="FUNCTION", help="The forward pass, to be checked first."),
]
_CaseSeed = Annotated[
    int, typer.Option("--seed", metavar="N", help="The numbers depend on it, and the last cases.")
]


@app.command("diagnose")
def _diagnose(
    function: _Target, forward: _Forward = None, lang: _Lang = "en", seed: _CaseSeed = 0
) -> None:
    """Say which mistake a backward pass of conv2d in a file makes.

    The function is backward(gy, x, w, stride, padding, dilation, groups) -> gx, gw, gb on NumPy
    arrays; options that it does not know may be left out. The exit code is 1 for a mistake.
    """
    with _in_words():
        text, is_wrong = diagnose_file(function, forward, lang, seed)
        typer.echo(text)
    if is_wrong:
        raise typer.Exit(1)


# The options of `pellucid train`; None is one that was not given.
_Data = Annotated[
    str | None,
    typer.Option(metavar=_one_of(RECIPES), help=f"What to learn. [default: {DEFAULT_DATA}]"),
]
_DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help=f"Where the idx files of mnist or fashion-mnist are. [default: ${ENVIRONMENT}]",
    ),
]
_Model = Annotated[
    str | None, typer.Option(metavar=_one_of(MODELS), help=f"The network. {_BY_DATA}")
]
_Epochs = Annotated[
    int | None,
    typer.Option(metavar="N", help=f"How often each training image is seen. {_BY_DATA}"),
]
_BatchSize = Annotated[
    int | None, typer.Option(metavar="N", help=f"Images for each step. {_BY_DATA}")
]
_Lr = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        help="The learning rate at its highest: it goes up and down once. [default: by data set "
        "and optimizer]",
    ),
]
_Optimizer = Annotated[
    str | None,
    typer.Option(metavar=_one_of(OPTIMIZERS), help=f"What takes the steps. {_BY_DATA}"),
]
_Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="All randomness depends on this number. [default: 0]"),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="A new or empty folder for the run. [default: runs/DATA-1, -2, ...]"
    ),
]
_Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Go on with the interrupted run in this folder, whose options are kept.",
    ),
]
_Profile = Annotated[
    bool,
    typer.Option(
        "--profile",
        help="Measure 10 of the first steps by layer and op, for profile.txt and .json.",
    ),
]


@app.command("train")
def _train(
    data: _Data = None,
    data_dir: _DataDir = None,
    model: _Model = None,
    epochs: _Epochs = None,
    batch_size: _BatchSize = None,
    lr: _Lr = None,
    optimizer: _Optimizer = None,
    seed: _Seed = None,
    out: _Out = None,
    resume: _Resume = None,
    profile: _Profile = False,
) -> None:
    """Train a network on images; write the model and a report.

    Both go into a folder. `pellucid train` alone learns the digits that come with the package.
    """
    with _in_words():
        train(
            resume, out, data_dir, profile, data=data, model=model, epochs=epochs,
            batch_size=batch_size, lr=lr, optimizer=optimizer, seed=seed,
        )  # fmt: skip
