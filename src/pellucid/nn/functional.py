"""The ops under PyTorch's names for them: `import pellucid.nn.functional as F`.

Nothing is defined here. The order of the arguments is PyTorch's; arrays are called x, w and b.
Next room: ops/conv.py, or the file of the op's family.
"""

from __future__ import annotations

from pellucid.ops import adaptive_avg_pool1d as adaptive_avg_pool1d
from pellucid.ops import adaptive_avg_pool2d as adaptive_avg_pool2d
from pellucid.ops import avg_pool1d as avg_pool1d
from pellucid.ops import avg_pool2d as avg_pool2d
from pellucid.ops import batch_norm as batch_norm
from pellucid.ops import batch_norm_relu as batch_norm_relu
from pellucid.ops import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from pellucid.ops import conv1d as conv1d
from pellucid.ops import conv2d as conv2d
from pellucid.ops import conv3d as conv3d
from pellucid.ops import conv_transpose1d as conv_transpose1d
from pellucid.ops import conv_transpose2d as conv_transpose2d
from pellucid.ops import conv_transpose3d as conv_transpose3d
from pellucid.ops import cross_entropy as cross_entropy
from pellucid.ops import dropout as dropout
from pellucid.ops import elu as elu
from pellucid.ops import gelu as gelu
from pellucid.ops import l1_loss as l1_loss
from pellucid.ops import leaky_relu as leaky_relu
from pellucid.ops import linear as linear
from pellucid.ops import log_softmax as log_softmax
from pellucid.ops import max_pool1d as max_pool1d
from pellucid.ops import max_pool2d as max_pool2d
from pellucid.ops import mse_loss as mse_loss
from pellucid.ops import nll_loss as nll_loss
from pellucid.ops import one_hot as one_hot
from pellucid.ops import pad as pad
from pellucid.ops import relu as relu
from pellucid.ops import relu6 as relu6
from pellucid.ops import sigmoid as sigmoid
from pellucid.ops import silu as silu
from pellucid.ops import softmax as softmax
from pellucid.ops import softplus as softplus
from pellucid.ops import tanh as tanh
