"""Data: datasets, the loader that batches them, transforms, and three sets of images.

Not here: how a model is trained on them (cli/). Next room: dataset.py.
"""

from __future__ import annotations

from pellucid.data.collate import default_collate as default_collate
from pellucid.data.dataset import Dataset as Dataset
from pellucid.data.dataset import Subset as Subset
from pellucid.data.dataset import TensorDataset as TensorDataset
from pellucid.data.dataset import random_split as random_split
from pellucid.data.digits import Digits as Digits
from pellucid.data.idx import read_idx as read_idx
from pellucid.data.idx import write_idx as write_idx
from pellucid.data.images import ImageDataset as ImageDataset
from pellucid.data.loader import DataLoader as DataLoader
from pellucid.data.mnist import MNIST as MNIST
from pellucid.data.mnist import FashionMNIST as FashionMNIST
from pellucid.data.transforms import Augmented as Augmented
from pellucid.data.transforms import Compose as Compose
from pellucid.data.transforms import Normalize as Normalize
from pellucid.data.transforms import RandomCrop as RandomCrop
from pellucid.data.transforms import RandomHorizontalFlip as RandomHorizontalFlip
