"""The optimizers of the ONNX standard's own node cases, each of them counted.

Loading the cases makes all of the standard's, which takes about six seconds.
"""

import warnings

import numpy as np
import pytest

import pellucid
from pellucid import optim

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.slow

CASES = {
    "test_adagrad",
    "test_adagrad_multiple",
    "test_adam",
    "test_adam_multiple",
    "test_momentum",
    "test_momentum_multiple",
    "test_nesterov_momentum",
}
# The states of one parameter, in the order of the node's inputs.
STATES = {
    "Adagrad": ["sum"],
    "Adam": ["exp_avg", "exp_avg_sq"],
    "Momentum": ["momentum_buffer"],
}


@pytest.fixture(scope="module")
def cases():
    from onnx.backend.test import loader

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about the cases of other ops
        loaded = loader.load_model_tests(kind="node")
    found = [(case, case.model.graph.node[0]) for case in loaded]
    return {case.name: (case, node) for case, node in found if node.op_type in STATES}


def test_there_are_no_others(cases):
    assert set(cases) == CASES


def make(kind, parameters, lr, t, attributes):
    """Return our optimizer for a node at its step t (counted from 0)."""
    options = {"lr": lr, "weight_decay": attributes["norm_coefficient"]}
    if kind == "Momentum":
        # The gradient's share is beta, but 1 at the first step.
        options["momentum"] = attributes["alpha"]
        options["dampening"] = 1 - attributes["beta"] if t else 0
        options["nesterov"] = attributes["mode"] == b"nesterov"
        return optim.SGD(parameters, **options)
    options["eps"] = attributes["epsilon"]
    if kind == "Adagrad":
        return optim.Adagrad(parameters, lr_decay=attributes["decay_factor"], **options)
    return optim.Adam(parameters, betas=(attributes["alpha"], attributes["beta"]), **options)


def steps_before(kind, t):
    """The count of steps in our state. ONNX's Adam corrects no bias at t = 0, as late steps do."""
    if kind == "Adam":
        assert t == 0
        return 10**9
    return t


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(cases, name):
    case, node = cases[name]
    kind = node.op_type
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    (data_set,) = case.data_sets
    (lr, t, *inputs), outputs = data_set
    count = len(inputs) // (2 + len(STATES[kind]))
    xs, gs, *states = [inputs[k : k + count] for k in range(0, len(inputs), count)]
    parameters = [pellucid.tensor(x) for x in xs]
    optimizer = make(kind, parameters, float(lr), int(t), attributes)
    for k, (p, g) in enumerate(zip(parameters, gs, strict=True)):
        p.grad = pellucid.tensor(g)
        optimizer.state[p] = {
            entry: pellucid.tensor(arrays[k])
            for entry, arrays in zip(STATES[kind], states, strict=True)
        }
        if kind != "Momentum":
            optimizer.state[p]["step"] = steps_before(kind, int(t))
    optimizer.step()
    found = [p.array for p in parameters]
    found += [optimizer.state[p][entry].array for entry in STATES[kind] for p in parameters]
    for array, expected in zip(found, outputs, strict=True):
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected, rtol=case.rtol, atol=case.atol)
