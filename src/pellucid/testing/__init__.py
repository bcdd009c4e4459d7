"""Checks for your own layers: whether a backward pass is the gradient of its forward pass.

Next room: gradcheck.py for anything differentiable, adjoint.py for what is linear.
"""

from pellucid.testing.adjoint import adjoint as adjoint
from pellucid.testing.gradcheck import gradcheck as gradcheck
from pellucid.testing.gradcheck import gradgradcheck as gradgradcheck
