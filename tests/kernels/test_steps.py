"""Optimizer steps: the native functions against NumPy, bit for bit, wherever arrays lie."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.conv.native import needs_native

import pellucid
from pellucid.kernels import steps

SGD = {"lr": 0.3, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False}
SGD |= {"maximize": False}
ADAM = {"step": 3, "lr": 0.3, "beta1": 0.9, "beta2": 0.7, "eps": 1e-3, "weight_decay": 0}
ADAM |= {"decoupled": False, "amsgrad": False}
ADAGRAD = {"step": 4, "lr": 0.3, "lr_decay": 0.1, "weight_decay": 0, "eps": 1e-3}
RMSPROP = {"lr": 0.3, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0, "momentum": 0}
RMSPROP |= {"centered": False}

# A step, its options, and how many arrays of state it keeps.
STEPS = {
    "sgd": (steps.sgd, SGD, 0),
    "sgd all": (steps.sgd, {**SGD, "weight_decay": 0.1, "maximize": True}, 0),
    "sgd momentum": (steps.sgd, {**SGD, "momentum": 0.9, "dampening": 0.3}, 1),
    "sgd nesterov": (steps.sgd, {**SGD, "momentum": 0.9, "nesterov": True}, 1),
    "adam": (steps.adam, ADAM, 2),
    "adam decay": (steps.adam, {**ADAM, "weight_decay": 0.1, "eps": 0}, 2),
    "adamw amsgrad": (
        steps.adam,
        {**ADAM, "weight_decay": 0.1, "decoupled": True, "amsgrad": True},
        3,
    ),
    "adagrad": (steps.adagrad, ADAGRAD, 1),
    "adagrad decay": (steps.adagrad, {**ADAGRAD, "weight_decay": 0.1, "eps": 0}, 1),
    "rmsprop": (steps.rmsprop, RMSPROP, 1),
    "rmsprop centered": (steps.rmsprop, {**RMSPROP, "centered": True}, 2),
    "rmsprop momentum": (steps.rmsprop, {**RMSPROP, "momentum": 0.9}, 2),
    "rmsprop all": (
        steps.rmsprop,
        {**RMSPROP, "momentum": 0.9, "centered": True, "weight_decay": 0.1},
        3,
    ),
}
SHAPES = [(3, 5, 3, 7), (), (0, 3), (1,), (17,), (3, 16384), (40001,), (1, 1, 3, 1)]
each_step = pytest.mark.parametrize(("step", "options", "kept"), STEPS.values(), ids=STEPS)


def some(kept: int, dtype: str, shapes=SHAPES) -> list[tuple[np.ndarray, ...]]:
    """Parameters (p, g, *state): squares where a state is a sum of them, NaN and infinity too."""
    rng = np.random.default_rng(5)
    found = []
    for shape in shapes:
        arrays = [np.asarray(rng.standard_normal(shape), dtype) for _ in range(2 + kept)]
        arrays[2:] = [np.asarray(a * a) for a in arrays[2:]]
        for k, a in enumerate(arrays):
            if a.size > 16:
                a.reshape(-1)[k], a.reshape(-1)[-k - 1] = np.nan, np.inf
        found.append(tuple(arrays))
    return found


def numpy_step(monkeypatch, step, parameters, options) -> None:
    with monkeypatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(steps, "module", None)
        step(parameters, **options)


def same(ours, expected) -> None:
    for arrays, wanted in zip(ours, expected, strict=True):
        for a, b in zip(arrays, wanted, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


@needs_native
@each_step
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_like_numpy(monkeypatch, step, options, kept, dtype):
    parameters, expected = some(kept, dtype), some(kept, dtype)
    monkeypatch.setattr(steps, "blocks", None)  # the native functions leave nothing
    for _ in range(3):
        step(parameters, **options)
    monkeypatch.undo()
    for _ in range(3):
        numpy_step(monkeypatch, step, expected, options)
    same(parameters, expected)


LAYOUTS = {
    "channels last": lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
    "gaps": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "other bytes": lambda a: a.astype(a.dtype.newbyteorder()),
}


@each_step
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("moved", ["all", "p", "g", "last"])
def test_arrays_that_lie_in_any_way(monkeypatch, step, options, kept, layout, moved):
    plain = some(kept, "float32", [(3, 5, 4, 7)] * 3)
    arrays = list(plain[1])
    for k in {"all": range(2 + kept), "p": [0], "g": [1], "last": [-1]}[moved]:
        arrays[k] = LAYOUTS[layout](arrays[k])
    parameters = [plain[0], tuple(arrays), plain[2]]
    expected = some(kept, "float32", [(3, 5, 4, 7)] * 3)
    with np.errstate(all="ignore"):
        step(parameters, **options)
    numpy_step(monkeypatch, step, expected, options)
    for arrays, wanted in zip(parameters, expected, strict=True):
        for a, b in zip(arrays, wanted, strict=True):
            np.testing.assert_array_equal(a, b)


@needs_native
def test_both_precisions_in_one_call(monkeypatch):
    def mixed():
        return [*some(2, "float32"), *some(2, "float64"), *some(2, "float32")]

    parameters, expected = mixed(), mixed()
    steps.adam(parameters, **ADAM)
    numpy_step(monkeypatch, steps.adam, expected, ADAM)
    same(parameters, expected)


@needs_native
@each_step
def test_the_number_of_threads_changes_no_bit(step, options, kept):
    before = pellucid.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            parameters = some(kept, "float32")
            step(parameters, **options)
            found.append(parameters)
    finally:
        pellucid.set_num_threads(before)
    for parameters in found[1:]:
        same(parameters, found[0])


@needs_native
def test_parameters_that_share_memory_step_one_after_the_other(monkeypatch):
    def sharing():
        (arrays,) = some(2, "float32", [(200_000,)])
        halves = [tuple(a[k : k + 100_000] for a in arrays) for k in (0, 50_000, 100_000)]
        return [arrays, *halves, arrays]

    parameters, expected = sharing(), sharing()
    steps.adam(parameters, **ADAM)
    numpy_step(monkeypatch, steps.adam, expected, ADAM)
    same(parameters, expected)


def test_read_only_memory_is_not_written_to():
    p, g = np.ones(5, "float32"), np.ones(5, "float32")
    p.flags.writeable = g.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        steps.sgd([(p, g)], **SGD)
    assert (p == 1).all()
    p = np.ones(5, "float32")
    steps.sgd([(p, g)], **SGD)
    np.testing.assert_allclose(p, 0.7, rtol=1e-6)
