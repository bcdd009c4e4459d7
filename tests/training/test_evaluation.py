"""Evaluation: losses, accuracies and the confusion matrix, against plain counting."""

from __future__ import annotations

import numpy as np

import pellucid
from pellucid import nn
from pellucid.data import DataLoader, TensorDataset
from pellucid.training import Evaluation, evaluate

X = np.random.default_rng(0).standard_normal((11, 5)).astype(np.float32)
Y = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0])


def found_with(batch_size: int, model: nn.Module | None = None) -> Evaluation:
    found = Evaluation(classes=3)
    model = fixed_model() if model is None else model
    for _ in evaluate(model, DataLoader(TensorDataset(X, Y), batch_size), found):
        pass
    return found


def fixed_model() -> nn.Module:
    pellucid.manual_seed(4)
    return nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.5))


def test_against_plain_counting() -> None:
    scores = fixed_model().eval()(pellucid.tensor(X)).detach().numpy().astype(np.float64)
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    predicted = scores.argmax(axis=1)
    confusion = [[int(((a == Y) & (predicted == b)).sum()) for b in range(3)] for a in range(3)]
    for batch_size in (11, 4, 1):
        found = found_with(batch_size)
        assert found.count == 11
        np.testing.assert_array_equal(found.predicted, predicted)
        np.testing.assert_array_equal(found.confusion, confusion)
        np.testing.assert_allclose(found.confidence, probabilities.max(axis=1), rtol=1e-5)
        np.testing.assert_allclose(
            found.loss, -np.log(probabilities[np.arange(11), Y]).mean(), rtol=1e-5
        )
        assert found.accuracy == (predicted == Y).mean()


def test_each_batch_is_an_event() -> None:
    found = Evaluation(classes=3)
    loader = DataLoader(TensorDataset(X, Y), 4)
    assert [each.count for each in evaluate(fixed_model(), loader, found)] == [4, 8, 11]


def test_the_model_is_in_evaluation_mode_meanwhile_and_then_as_it_was() -> None:
    model = fixed_model()
    walk = evaluate(model, DataLoader(TensorDataset(X, Y), 4), Evaluation(classes=3))
    next(walk)
    assert not model[1].training
    walk.close()
    assert model[1].training
    list(evaluate(model.eval(), DataLoader(TensorDataset(X, Y), 4), Evaluation(classes=3)))
    assert not model.training


def test_nothing_is_recorded() -> None:
    model = fixed_model()
    found_with(4, model)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_of_nothing() -> None:
    found = Evaluation(classes=2)
    assert (found.count, found.loss, found.accuracy) == (0, 0.0, 0.0)
    assert found.predicted.shape == found.confidence.shape == (0,)
