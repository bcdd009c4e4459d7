"""Checks for your own layers: whether a backward pass is right, and which mistake it makes.

Next room: gradcheck.py for anything differentiable, adjoint.py for what is linear, diagnose.py for
the name of the mistake.
"""

from pellucid.testing.adjoint import adjoint as adjoint
from pellucid.testing.diagnose import diagnose as diagnose
from pellucid.testing.diagnosis.report import Diagnosis as Diagnosis
from pellucid.testing.gradcheck import gradcheck as gradcheck
from pellucid.testing.gradcheck import gradgradcheck as gradgradcheck
