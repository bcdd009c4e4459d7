"""Training: the loop that `pellucid train` runs, for use from Python too.

    run = Run.start(choose("digits", epochs=5))
    for event in run.events():
        print(event)
    run.finish()

Not here: options and what is drawn on a terminal (cli/). Next room: settings.py.
"""

from __future__ import annotations

from pellucid.training.evaluation import Evaluation as Evaluation
from pellucid.training.evaluation import evaluate as evaluate
from pellucid.training.run import Run as Run
from pellucid.training.settings import Settings as Settings
from pellucid.training.settings import choose as choose
from pellucid.training.trainer import BatchDone as BatchDone
from pellucid.training.trainer import EpochDone as EpochDone
from pellucid.training.trainer import Trainer as Trainer
