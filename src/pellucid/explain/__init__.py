"""The gradients, shown: the equation of any element of a convolution and of its gradients.

The equations are what the tests hold the kernels to, so the text and the code cannot drift apart.
Next room: sources.py, which says what a derivation is made of; then README.md.
"""

from pellucid.explain.algebra import Element as Element
from pellucid.explain.algebra import Term as Term
from pellucid.explain.convolution import ConvDerivation as ConvDerivation
from pellucid.explain.derivation import Derivation as Derivation
from pellucid.explain.elements import Elements as Elements
from pellucid.explain.expression import Expression as Expression
from pellucid.explain.network import Contributions as Contributions
from pellucid.explain.network import contributions as contributions
from pellucid.explain.network import record as record
from pellucid.explain.pictures.picture import Picture as Picture
from pellucid.explain.sources import derive as derive
from pellucid.explain.views import view as view
from pellucid.explain.why import Why as Why
