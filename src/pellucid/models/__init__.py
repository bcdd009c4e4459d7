"""Networks to train: each a function that returns a module with freshly drawn parameters.

Next room: lenet.py.
"""

from pellucid.models.digits_cnn import digits_cnn as digits_cnn
from pellucid.models.lenet import lenet as lenet
from pellucid.models.mobilenet import mobilenet_v2 as mobilenet_v2
from pellucid.models.resnet import resnet18 as resnet18
from pellucid.models.resnet import resnet20 as resnet20
from pellucid.models.resnet import resnet34 as resnet34
from pellucid.models.resnet import resnet50 as resnet50
from pellucid.models.unet import unet as unet
from pellucid.models.vgg import vgg11 as vgg11
