from __future__ import annotations

import pytest
from benchmarks.families import FAMILIES, REST, by_family, family_of


@pytest.mark.parametrize(
    ("ours", "theirs", "family"),
    [
        ("ConvReLU forward", "aten::mkldnn_convolution", "convolution"),
        ("ConvGradInput forward", "aten::_slow_conv2d_forward", "convolution"),  # transposed
        ("ConvReLU backward", "aten::convolution_backward", "its gradients"),
        ("ConvGradWeight backward", "ConvolutionBackward0", "its gradients"),
        ("BatchNormAddReLU forward", "aten::native_batch_norm", "batch norm"),
        ("BatchNormGrad backward", "aten::native_batch_norm_backward", "batch norm"),
        ("MaxPoolGrad backward", "aten::max_pool2d_with_indices", "pooling"),
        ("LinearGradInput backward", "aten::mm", "Linear"),
        ("MeanCrossEntropy forward", "aten::nll_loss_forward", "loss"),
        ("ReLUGrad backward", "aten::threshold_backward", "ReLU, sum"),
        ("Add forward", "aten::add_", "ReLU, sum"),
        ("Adam.step region", "aten::_fused_adam_", "optimizer"),
        ("Reshape forward", "aten::copy_", REST),
    ],
)
def test_the_same_work_has_the_same_name(ours: str, theirs: str, family: str) -> None:
    assert (family_of(ours), family_of(theirs)) == (family, family)


def test_what_no_op_tells_of_is_the_rest() -> None:
    found = by_family({"Linear forward": 1.0, "aten::mm": 2.0, "Reshape forward": 0.5}, 4.0)
    assert list(found) == [*FAMILIES, REST]
    assert (found["Linear"], found["pooling"], found[REST]) == (3.0, 0.0, 1.0)
    assert sum(found.values()) == 4.0
