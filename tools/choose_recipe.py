"""Judge a recipe of `pellucid train` without the test images; so training/settings.py was filled.

    python tools/choose_recipe.py --data digits --optimizer adamw --lr 0.003 --seeds 8

For each seed, a fifth of the training images is held back, the others are trained on, and the share
of the held-back ones that is recognised is printed. What is not given is that of the recipe.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pellucid.data import ImageDataset
from pellucid.random import keyed_generator
from pellucid.training import choose
from pellucid.training.build import load_data, make_trainer


def parts(data: ImageDataset, seed: int) -> tuple[ImageDataset, ImageDataset]:
    """Return four fifths of the images, and the others."""
    order = keyed_generator(seed).permutation(len(data))
    rows = np.split(order, [len(data) * 4 // 5])
    return tuple(
        ImageDataset(data.data.array[r], data.targets.array[r], data.classes, data.white)
        for r in rows
    )


def main() -> None:
    """Train once for each seed and print what was recognised."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (
        ("data", str), ("data-dir", str), ("model", str), ("epochs", int), ("batch-size", int),
        ("lr", float), ("optimizer", str),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind)
    parser.add_argument("--seeds", type=int, default=5)
    given = vars(parser.parse_args())
    seeds = given.pop("seeds")
    shares = []
    for seed in range(seeds):
        settings = choose(**given, seed=seed)
        trainer = make_trainer(settings, *parts(load_data(settings, train=True), seed))
        began = time.monotonic()
        for _ in trainer.events():
            pass
        shares.append(trainer.history[-1].test_accuracy)
        print(f"seed {seed}: {shares[-1]:.4f}, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{settings.command()}\nmean {np.mean(shares):.4f}, worst {min(shares):.4f}")


if __name__ == "__main__":
    main()
