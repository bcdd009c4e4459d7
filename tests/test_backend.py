"""Devices, arrays in foreign byte order, and the limits of memory."""

import numpy as np
import pytest

import pellucid
from pellucid.backend import container_limits, memory_limit, native
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


def machine(root, cgroup, **files):
    """Write the files that tell a process its control groups, and their limits."""
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_limits_of_version_2_are_those_of_all_groups_above(tmp_path):
    files = {
        "sys/fs/cgroup/memory.max": "9000\n",
        "sys/fs/cgroup/pod/memory.max": "max\n",
        "sys/fs/cgroup/pod/job/memory.max": "7000\n",
        "sys/fs/cgroup/other/memory.max": "5\n",
    }
    assert container_limits(machine(tmp_path, "0::/pod/job\n", **files)) == [7000, 9000]


def test_the_limits_of_version_1_have_a_tree_of_their_own(tmp_path):
    cgroup = "5:cpu,cpuacct:/a\n4:memory,hugetlb:/docker/b\n"
    files = {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes": "800\n",
        "sys/fs/cgroup/cpu/a/memory.limit_in_bytes": "5\n",
    }
    limits = container_limits(machine(tmp_path, cgroup, **files))
    assert limits == [800, 9223372036854771712]


def test_a_group_from_outside_the_container_leaves_the_root(tmp_path):
    files = {"sys/fs/cgroup/memory.max": "600\n"}
    assert container_limits(machine(tmp_path, "0::/../../outer\n", **files)) == [600]
    assert container_limits(machine(tmp_path, "0::/not/mounted/here\n", **files)) == [600]


def test_without_control_groups_there_is_the_machine(tmp_path):
    assert container_limits(tmp_path) == []
    assert 2**26 < memory_limit() < 2**50
