"""`pellucid info`: what this installation is made of, one fact a line.

Next room: README.md.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np

import pellucid
from pellucid.data.digits import FOLDER
from pellucid.data.mnist import ENVIRONMENT
from pellucid.kernels.conv import ALGORITHMS
from pellucid.kernels.native import module

FLOATS = (pellucid.float32, pellucid.float64)
OTHERS = (
    pellucid.int64, pellucid.int32, pellucid.int16, pellucid.int8, pellucid.uint8, pellucid.bool_
)  # fmt: skip


def describe() -> str:
    """Return the facts as text: a name and a value in each line.

    >>> print(describe().splitlines()[0].split()[0])
    pellucid
    """
    default, *floats = (dtype.name for dtype in FLOATS)
    root = os.environ.get(ENVIRONMENT)
    facts = {
        "pellucid": pellucid.__version__,
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "NumPy": f"{np.__version__}, matrix products by {_blas()}",
        "kernels": f"convolution: {', '.join(ALGORITHMS)}; {_native()}",
        "threads": f"{pellucid.get_num_threads()} for kernels (PELLUCID_NUM_THREADS), "
        f"{_cores()} for NumPy's matrix products",
        "pool": _pool(),
        "dtypes": ", ".join([f"{default} (default)", *floats, *(d.name for d in OTHERS)]),
        "package": str(Path(pellucid.__file__).parent),
        "digits": str(FOLDER),
        "data": f"{root} ({ENVIRONMENT})" if root else f"{ENVIRONMENT} is not set",
    }
    return "\n".join(f"{name:<10}{value}" for name, value in facts.items())


def _native() -> str:
    """Say which instruction set the native kernels use, and which they could."""
    if module is None:
        return "native: not built"
    return f"native: {module.isa()} of {', '.join(module.isas())} (PELLUCID_ISA)"


def _pool() -> str:
    """Say how much memory the buffer pool holds, in megabytes."""
    if module is None:
        return "none without the native module"
    used, kept, limit = (round(size / 1e6) for size in module.pool_state())
    if limit == 0:
        return "switched off (PELLUCID_POOL=0)"
    return f"{used} MB in use, {kept} MB waiting, at most {limit} MB (PELLUCID_POOL=0: off)"


def _blas() -> str:
    """Name the library that multiplies NumPy's matrices."""
    parts = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return f"{parts.get('name', 'an unknown library')} {parts.get('version', '')}".strip()


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
