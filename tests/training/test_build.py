"""From names to objects: the right ones, and clear words where they do not fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pellucid import optim
from pellucid.data import ImageDataset
from pellucid.errors import ArgumentError, DataError
from pellucid.training import choose
from pellucid.training.build import load_data, make_model, make_trainer


def images(count: int, size: int, classes: int = 10) -> ImageDataset:
    generator = np.random.default_rng(0)
    return ImageDataset(
        generator.integers(0, 256, (count, size, size), np.uint8),
        np.arange(count) % classes,
        tuple("0123456789")[:classes],
    )


def test_the_digits_are_loaded_in_two_parts() -> None:
    assert [len(load_data(choose(), train)) for train in (True, False)] == [1442, 355]


def test_the_digits_read_no_folder() -> None:
    with pytest.raises(ArgumentError) as raised:
        load_data(choose("digits", data_dir="here"), True)
    assert str(raised.value) == (
        "train: --data-dir is here, but the digits come with the package\n"
        "  fix: leave --data-dir out, or choose --data mnist"
    )


@pytest.mark.parametrize("data", ["mnist", "fashion-mnist"])
def test_the_other_sets_are_looked_for_in_the_folder(data: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no train-images"):
        load_data(choose(data, data_dir=str(tmp_path)), True)


@pytest.mark.parametrize(
    ("model", "size", "message"),
    [
        ("nothing", 8, "train: there is no model 'nothing'\n  fix: use one of digits_cnn, lenet"),
        ("lenet", 8, "train: the model 'lenet' does not take the images of 'digits', which are 8x8 "
         "with 1 channel\n  fix: use --model digits_cnn"),
        ("digits_cnn", 28, "train: the model 'digits_cnn' does not take the images of 'digits', "
         "which are 28x28 with 1 channel\n  fix: use --model lenet"),
        ("lenet", 9, "train: the model 'lenet' does not take the images of 'digits', which are 9x9 "
         "with 1 channel\n  fix: choose another data set"),
    ],
)  # fmt: skip
def test_models_that_do_not_fit(model: str, size: int, message: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        make_model(choose("digits", model=model), images(1, size))
    assert str(raised.value) == message


def test_the_parameters_depend_on_the_seed_alone() -> None:
    data = images(1, 8)
    first, again, other = (make_model(choose(seed=seed), data) for seed in (1, 1, 2))
    for name, parameter in first.named_parameters():
        same = dict(again.named_parameters())[name]
        assert np.array_equal(parameter.array, same.array)
    assert not np.array_equal(first.conv1.weight.array, other.conv1.weight.array)


def test_a_model_has_as_many_scores_as_the_data_classes() -> None:
    data = images(4, 8, classes=3)
    x, _ = data.read_batch(range(4))
    assert make_model(choose(), data).eval()(x).shape == (4, 3)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", optim.SGD), ("adam", optim.Adam), ("adamw", optim.AdamW),
     ("adagrad", optim.Adagrad), ("rmsprop", optim.RMSprop)],
)  # fmt: skip
def test_every_optimizer_trains(name: str, kind: type[optim.Optimizer]) -> None:
    data = images(20, 8)
    trainer = make_trainer(choose(optimizer=name, batch_size=10, epochs=1), data, data)
    assert type(trainer.optimizer) is kind
    before = trainer.model.state_dict()["conv1.weight"].array.copy()
    next(trainer.events())
    assert not np.array_equal(before, trainer.model.state_dict()["conv1.weight"].array)


def test_the_rate_goes_up_to_lr_and_down_to_nothing() -> None:
    data = images(40, 8)
    trainer = make_trainer(choose(optimizer="sgd", batch_size=2, epochs=5), data, data)
    rates = [trainer.optimizer.param_groups[0]["lr"] for _ in trainer.events()]
    assert max(rates) == pytest.approx(0.1, rel=0.01)
    assert rates[-1] < 1e-4


def test_training_images_are_shifted_and_test_images_are_not() -> None:
    data = images(12, 8)
    trainer = make_trainer(choose(batch_size=12), data, data)
    (seen, _), (shown, _) = next(iter(trainer.loader)), next(iter(trainer.test_loader))
    as_they_are = {x.tobytes() for x in data.read_batch(range(12))[0].array}
    assert {x.tobytes() for x in shown.array} == as_they_are
    assert len({x.tobytes() for x in seen.array} & as_they_are) < 6
