"""The native module: whether it was built, and what it was built for.

`module` is None where no compiler was found when pellucid was installed; NumPy kernels then do the
work, and the library says so once. PELLUCID_REQUIRE_NATIVE=1 makes that an error instead.
PELLUCID_ISA names an instruction set to use in place of the best one that this processor has.
Next room: conv/correlation.py, which calls it.
"""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

from pellucid.dtypes import float32, float64
from pellucid.errors import ArgumentError, UnsupportedError

FLOATS = (float32, float64)  # the dtypes that the native module computes
_REBUILD = "install a C++17 compiler and reinstall with `pip install --force-reinstall --no-deps .`"


def _load() -> Any:
    """Return the native module, ready for this processor, or None."""
    try:
        _native = importlib.import_module("pellucid._native")
    except ImportError as error:
        if os.environ.get("PELLUCID_REQUIRE_NATIVE") == "1":
            raise UnsupportedError(
                "pellucid",
                f"PELLUCID_REQUIRE_NATIVE=1, but there is no native module ({error})",
                fix=_REBUILD,
            ) from None
        warnings.warn(
            f"pellucid runs on NumPy kernels, which are slower; {_REBUILD}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    wanted = os.environ.get("PELLUCID_ISA")
    if wanted and not _native.select_isa(wanted):
        raise UnsupportedError(
            "pellucid",
            f"PELLUCID_ISA={wanted}, but there is only {', '.join(_native.isas())}",
            fix="name one of them, or leave PELLUCID_ISA out",
        )
    return _native


module = _load()


def get_num_threads() -> int:
    """Return how many threads a kernel may use; 1 on NumPy kernels.

    It is what `set_num_threads` said, else PELLUCID_NUM_THREADS, else the processors that this
    process may run on (its affinity mask and its container's quota).
    """
    return 1 if module is None else module.get_num_threads()


def set_num_threads(threads: int) -> None:
    """Let kernels use that many threads. No result depends on it, not by a bit.

    Raises: ArgumentError for less than 1, and for what is no whole number.
    """
    if not isinstance(threads, int) or threads < 1:
        raise ArgumentError(
            "set_num_threads", f"threads={threads!r} is no whole number >= 1", fix="use 1 or more"
        )
    if module is not None:
        module.set_num_threads(threads)


def empty_cache() -> None:
    """Give the memory that waits in the buffer pool back to the system."""
    if module is not None:
        module.empty_cache()
