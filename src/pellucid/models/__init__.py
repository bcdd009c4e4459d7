"""Networks to train: each a function that returns a module with freshly drawn parameters.

Next room: lenet.py.
"""

from pellucid.models.digits_cnn import digits_cnn as digits_cnn
from pellucid.models.lenet import lenet as lenet
