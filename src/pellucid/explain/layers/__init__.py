"""The derivations of layers other than convolutions.

Next room: common.py, then linear.py.
"""

from pellucid.explain.layers.activation import ReLUDerivation as ReLUDerivation
from pellucid.explain.layers.activation import SigmoidDerivation as SigmoidDerivation
from pellucid.explain.layers.linear import LinearDerivation as LinearDerivation
from pellucid.explain.layers.loss import CrossEntropyDerivation as CrossEntropyDerivation
from pellucid.explain.layers.loss import MSELossDerivation as MSELossDerivation
from pellucid.explain.layers.norm import BatchNormDerivation as BatchNormDerivation
from pellucid.explain.layers.pool import AvgPoolDerivation as AvgPoolDerivation
from pellucid.explain.layers.pool import MaxPoolDerivation as MaxPoolDerivation
