"""`pellucid info`: every fact is there, and true."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid import dtypes
from pellucid.cli import info
from pellucid.data.digits import FOLDER
from pellucid.kernels.conv import ALGORITHMS


def facts() -> dict[str, str]:
    return {line[:10].strip(): line[10:] for line in info.describe().splitlines()}


def test_the_facts_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    found = facts()
    assert list(found) == [
        "pellucid", "Python", "NumPy", "kernels", "threads", "pool", "dtypes", "package", "digits",
        "data",
    ]  # fmt: skip
    assert found["pellucid"] == pellucid.__version__
    assert found["NumPy"].startswith(f"{np.__version__}, matrix products by ")
    assert found["kernels"].startswith(f"convolution: {', '.join(ALGORITHMS)}; native: ")
    assert found["threads"].split()[0] == str(pellucid.get_num_threads())
    assert f"{info._cores()} for NumPy" in found["threads"]
    assert Path(found["package"], "tensor.py").is_file()
    assert found["digits"] == str(FOLDER)
    assert found["data"] == "PELLUCID_DATA_DIR is not set"


def test_the_native_module(monkeypatch: pytest.MonkeyPatch) -> None:
    if info.module is not None:
        assert f"native: {info.module.isa()} of " in facts()["kernels"]
        assert "MB in use" in facts()["pool"]
    monkeypatch.setattr(info, "module", None)
    assert facts()["kernels"].endswith("native: not built")
    assert facts()["pool"] == "none without the native module"


def test_every_dtype_is_named() -> None:
    assert set(info.FLOATS + info.OTHERS) == set(dtypes._SUPPORTED)
    assert facts()["dtypes"] == (
        "float32 (default), float64, int64, int32, int16, int8, uint8, bool"
    )


def test_the_data_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA_DIR", "/data")
    assert facts()["data"] == "/data (PELLUCID_DATA_DIR)"


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        assert info._cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert info._cores() == os.cpu_count()


def test_a_numpy_that_does_not_tell_its_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    assert "an unknown library" in facts()["NumPy"]
