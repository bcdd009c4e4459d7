"""Losses pass their options on, and keep class weights as buffers."""

import numpy as np
import pytest

import pellucid
from pellucid import nn, ops

X = pellucid.tensor(np.random.default_rng(0).normal(size=(4, 3)))
CLASSES = pellucid.tensor([0, 2, 1, 2])
SHARES = pellucid.tensor(np.random.default_rng(1).uniform(size=(4, 3)))
WEIGHT = pellucid.tensor(np.array([1.0, 2.0, 0.5]))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("layer", "op", "target", "options"),
    [
        (nn.MSELoss, ops.mse_loss, SHARES, {}),
        (nn.L1Loss, ops.l1_loss, SHARES, {}),
        (nn.NLLLoss, ops.nll_loss, CLASSES, {}),
        (nn.NLLLoss, ops.nll_loss, CLASSES, {"weight": WEIGHT, "ignore_index": 2}),
        (nn.CrossEntropyLoss, ops.cross_entropy, CLASSES, {}),
        (
            nn.CrossEntropyLoss,
            ops.cross_entropy,
            CLASSES,
            {"weight": WEIGHT, "ignore_index": 0, "label_smoothing": 0.1},
        ),
        (nn.BCEWithLogitsLoss, ops.binary_cross_entropy_with_logits, SHARES, {}),
        (
            nn.BCEWithLogitsLoss,
            ops.binary_cross_entropy_with_logits,
            SHARES,
            {"weight": WEIGHT, "pos_weight": WEIGHT * 3},
        ),
    ],
)
def test_options(layer, op, target, options, reduction):
    loss = layer(**options, reduction=reduction)
    wanted = op(X, target, **options, reduction=reduction)
    assert loss(X, target).tolist() == wanted.tolist()
    assert repr(loss) == f"{layer.__name__}()"


def test_each_option_counts():
    options = {"weight": WEIGHT, "ignore_index": 0, "label_smoothing": 0.1, "reduction": "sum"}
    whole = nn.CrossEntropyLoss(**options)(X, CLASSES).item()
    for name in options:
        fewer = {k: v for k, v in options.items() if k != name}
        assert nn.CrossEntropyLoss(**fewer)(X, CLASSES).item() != whole


def test_weights_are_buffers():
    loss = nn.BCEWithLogitsLoss(WEIGHT, pos_weight=WEIGHT)
    assert list(loss.state_dict()) == ["weight", "pos_weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    assert nn.NLLLoss(WEIGHT).float().weight.dtype == pellucid.float32
