"""Learning rate schedulers. Next room: scheduler.py."""

from __future__ import annotations

from pellucid.optim.lr_scheduler.decay import CosineAnnealingLR as CosineAnnealingLR
from pellucid.optim.lr_scheduler.decay import ExponentialLR as ExponentialLR
from pellucid.optim.lr_scheduler.decay import LambdaLR as LambdaLR
from pellucid.optim.lr_scheduler.decay import LinearLR as LinearLR
from pellucid.optim.lr_scheduler.decay import MultiStepLR as MultiStepLR
from pellucid.optim.lr_scheduler.decay import StepLR as StepLR
from pellucid.optim.lr_scheduler.one_cycle import OneCycleLR as OneCycleLR
from pellucid.optim.lr_scheduler.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from pellucid.optim.lr_scheduler.scheduler import LRScheduler as LRScheduler
