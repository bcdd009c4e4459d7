"""The derivation of a convolution: the equation of every element of y, gx, gw and gb.

The three sums of sums.py, under the names that a reader knows. A transposed convolution is the
exchange of two of them: its forward pass is the sum of `grad_input`, its `grad_input` that of a
forward pass (docs/maths.md, 9). Not here: the general formulas (conv_general.py), other layers
(layers/). Next room: sources.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.errors import UnsupportedError
from pellucid.explain.algebra import Element
from pellucid.explain.axis import axes_of
from pellucid.explain.conv_general import conv_general
from pellucid.explain.derivation import Derivation
from pellucid.explain.elements import Elements
from pellucid.explain.expression import Expression
from pellucid.explain.general import General
from pellucid.explain.notation import Named, Names, Notation
from pellucid.explain.pictures.coverage import coverage
from pellucid.explain.pictures.picture import Picture
from pellucid.explain.sentences import Language, as_language
from pellucid.explain.summary import described
from pellucid.explain.sums import (
    Factor,
    Place,
    Roles,
    Sum,
    fixed,
    of_input,
    of_output,
    of_weight,
)
from pellucid.explain.why import Why
from pellucid.kernels.conv.spec import LETTERS, ConvSpec

# The letters of the pixels of x, the taps of w and the windows of y, for 1, 2 and 3 axes.
PIXELS, TAPS, WINDOWS = ("w", "h w", "d h w"), ("v", "u v", "t u v"), ("j", "i j", "k i j")


class ConvDerivation(Derivation):
    """The equations of one convolution, or of the transposed one (`derive` makes them).

    `forward[n,o,i,j]`, `grad_input[n,c,h,w]`, `grad_weight[o,c,u,v]` and `grad_bias[o]` are
    indexed from 0 with all axes and give an `Expression`. Of a transposed convolution x and y have
    each other's place: `forward[n,o,h,w]`, `grad_input[n,c,i,j]`, `grad_weight[c,o,u,v]`; `spec` is
    that of the convolution whose grad_input it is.

    Cost: an equation is made when it is asked for; its terms when they are looked at.
    """

    def __init__(self, spec: ConvSpec, notation: Notation, transposed: bool, bias: bool) -> None:
        self.spec, self.transposed, self.bias = spec, transposed, bias
        self.axes, self.roles = axes_of(spec), Roles(transposed)
        self.names = Names(self._arrays(), notation)
        self.forward = self._elements("forward", "y", False)
        self.grad_input = self._elements("grad_input", "x", True)
        self.grad_weight = self._elements("grad_weight", "w", True)

    @property
    def grad_bias(self) -> Elements:
        """The gradient by each b[o].

        Raises: UnsupportedError where the convolution has no bias.
        """
        if not self.bias:
            raise UnsupportedError(
                "grad_bias",
                "this convolution has no bias",
                str(self.spec),
                fix="derive it with bias=True",
            )
        return self._elements("grad_bias", "b", True)

    @property
    def parts(self) -> dict[str, Elements]:
        """The arrays that have equations, by name."""
        found = [self.forward, self.grad_input, self.grad_weight]
        return {part.title: part for part in found + ([self.grad_bias] if self.bias else [])}

    @property
    def title(self) -> str:
        """The spec, by its name and in words."""
        return f"{self.spec}. {described(self.spec, 'en', self.transposed)}"

    @property
    def spread(self) -> Elements:
        """What the windows are spread to: `grad_input`, or `forward` of a transposed one."""
        return self.forward if self.transposed else self.grad_input

    def coverage(self, lang: Language = "en") -> Picture:
        """Return the heat map of how many windows hold each pixel of x, grey where none does.

        Of a transposed convolution: of y. Raises: ArgumentError for a language other than `en` and
        `ko`.

        >>> from pellucid.explain import derive
        >>> print(derive("c1 i6 o1 k3 s2").coverage().scene.desc)
        How many windows hold each pixel of X. Row by row: 1 1 2 1 1 0. Grey: no window holds \
place 6 (left over).
        """
        return coverage(self, lang)

    def general(self, lang: Language = "en") -> General:
        """Return the general formulas, with this problem's numbers, and how they follow.

        Raises: ArgumentError for a language other than `en` and `ko`.

        >>> from pellucid.explain import derive
        >>> general = derive("c1 i5 o1 k3 s2").general()
        >>> print(general.parts[1].steps[1].formulas[0].text)
        dL/dx[n,c,w] = sum[o,v,j: w = 2 j + v] dL/dy[n,o,j] w[o,c,v]
        """
        return conv_general(
            self.spec, self.names.notation, self.transposed, self.bias, as_language(lang)
        )

    def __repr__(self) -> str:
        kind = "transposed convolution" if self.transposed else "convolution"
        return f"<derivation of the {kind} {self.spec}>"

    def _arrays(self) -> dict[str, Named]:
        """The arrays of the problem under the keys that `evaluate` knows."""
        spec, axes = self.spec, self.spec.axes
        pixels, taps, windows = (letters[axes - 1] for letters in (PIXELS, TAPS, WINDOWS))
        of_x, of_y, of_w, w_channels = pixels, windows, f"o c {taps}", "O C/G"
        x_shape, b_shape, y_shape = spec.x_shape, spec.b_shape, spec.y_shape
        if self.transposed:
            of_x, of_y, of_w, w_channels = windows, pixels, f"c o {taps}", "C O/G"
            x_shape, b_shape, y_shape = spec.y_shape, spec.bx_shape, spec.x_shape
        sizes = {prefix: " ".join(prefix + axis for axis in LETTERS[-axes:]) for prefix in "KO"}
        x_sizes = " ".join(LETTERS[-axes:])
        return {
            "x": Named(x_shape, f"n c {of_x}", f"N C {x_sizes}", axes, "x", "x"),
            "w": Named(spec.w_shape, of_w, f"{w_channels} {sizes['K']}", axes, "w", "w"),
            "b": Named(b_shape, "o", "O", 0, "b", "b"),
            "y": Named(y_shape, f"n o {of_y}", f"N O {sizes['O']}", axes, "o", "y"),
        }

    def _elements(self, title: str, array: str, gradient: bool) -> Elements:
        make = {
            "forward": self._spread_to if self.transposed else self._window_of,
            "grad_input": self._window_of if self.transposed else self._spread_to,
            "grad_weight": self._meetings_of_tap,
            "grad_bias": self._all_outputs,
        }[title]
        return Elements(title, array, gradient, self.names, str(self.spec), make)

    def _window_of(self, left: Element) -> Expression:
        """The sum of a window: forward, or grad_input of a transposed convolution."""
        x, w, counts = of_output(self.spec, left.index)
        factors = self.roles.pixels(x, left.gradient), Factor("w", False, w)
        why = self._all_padding(x, counts)
        return Expression(left, Sum(self.names, factors, counts, self._added(left)), why, self)

    def _spread_to(self, left: Element) -> Expression:
        """What all windows spread to one place: grad_input, or a transposed forward pass."""
        y, w, counts = of_input(self.spec, left.index)
        factors = self.roles.windows(y, left.gradient), Factor("w", False, w)
        why = self._uncovered(left.index[2:])
        return Expression(left, Sum(self.names, factors, counts, self._added(left)), why, self)

    def _meetings_of_tap(self, left: Element) -> Expression:
        """All places where one weight was used: grad_weight."""
        y, x, counts = of_weight(self.spec, left.index)
        why = self._all_padding(x, counts)
        return Expression(left, Sum(self.names, self.roles.both(y, x), counts), why, self)

    def _all_outputs(self, left: Element) -> Expression:
        """The sum of gy over images and places: grad_bias."""
        N, _, *sizes = self.names.arrays["y"].shape
        spatial = (Place(k, range(size)) for k, size in enumerate(sizes, 1))
        gy = Factor("y", True, (Place(0, range(N)), fixed(left.index[0]), *spatial))
        why = None if N else Why("batch", None, None, self.axes)
        return Expression(left, Sum(self.names, (gy,), (N, *sizes)), why, self)

    def _added(self, left: Element) -> Element | None:
        """The bias, which is the last term of a forward pass."""
        if left.gradient or not self.bias:
            return None
        return Element("b", (left.index[1],), False, self.names)

    def _uncovered(self, pixel: Sequence[int]) -> Why | None:
        """Say why no window holds a pixel, by the first axis that rules it out."""
        for k, (axis, h) in enumerate(zip(self.axes, pixel, strict=True)):
            if reason := axis.why_uncovered(h):
                return Why(reason, k, self.names.position(h), self.axes)
        return None

    def _all_padding(self, x: tuple[Place, ...], counts: Sequence[int]) -> Why | None:
        """Say that a window, or all windows at one tap, meet nothing but padding."""
        if 0 not in counts:
            return None
        return Why("padding" if self.spec.batch else "batch", None, None, self.axes)
