"""The node cases of the ONNX standard: run, or refused for a listed reason, and counted.

A case whose name ends in `_expanded` says the same numbers with a graph of simpler nodes, and is
left out. `onnx_nodes.py` translates.
"""

from __future__ import annotations

import importlib
import warnings
from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

import pellucid

onnx = pytest.importorskip("onnx")
from ops.onnx_nodes import TRANSLATORS, Refused  # noqa: E402

# The counts are those of this version; in another one the cases run, and are not counted.
VERSION = "1.23.2"
# Op type -> how many cases it has, where all of them run.
ALL_RUN: dict[str, int] = {
    "Abs": 1, "And": 8, "BatchNormalization": 4, "Ceil": 2, "Clip": 12, "Concat": 12, "Conv": 6,
    "ConvTranspose": 11, "Cos": 2, "Elu": 3, "Exp": 2, "Expand": 2, "Flatten": 9, "Floor": 2,
    "Gather": 4,
    "GatherElements": 3, "Gelu": 4, "Gemm": 11, "GlobalAveragePool": 2, "GlobalMaxPool": 2,
    "LeakyRelu": 3, "Log": 2, "LogSoftmax": 7, "MatMul": 7, "Mean": 3, "Neg": 2,
    "NegativeLogLikelihoodLoss": 18, "Not": 3, "Or": 8, "Pad": 6, "Reciprocal": 2,
    "ReduceL1": 9, "ReduceL2": 9, "ReduceLogSum": 5, "ReduceMean": 8, "ReduceSum": 12,
    "ReduceSumSquare": 9, "Relu": 1, "Reshape": 10, "Round": 1, "Sigmoid": 2, "Sign": 1,
    "Sin": 2, "Slice": 8,
    "Softmax": 7, "SoftmaxCrossEntropyLoss": 34, "Softplus": 2, "Split": 16, "Sqrt": 2,
    "Squeeze": 2, "Sum": 3, "Swish": 1, "Tanh": 2, "Transpose": 7, "Unsqueeze": 7, "Where": 2,
    "Xor": 8,
}  # fmt: skip
# Op type -> how many cases run, and why how many others are refused.
SOME_REFUSED: dict[str, tuple[int, dict[str, int]]] = {
    "Add": (5, {"another dtype": 3}),
    "ArgMax": (8, {"the last of equals": 8}),
    "ArgMin": (8, {"the last of equals": 8}),
    "AveragePool": (13, {"three spatial axes": 6, "an average with dilation": 1}),
    "Div": (6, {"integer division towards zero": 1, "another dtype": 3}),
    "Dropout": (8, {"a mask from another generator": 4}),
    "Equal": (5, {"another dtype": 5}),
    "Greater": (5, {"another dtype": 3}),
    "GreaterOrEqual": (5, {"another dtype": 3}),
    "Identity": (1, {"a sequence or an optional": 2}),
    "IsInf": (3, {"another dtype": 1}),
    "IsNaN": (1, {"another dtype": 1}),
    "Less": (5, {"another dtype": 3}),
    "LessOrEqual": (5, {"another dtype": 3}),
    "Max": (10, {"another dtype": 4}),
    "MaxPool": (13, {"integers": 1, "indices in column-major order": 1, "three spatial axes": 4}),
    "Min": (10, {"another dtype": 4}),
    "Mod": (10, {"remainder with the sign of a": 3, "another dtype": 6}),
    "Mul": (6, {"another dtype": 3}),
    "OneHot": (5, {"another dtype": 1}),
    "Pow": (10, {"another dtype": 2}),
    "ReduceLogSumExp": (8, {"an extreme of nothing": 1}),
    "ReduceMax": (9, {"an extreme of nothing": 2}),
    "ReduceMin": (9, {"an extreme of nothing": 1}),
    "Sub": (6, {"another dtype": 3}),
}  # fmt: skip
# Op types whose module in the standard's tests is not simply their name in lower case.
MODULES = {
    "And": "and_", "BatchNormalization": "batch_normalization",
    "GreaterOrEqual": "greater_or_equal", "LessOrEqual": "less_or_equal", "Not": "not_",
    "Or": "or_", "ReduceLogSum": "reduce_log_sum", "ReduceLogSumExp": "reduce_log_sum_exp",
    "SoftmaxCrossEntropyLoss": "softmax_cross_entropy_loss",
}  # fmt: skip
TYPES = sorted(TRANSLATORS)
# The standard writes what it expects here with four digits.
FOUR_DIGITS = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-3}


@lru_cache
def cases() -> dict[str, list]:
    """The cases of each op type that is translated; loading all of the standard takes long."""
    from onnx.backend.test.case import node

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # log 0 in the making of the cases
        for op in TYPES:
            importlib.import_module(f"{node.__name__}.{MODULES.get(op, op.lower())}")
    return by_type(node._NodeTestCases)


def by_type(found: list) -> dict[str, list]:
    sorted_by_type: dict[str, list] = {op: [] for op in TYPES}
    for case in found:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in TYPES and "_expanded" not in case.name:
            sorted_by_type[nodes[0].op_type].append(case)
    return sorted_by_type


def value(array: object) -> pellucid.Tensor:
    if not isinstance(array, (np.ndarray, np.generic)):
        raise Refused("a sequence or an optional")
    array = np.asarray(array)
    try:
        return pellucid.from_numpy(array)
    except (pellucid.errors.DTypeError, pellucid.errors.UnsupportedError):
        raise Refused("another dtype") from None


def run(case) -> None:
    """Compute the outputs of a case and hold them against the standard's."""
    (node,), ((given, wanted),) = case.model.graph.node, case.data_sets
    for y in wanted:
        value(y)
    arrays = iter(given)
    inputs = [value(next(arrays)) if name else None for name in node.input]
    options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type in ("MaxPool", "Split"):
        options["outputs"] = len(node.output)
    found = TRANSLATORS[node.op_type](*inputs, **options)
    found = found if isinstance(found, tuple) else (found,)
    assert len(found) >= len(wanted), case.name
    rtol = FOUR_DIGITS.get(case.name, 1e-5)
    for y, expected in zip(found, map(np.asarray, wanted), strict=False):
        assert y.shape == expected.shape, case.name
        assert y.dtype == expected.dtype, case.name
        np.testing.assert_allclose(y.numpy(), expected, rtol=rtol, atol=1e-6, err_msg=case.name)


@pytest.mark.parametrize("op", TYPES)
def test_cases(op):
    ran, refused = 0, Counter()
    for case in cases()[op]:
        try:
            run(case)
            ran += 1
        except Refused as reason:
            refused[str(reason)] += 1
    if onnx.__version__ == VERSION:
        assert (ran, dict(refused)) == SOME_REFUSED.get(op, (ALL_RUN.get(op), {}))


def test_totals():
    assert not set(ALL_RUN) & set(SOME_REFUSED)
    assert sorted([*ALL_RUN, *SOME_REFUSED]) == TYPES
    ran = sum(ALL_RUN.values()) + sum(ran for ran, _ in SOME_REFUSED.values())
    refused = sum(sum(reasons.values()) for _, reasons in SOME_REFUSED.values())
    assert (ran, refused) == (507, 91)


@pytest.mark.slow
def test_no_case_hides_in_another_module():
    from onnx.backend.test.loader import load_model_tests

    known = {op: [case.name for case in found] for op, found in cases().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        everything = by_type(load_model_tests(kind="node"))
    assert {op: sorted(case.name for case in found) for op, found in everything.items()} == {
        op: sorted(names) for op, names in known.items()
    }
