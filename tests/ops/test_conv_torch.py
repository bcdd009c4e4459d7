"""Convolution beside PyTorch in float64, a peer: forward, both orders of gradients."""

import numpy as np
import pytest

import pellucid
from pellucid import ops

torch = pytest.importorskip("torch")

SHAPES = [
    ((2, 3, 8, 9), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    ((2, 4, 7, 7), (8, 1, 3, 3), {"groups": 4, "stride": 2, "padding": 1}),
    ((1, 9, 32, 32), (3, 9, 5, 5), {"stride": 3, "padding": 1}),
    ((1, 4, 9, 9), (16, 2, 1, 1), {"groups": 2}),
    ((2, 2, 11), (3, 2, 3), {"dilation": 2, "padding": 2}),
    ((1, 2, 6, 5, 7), (4, 2, 2, 3, 2), {"stride": (2, 1, 3), "dilation": 2, "padding": 1}),
    ((1, 2, 5, 5), (2, 2, 3, 3), {"padding": "same", "dilation": 2}),
]


@pytest.mark.parametrize(("x", "w", "options"), SHAPES, ids=str)
def test_like_torch_to_second_order(x, w, options):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in (x, w, (w[0],))]
    name = f"conv{len(x) - 2}d"

    def grads(library, function, tensors):
        y = function(*tensors, **options)
        gy = library.from_numpy(np.cos(np.arange(y.detach().numpy().size)).reshape(y.shape))
        first = library.autograd.grad((y * y * gy).sum(), tensors, create_graph=True)
        second = library.autograd.grad(sum((g * g).sum() for g in first), tensors)
        return [t.detach().numpy() for t in (y, *first, *second)]

    ours = grads(pellucid, getattr(ops, name), [pellucid.Tensor(a, True) for a in arrays])
    leaves = [torch.from_numpy(a).requires_grad_() for a in arrays]
    theirs = grads(torch, getattr(torch.nn.functional, name), leaves)
    for mine, peer in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-10, atol=1e-10 * np.abs(peer).max())
