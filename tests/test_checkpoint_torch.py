"""Weights to and from PyTorch in safetensors files."""

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import DataError, UnsupportedError

torch = pytest.importorskip("torch")


def networks(library):
    return library.nn.Sequential(
        library.nn.Conv2d(3, 4, 3), library.nn.BatchNorm2d(4), library.nn.Linear(5, 2)
    )


def test_weights_from_torch(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    theirs, ours = networks(torch), networks(pellucid)
    theirs[1].running_mean += 3
    save_file(theirs.state_dict(), path)
    ours.load_state_dict(pellucid.load(path))
    for name, tensor in ours.state_dict().items():
        np.testing.assert_array_equal(tensor.array, theirs.state_dict()[name].numpy())


def test_weights_to_torch(tmp_path):
    from safetensors.torch import load_file

    path = tmp_path / "model.safetensors"
    theirs, ours = networks(torch), networks(pellucid)
    weight = ours[0].weight.array
    last = np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    ours[0].weight = nn.Parameter(pellucid.Tensor(last))
    pellucid.save(ours.state_dict(), path)
    theirs.load_state_dict(load_file(path))
    for name, tensor in ours.state_dict().items():
        np.testing.assert_array_equal(tensor.array, theirs.state_dict()[name].numpy())


@pytest.mark.parametrize(("dtype", "code"), [("bfloat16", "BF16"), ("float16", "F16")])
def test_half_precision_is_named(dtype, code, tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_file({"w": torch.ones(2, dtype=getattr(torch, dtype))}, path)
    with pytest.raises(UnsupportedError) as caught:
        pellucid.load(path)
    assert str(caught.value) == (
        f"load: tensor 'w' of {path} is {code}, which pellucid does not have\n"
        "  fix: save it as float32 (F32) where it was made"
    )


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_save_is_refused(zipped, tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match="zip archive" if zipped else "is a pickle"):
        pellucid.load(path)
