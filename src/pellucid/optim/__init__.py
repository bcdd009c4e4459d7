"""Optimizers: how parameters follow their gradients. Next room: optimizer.py."""

from __future__ import annotations

from pellucid.optim import lr_scheduler as lr_scheduler
from pellucid.optim.adagrad import Adagrad as Adagrad
from pellucid.optim.adam import Adam as Adam
from pellucid.optim.adam import AdamW as AdamW
from pellucid.optim.optimizer import Optimizer as Optimizer
from pellucid.optim.rmsprop import RMSprop as RMSprop
from pellucid.optim.sgd import SGD as SGD
