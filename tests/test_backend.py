"""Devices, and arrays in foreign byte order."""

import numpy as np
import pytest

import pellucid
from pellucid.backend import native
from pellucid.errors import DeviceError


def test_cpu_is_the_one_device():
    assert str(pellucid.device("cpu")) == "cpu"
    assert repr(pellucid.device("cpu")) == "device(type='cpu')"
    assert pellucid.device(pellucid.zeros(1).device) == pellucid.device()
    with pytest.raises(DeviceError) as caught:
        pellucid.device("cuda")
    assert str(caught.value) == (
        "device: there is no device 'cuda': pellucid computes on the CPU\n  fix: use 'cpu'"
    )


def test_native_copies_only_what_it_must():
    plain = np.arange(3.0)
    assert native(plain) is plain
    turned = native(plain.astype(">f8"))
    assert turned.dtype.isnative
    np.testing.assert_array_equal(turned, plain)
    odd = np.frombuffer(bytearray(25), np.uint8)[1:].view(np.float64)
    assert not odd.flags.aligned
    assert native(odd).flags.aligned
