"""Gradients of real networks, taken apart: which images and positions made one what it is.

Next room: record.py, which keeps what a backward pass met; then README.md.
"""

from pellucid.explain.network.call import Call as Call
from pellucid.explain.network.contributions import Contributions as Contributions
from pellucid.explain.network.contributions import contributions as contributions
from pellucid.explain.network.record import can_record as can_record
from pellucid.explain.network.record import record as record
