"""`diagnose` accuses PyTorch of nothing, in float64 and float32."""

from __future__ import annotations

import numpy as np
import pytest
from testing.test_diagnose import SEEDS, in_float32

from pellucid.testing import diagnose

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def by_autograd(gy, x, w, stride, padding, dilation, groups):
    bias = np.zeros(len(w), w.dtype)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, w, bias)]
    y = torch.nn.functional.conv2d(*tensors, stride, padding, dilation, groups)
    y.backward(torch.tensor(gy))
    return tuple(t.grad.numpy() for t in tensors)


def by_unfold(gy, x, w, stride, padding):
    """im2col and col2im of PyTorch: without dilation and groups."""
    (N, C, H, W), (O, _, KH, KW) = x.shape, w.shape
    options = {"kernel_size": (KH, KW), "stride": stride, "padding": padding}
    columns = torch.nn.functional.unfold(torch.tensor(x), **options)
    rows = torch.tensor(gy).reshape(N, O, -1)
    gw = torch.einsum("nop,nkp->ok", rows, columns).reshape(O, C, KH, KW)
    gcolumns = torch.tensor(w).reshape(O, -1).T @ rows
    gx = torch.nn.functional.fold(gcolumns, (H, W), **options)
    return gx, gw, rows.sum((0, 2))


@pytest.mark.parametrize("seed", SEEDS)
def test_pytorch_is_right(seed: int) -> None:
    for k in range(5):
        for function in (by_autograd, in_float32(by_autograd), by_unfold):
            found = diagnose(function, seed=100 * seed + k)
            assert found.mistake is None, found.text()
