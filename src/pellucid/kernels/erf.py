"""The complementary error function, which NumPy does not have, and the normal distribution.

Source: W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
Computation 23 (1969); the coefficients and the split of exp(-x^2) are those of his routine CALERF.
Not here: the activation that needs it (ops/activation.py). Next room: pool.py.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from pellucid.backend import Array

# erf(x) = x A(x^2) / B(x^2) for |x| <= 0.46875; coefficients from the highest power down.
_SMALL = 0.46875
_A = (
    1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
)  # fmt: skip
_B = (
    1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
    2.84423683343917062e3,
)  # fmt: skip
# erfc(x) = exp(-x^2) C(x) / D(x) for 0.46875 <= x <= 4.
_C = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
    2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
)  # fmt: skip
_D = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
    1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
    1.23033935480374942e3,
)  # fmt: skip
# erfc(x) = exp(-x^2) / x (1 / sqrt(pi) - P(1 / x^2) / (x^2 Q(1 / x^2))) for x >= 4.
_P = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_Q = (
    1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
    6.05183413124413191e-2, 2.33520497626869185e-3,
)  # fmt: skip


def _ratio(top: tuple[float, ...], bottom: tuple[float, ...], x: Array) -> Array:
    """One polynomial over another, by Horner's rule."""
    over, under = np.full_like(x, top[0]), np.full_like(x, bottom[0])
    for a, b in zip(top[1:], bottom[1:], strict=True):
        over *= x
        over += a
        under *= x
        under += b
    over /= under
    return over


def _exp_minus_square(x: Array) -> Array:
    """exp(-x^2), with x^2 split into an exact part and the rest, so that no rounding is raised."""
    coarse = np.trunc(x * 16) / 16
    return np.exp(-coarse * coarse) * np.exp(-(x - coarse) * (x + coarse))


def _erfc_positive(x: Array) -> Array:
    """erfc(x) for x > 0.46875 (NaN included)."""
    y = np.empty_like(x)
    far = x > 4
    near = x[~far]
    y[~far] = _ratio(_C, _D, near)
    large = np.minimum(x[far], 30)  # erfc underflows to 0 before
    z = 1 / (large * large)
    y[far] = (1 / sqrt(pi) - z * _ratio(_P, _Q, z)) / large
    return y * _exp_minus_square(np.minimum(x, 30))


def erfc(x: Array) -> Array:
    """Return 1 - erf(x) in the dtype of x.

    Maths: erfc(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from x to infinity.
    Cost: about 60 operations for each element.

    >>> erfc(np.array([-1.0, 0.0, 10.0]))
    array([1.84270079e+00, 1.00000000e+00, 2.08848758e-45])
    """
    y = np.empty_like(x)
    small = np.abs(x) <= _SMALL
    middle, outer = x[small], x[~small]
    y[small] = 1 - middle * _ratio(_A, _B, middle * middle)
    tail = _erfc_positive(np.abs(outer))
    y[~small] = np.where(outer < 0, 2 - tail, tail)
    return y


def normal_cdf(x: Array) -> Array:
    """Return the probability that a standard normal variable is at most x, in the dtype of x.

    Maths: Phi(x) = erfc(-x / sqrt(2)) / 2, which keeps its precision where Phi is tiny.

    >>> normal_cdf(np.array([0.0, -10.0]))
    array([5.00000000e-01, 7.61985302e-24])
    """
    return erfc(x * -sqrt(0.5)) / 2
