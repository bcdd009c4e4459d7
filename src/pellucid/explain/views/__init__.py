"""The ways to see a gradient of a convolution that people confuse, and that are all equal.

For gx: scatter, gather, phases. For gw: windows, correlation. Next room: base.py.
"""

from __future__ import annotations

from pellucid.errors import ArgumentError
from pellucid.explain.convolution import ConvDerivation
from pellucid.explain.views.base import View as View
from pellucid.explain.views.correlation import Correlation as Correlation
from pellucid.explain.views.gather import Gather as Gather
from pellucid.explain.views.phases import Phases as Phases
from pellucid.explain.views.scatter import Scatter as Scatter
from pellucid.explain.views.scatter import Windows as Windows

VIEWS = {view.name: view for view in (Scatter, Gather, Phases, Windows, Correlation)}


def view(derivation: ConvDerivation, name: str) -> View:
    """Return a view of a derivation by its name.

    Raises: ArgumentError for a name that there is not.

    >>> from pellucid.explain import derive
    >>> gather = view(derive("c1 i4 o1 k2 s2"), "gather")
    >>> [add.text() for add in gather.steps[3].adds]
    ['dL/dx4 += dL/do2 w2']
    """
    if name not in VIEWS:
        raise ArgumentError(
            "explain", f"there is no view {name!r}", fix=f"use one of {', '.join(VIEWS)}"
        )
    return VIEWS[name](derivation)
