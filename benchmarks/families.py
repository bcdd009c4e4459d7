"""Where a step goes: the ops of both libraries, by families of the same work.

Each library has a profiler of its own, which names its ops. An op belongs to the first family whose
pattern is found in its name; ours are followed by their phase. What has no family is `the rest`:
Python and copies between layouts, and what no op tells of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FAMILIES = {
    "convolution": r"mkldnn_convolution$|slow_conv2d_forward|::_?convolution$|^Conv.* forward",
    "its gradients": r"convolution_backward|slow_conv2d_backward|^Conv",
    "batch norm": r"[Bb]atch_?[Nn]orm",
    "pooling": r"[Pp]ool",
    "Linear": r"^Linear|addmm|::mm$|^Addmm",
    "loss": r"softmax|nll_loss|CrossEntropy|cross_entropy|Softmax|NllLoss",
    "ReLU, sum": r"[Rr]e[Ll][Uu]|::(clamp|threshold|hardtanh|add_?$)|^(Hardtanh|Add)",
    "optimizer": r"Adam|_fused_adam",
}
REST = "the rest"


def family_of(op: str) -> str:
    """Return the family of an op."""
    return next((name for name, pattern in FAMILIES.items() if re.search(pattern, op)), REST)


def by_family(seconds: Mapping[str, float], step_seconds: float) -> dict[str, float]:
    """Return the seconds of each family in a step, from those of the ops and of the whole."""
    found = dict.fromkeys([*FAMILIES, REST], 0.0)
    for op, spent in seconds.items():
        found[family_of(op)] += spent
    found[REST] = step_seconds - sum(found.values()) + found[REST]
    return found
