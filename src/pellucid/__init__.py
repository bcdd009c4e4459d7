"""pellucid: convolution and its backpropagation on NumPy arrays, every gradient shown and proved.

PyTorch's names: `pellucid.tensor`, `pellucid.nn`, `pellucid.optim`, `pellucid.data`. What a step of
training needs is imported at once; `data`, `explain`, `models`, `testing` and `training` when they
are first asked for.
Next room: tensor.py, then the walk in ARCHITECTURE.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

from pellucid.tensor import Tensor as Tensor  # isort: skip  first: it closes the circle with ops
from pellucid import autograd as autograd
from pellucid import nn as nn
from pellucid import ops as ops
from pellucid import optim as optim
from pellucid import profiler as profiler
from pellucid.backend import device as device
from pellucid.checkpoint import Checkpoint as Checkpoint
from pellucid.checkpoint import load as load
from pellucid.checkpoint import load_metadata as load_metadata
from pellucid.checkpoint import save as save
from pellucid.creation import arange as arange
from pellucid.creation import empty as empty
from pellucid.creation import eye as eye
from pellucid.creation import from_dlpack as from_dlpack
from pellucid.creation import from_numpy as from_numpy
from pellucid.creation import full as full
from pellucid.creation import linspace as linspace
from pellucid.creation import ones as ones
from pellucid.creation import ones_like as ones_like
from pellucid.creation import rand as rand
from pellucid.creation import randint as randint
from pellucid.creation import randn as randn
from pellucid.creation import randperm as randperm
from pellucid.creation import tensor as tensor
from pellucid.creation import zeros as zeros
from pellucid.creation import zeros_like as zeros_like
from pellucid.dtypes import bool_ as bool_
from pellucid.dtypes import float32 as float32
from pellucid.dtypes import float64 as float64
from pellucid.dtypes import int8 as int8
from pellucid.dtypes import int16 as int16
from pellucid.dtypes import int32 as int32
from pellucid.dtypes import int64 as int64
from pellucid.dtypes import result_type as result_type
from pellucid.dtypes import uint8 as uint8
from pellucid.grad_mode import enable_grad as enable_grad
from pellucid.grad_mode import is_grad_enabled as is_grad_enabled
from pellucid.grad_mode import no_grad as no_grad
from pellucid.grad_mode import set_grad_enabled as set_grad_enabled
from pellucid.inference import optimize_for_inference as optimize_for_inference
from pellucid.kernels.conv import set_winograd as set_winograd
from pellucid.kernels.native import empty_cache as empty_cache
from pellucid.kernels.native import get_num_threads as get_num_threads
from pellucid.kernels.native import set_num_threads as set_num_threads
from pellucid.ops import cat as cat
from pellucid.ops import chunk as chunk
from pellucid.ops import clip as clip
from pellucid.ops import exp as exp
from pellucid.ops import flatten as flatten
from pellucid.ops import gather as gather
from pellucid.ops import log as log
from pellucid.ops import logsumexp as logsumexp
from pellucid.ops import maximum as maximum
from pellucid.ops import mean as mean
from pellucid.ops import minimum as minimum
from pellucid.ops import pad as pad
from pellucid.ops import reshape as reshape
from pellucid.ops import split as split
from pellucid.ops import sqrt as sqrt
from pellucid.ops import squeeze as squeeze
from pellucid.ops import stack as stack
from pellucid.ops import std as std
from pellucid.ops import sum as sum
from pellucid.ops import unsqueeze as unsqueeze
from pellucid.ops import var as var
from pellucid.ops import where as where
from pellucid.random import get_rng_state as get_rng_state
from pellucid.random import manual_seed as manual_seed
from pellucid.random import set_rng_state as set_rng_state

if TYPE_CHECKING:
    from pellucid import data as data
    from pellucid import explain as explain
    from pellucid import models as models
    from pellucid import testing as testing
    from pellucid import training as training
else:

    def __getattr__(name):
        """Import a room when it is first asked for."""
        if name in ("data", "explain", "models", "testing", "training"):
            from importlib import import_module  # noqa: PLC0415  for the first room alone

            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
