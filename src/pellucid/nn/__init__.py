"""Layers and losses: modules that own parameters and call ops. PyTorch's names throughout.

Next room: module.py.
"""

from pellucid.nn import functional as functional
from pellucid.nn import init as init
from pellucid.nn.activation import ELU as ELU
from pellucid.nn.activation import GELU as GELU
from pellucid.nn.activation import LeakyReLU as LeakyReLU
from pellucid.nn.activation import LogSoftmax as LogSoftmax
from pellucid.nn.activation import ReLU as ReLU
from pellucid.nn.activation import ReLU6 as ReLU6
from pellucid.nn.activation import Sigmoid as Sigmoid
from pellucid.nn.activation import SiLU as SiLU
from pellucid.nn.activation import Softmax as Softmax
from pellucid.nn.activation import Tanh as Tanh
from pellucid.nn.clip import clip_grad_norm_ as clip_grad_norm_
from pellucid.nn.clip import clip_grad_value_ as clip_grad_value_
from pellucid.nn.container import ModuleList as ModuleList
from pellucid.nn.container import Sequential as Sequential
from pellucid.nn.conv import Conv1d as Conv1d
from pellucid.nn.conv import Conv2d as Conv2d
from pellucid.nn.conv import Conv3d as Conv3d
from pellucid.nn.conv_transpose import ConvTranspose1d as ConvTranspose1d
from pellucid.nn.conv_transpose import ConvTranspose2d as ConvTranspose2d
from pellucid.nn.conv_transpose import ConvTranspose3d as ConvTranspose3d
from pellucid.nn.dropout import Dropout as Dropout
from pellucid.nn.flatten import Flatten as Flatten
from pellucid.nn.linear import Identity as Identity
from pellucid.nn.linear import Linear as Linear
from pellucid.nn.loss import BCEWithLogitsLoss as BCEWithLogitsLoss
from pellucid.nn.loss import CrossEntropyLoss as CrossEntropyLoss
from pellucid.nn.loss import L1Loss as L1Loss
from pellucid.nn.loss import MSELoss as MSELoss
from pellucid.nn.loss import NLLLoss as NLLLoss
from pellucid.nn.module import Module as Module
from pellucid.nn.norm import BatchNorm1d as BatchNorm1d
from pellucid.nn.norm import BatchNorm2d as BatchNorm2d
from pellucid.nn.parameter import Parameter as Parameter
from pellucid.nn.pool import AdaptiveAvgPool1d as AdaptiveAvgPool1d
from pellucid.nn.pool import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from pellucid.nn.pool import AvgPool1d as AvgPool1d
from pellucid.nn.pool import AvgPool2d as AvgPool2d
from pellucid.nn.pool import MaxPool1d as MaxPool1d
from pellucid.nn.pool import MaxPool2d as MaxPool2d
