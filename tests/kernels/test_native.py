"""The native module around its kernels: loading, the buffer pool, the instruction sets."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from kernels.conv.native import needs_native, normal

import pellucid
from pellucid.errors import ArgumentError
from pellucid.kernels import conv, layout, native
from pellucid.kernels.conv import ConvSpec

SPEC = ConvSpec.parse("n8 c32 i28x28 o32 k3x3 p1")


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("threads", [0, 1.5, "2"])
def test_at_least_one_thread(threads):
    with pytest.raises(ArgumentError) as caught:
        pellucid.set_num_threads(threads)
    assert str(caught.value) == (
        f"set_num_threads: threads={threads!r} is no whole number >= 1\n  fix: use 1 or more"
    )


WITHOUT = """
import sys
sys.modules["pellucid._native"] = None
import pellucid
from pellucid.errors import ArgumentError
from pellucid.kernels import conv
print(conv.choose(conv.ConvSpec.parse("c1 i5x5 o1 k3x3"), "forward", pellucid.float32))
pellucid.set_num_threads(3)
pellucid.empty_cache()
print(pellucid.get_num_threads())
"""


def test_without_the_module_numpy_computes_and_says_so_once():
    done = run_python(WITHOUT, PELLUCID_REQUIRE_NATIVE="0")
    assert done.returncode == 0
    assert done.stdout.split() == ["im2col", "1"]
    assert done.stderr.count("pellucid runs on NumPy kernels, which are slower") == 1
    assert "pip install --force-reinstall" in done.stderr


def test_without_the_module_where_it_is_required():
    done = run_python(WITHOUT, PELLUCID_REQUIRE_NATIVE="1")
    assert done.returncode == 1
    assert "PELLUCID_REQUIRE_NATIVE=1, but there is no native module" in done.stderr


@needs_native
class TestPool:
    def test_memory_comes_back(self):
        pellucid.empty_cache()
        shape = (4, 8, 32, 32)
        first = layout.empty_channels_last(shape, pellucid.float32)
        address = first.ctypes.data
        assert address % 64 == 0
        assert layout.is_channels_last(first)
        used, kept, _ = native.module.pool_state()
        view = first[1:, ::2]
        del first
        assert native.module.pool_state()[:2] == (used, kept)  # the view holds it
        del view
        assert native.module.pool_state()[0] < used
        assert layout.empty_channels_last(shape, pellucid.float32).ctypes.data == address

    def test_a_block_of_up_to_twice_the_size_serves_before_fresh_memory_does(self):
        pellucid.empty_cache()
        del (first := [layout.empty_rows((2**16,), pellucid.float32)])[:]
        assert not first
        used, kept, _ = native.module.pool_state()
        smaller = layout.empty_rows((2**15 + 5000,), pellucid.float32)
        now_used, now_kept, _ = native.module.pool_state()
        assert now_kept < kept
        assert smaller.nbytes <= now_used - used < 1.3 * smaller.nbytes  # what was asked for
        del smaller
        assert native.module.pool_state()[:2] == (used, kept)
        tiny = layout.empty_rows((2**13,), pellucid.float32)  # not from a block much larger
        assert native.module.pool_state()[1] == kept
        del tiny

    def test_it_is_bounded_over_many_shapes_and_can_be_emptied(self):
        for size in range(1, 400):
            spec = ConvSpec.parse(f"c3 i{size}x7 o4 k1x1")
            conv.forward(normal(spec.x_shape, 0, "float32"), np.ones(spec.w_shape, "f"), None, spec)
        _, kept, limit = native.module.pool_state()
        assert kept <= limit
        assert kept < 50_000_000
        pellucid.empty_cache()
        assert native.module.pool_state()[1] == 0

    def test_it_can_be_switched_off(self):
        code = (
            "import numpy as np, pellucid\n"
            "from pellucid.kernels import layout, native\n"
            "layout.empty_channels_last((1, 1, 9, 9), pellucid.float32)\n"
            "print(native.module.pool_state()[1:])"
        )
        assert run_python(code, PELLUCID_POOL="0").stdout.strip() == "(0, 0)"

    # The last three have 2^64 bytes, 2^64 elements, and strides of 2^64 elements: 0 in 64 bits.
    @pytest.mark.parametrize(
        "shape",
        [
            (2**30, 2**20, 2**10, 2**10),
            (2**62, 1, 1, 1),
            (2**32, 2**31, 1, 2),
            (0, 2**32, 2**31, 2),
        ],
    )
    def test_what_does_not_fit_is_a_memory_error(self, shape):
        with pytest.raises(MemoryError):
            layout.empty_channels_last(shape, pellucid.float32)

    def test_the_peak_is_what_was_handed_out_at_one_time(self):
        used, *_ = native.module.pool_state()
        native.module.take_pool_peak()
        for _ in range(3):
            layout.empty_channels_last((1, 1, 256, 256), pellucid.float32)  # gone at once
        assert 2**18 <= native.module.take_pool_peak() - used < 2 * 2**18
        assert native.module.take_pool_peak() == used

    def test_waiting_memory_can_be_filled(self):
        pellucid.empty_cache()
        layout.empty_channels_last((1, 1, 99, 99), pellucid.float64)
        native.module.fill_pool(0xFF)
        assert np.isnan(layout.empty_channels_last((1, 1, 99, 99), pellucid.float64)).all()


@needs_native
def test_the_instruction_set():
    names = native.module.isas()
    assert names[-1] in ("baseline", "neon")
    code = "import pellucid; from pellucid.kernels import native; print(native.module.isa())"
    for name in names:
        assert run_python(code, PELLUCID_ISA=name).stdout.strip() == name
    chosen = run_python(code, PELLUCID_ISA="").stdout.strip()
    assert chosen == names[0]
    wrong = run_python(code, PELLUCID_ISA="mmx").stderr
    assert f"PELLUCID_ISA=mmx, but there is only {', '.join(names)}" in wrong


@needs_native
def test_every_instruction_set_computes_the_same_within_rounding():
    x, w = normal(SPEC.x_shape, 0, "float64"), normal(SPEC.w_shape, 1, "float64")
    chosen, results = native.module.isa(), []
    try:
        for name in native.module.isas():
            native.module.select_isa(name)
            results += [conv.forward(x, w, None, SPEC, algorithm=a) for a in ("direct", "winograd")]
    finally:
        native.module.select_isa(chosen)
    for y in results:
        np.testing.assert_allclose(y, results[0], rtol=0, atol=1e-12)
