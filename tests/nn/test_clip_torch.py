import numpy as np
import pytest

import pellucid
from pellucid.nn.clip import clip_grad_norm_, clip_grad_value_

torch = pytest.importorskip("torch")


def with_gradients(library, scale, dtype):
    rng = np.random.default_rng(0)
    parameters = []
    for shape in [(3, 4), (), (5,)]:
        p = library.from_numpy(np.zeros(shape, dtype))
        p.grad = library.from_numpy(np.asarray(scale * rng.standard_normal(shape), dtype))
        parameters.append(p)
    return parameters


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-14), (np.float32, 1e-6)])
@pytest.mark.parametrize("norm_type", [1, 2, 2.5, float("inf")])
@pytest.mark.parametrize("scale", [1e-3, 10])
def test_norm(dtype, rtol, norm_type, scale):
    ours, theirs = (with_gradients(library, scale, dtype) for library in (pellucid, torch))
    norm = clip_grad_norm_(ours, 1.0, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    np.testing.assert_allclose(norm.array, expected.numpy(), rtol=rtol)
    assert norm.dtype == expected.numpy().dtype
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.array, q.grad.numpy(), rtol=rtol)


def test_value():
    ours, theirs = (with_gradients(library, 1, np.float32) for library in (pellucid, torch))
    clip_grad_value_(ours, 0.5)
    torch.nn.utils.clip_grad_value_(theirs, 0.5)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(p.grad.array, q.grad.numpy())
