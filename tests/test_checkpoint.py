"""Tensors in files: every layout comes back, and a file is whole or not there."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import pellucid
from pellucid import files, nn
from pellucid.errors import ArgumentError, DataError, DTypeError, StateError, UnsupportedError


def numbers(*shape, dtype=np.float32):
    return np.random.default_rng(3).standard_normal(shape).astype(dtype)


ARRAYS = {
    "plain": numbers(2, 3),
    "channels last": numbers(2, 5, 6, 3).transpose(0, 3, 1, 2),
    "transposed": numbers(3, 4).T,
    "negative strides": numbers(4, 5)[::-1, ::-2],
    "gaps": numbers(6, 6)[1::2, ::3],
    "repeated": np.broadcast_to(numbers(3), (4, 3)),
    "0-d": numbers(),
    "one element": numbers(1, 1, 1)[::-1],
    "empty": numbers(0, 3),
    "foreign byte order": numbers(3).astype(">f4"),
    "misaligned": np.frombuffer(b"x" + numbers(3).tobytes(), np.float32, offset=1),
    "special": np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], np.float32),
    "float64": numbers(3, dtype=np.float64),
    "bool": np.array([[True, False], [False, True]]).T,
    **{d: np.array([1, 2, 127]).astype(d) for d in ("int64", "int32", "int16", "int8", "uint8")},
}


class TestTensors:
    def test_every_layout_and_dtype_comes_back(self, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save({name: pellucid.Tensor(np.asarray(a)) for name, a in ARRAYS.items()}, path)
        for found in (pellucid.load(path), safetensors.numpy.load_file(path)):
            assert set(found) == set(ARRAYS)
            for name, tensor in found.items():
                array = np.asarray(tensor)
                expected = np.asarray(ARRAYS[name])
                assert array.dtype == expected.dtype.newbyteorder("="), name
                assert array.shape == expected.shape, name
                np.testing.assert_array_equal(array, expected, err_msg=name)
                assert array.flags.writeable
                assert array.flags.c_contiguous

    def test_other_writers_are_read(self, tmp_path):
        path = tmp_path / "a.safetensors"
        safetensors.numpy.save_file({"w": numbers(2, 3)}, path, {"by": "another"})
        np.testing.assert_array_equal(pellucid.load(str(path))["w"].array, numbers(2, 3))
        assert pellucid.load_metadata(path) == {"by": "another"}

    def test_metadata(self, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save({}, path, {"classes": "0 1 2"})
        assert pellucid.load(path) == {}
        assert pellucid.load_metadata(path) == {"classes": "0 1 2"}
        with safetensors.safe_open(path, "numpy") as file:
            assert file.metadata() == {"classes": "0 1 2", "pellucid.format": "1"}

    def test_parameters_need_no_detach(self, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save({"w": pellucid.ones(2, requires_grad=True)}, path)
        assert not pellucid.load(path)["w"].requires_grad

    def test_tied_parameters(self, tmp_path):
        path = tmp_path / "a.safetensors"
        model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        model[1].weight = model[0].weight
        pellucid.save(model.state_dict(), path)
        other = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        other[1].weight = other[0].weight
        other.load_state_dict(pellucid.load(path))
        assert other[0].weight is other[1].weight
        np.testing.assert_array_equal(other[0].weight.array, model[0].weight.array)
        assert len(list(other.parameters())) == 3

    def test_a_state_dict_of_another_model(self, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save(nn.Linear(3, 3).state_dict(), path)
        with pytest.raises(StateError):
            nn.Linear(3, 4).load_state_dict(pellucid.load(path))


WRONG_TENSORS = [
    (
        {"w": np.ones(3)},
        DTypeError,
        "'w' is a ndarray; names are texts and values are tensors\n"
        "  fix: use pellucid.tensor on arrays and numbers, and leave out the rest",
    ),
    (
        {3: pellucid.ones(1)},
        DTypeError,
        "3 is a Tensor; names are texts and values are tensors\n"
        "  fix: use pellucid.tensor on arrays and numbers, and leave out the rest",
    ),
    (
        {"__metadata__": pellucid.ones(1)},
        ArgumentError,
        "the name '__metadata__' is reserved by safetensors\n  fix: use another name",
    ),
]
WRONG_METADATA = [
    (
        {"epoch": 3},
        DTypeError,
        "metadata['epoch'] is a int; safetensors keeps texts under texts\n"
        "  fix: use json.dumps(...) on it",
    ),
    (
        {"pellucid.format": "7"},
        ArgumentError,
        "metadata['pellucid.format'] is reserved\n"
        "  fix: use a key that does not start with 'pellucid.'",
    ),
]


class TestWriting:
    @pytest.mark.parametrize(("tensors", "kind", "message"), WRONG_TENSORS)
    def test_wrong_tensors(self, tensors, kind, message, tmp_path):
        with pytest.raises(kind) as caught:
            pellucid.save(tensors, tmp_path / "a")
        assert str(caught.value) == f"save: {message}"
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(("metadata", "kind", "message"), WRONG_METADATA)
    def test_wrong_metadata(self, metadata, kind, message, tmp_path):
        with pytest.raises(kind) as caught:
            pellucid.save({}, tmp_path / "a", metadata)
        assert str(caught.value) == f"save: {message}"

    def test_no_folder(self, tmp_path):
        path = tmp_path / "missing" / "a.safetensors"
        with pytest.raises(DataError) as caught:
            pellucid.save({}, path)
        assert str(caught.value) == (
            f"save: {path} cannot be written: No such file or directory\n"
            "  fix: look at the folder, its permissions and the free space"
        )

    @pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space")])
    @pytest.mark.parametrize("moment", ["fsync", "replace"])
    def test_an_interrupted_save_leaves_the_old_file(self, error, moment, tmp_path, monkeypatch):
        path = tmp_path / "a.safetensors"
        pellucid.save({"w": pellucid.ones(3)}, path)
        before = path.read_bytes()

        def interrupted(*_):
            raise error

        monkeypatch.setattr(files.os, moment, interrupted)
        expected = DataError if isinstance(error, OSError) else error
        with pytest.raises(expected) as caught:
            pellucid.save({"w": pellucid.zeros(3)}, path)
        if expected is DataError:
            assert str(caught.value) == (
                f"save: {path} cannot be written: No space\n"
                "  fix: look at the folder, its permissions and the free space"
            )
        assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
        assert path.read_bytes() == before

    def test_the_file_is_on_the_disk_before_it_gets_its_name(self, tmp_path, monkeypatch):
        calls = []
        fsync, replace = files.os.fsync, files.os.replace

        def spy_replace(source, target):
            assert Path(source).parent == Path(target).parent
            calls.append(("replace", safetensors.numpy.load_file(source)["w"].tolist()))
            replace(source, target)

        monkeypatch.setattr(
            files.os, "fsync", lambda number: (calls.append("fsync"), fsync(number))
        )
        monkeypatch.setattr(files.os, "replace", spy_replace)
        pellucid.save({"w": pellucid.ones(2)}, tmp_path / "a")
        assert calls == ["fsync", ("replace", [1.0, 1.0])]

    @pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
    def test_ctrl_c_at_any_moment(self, tmp_path):
        program = (
            "import pellucid, sys\n"
            "big = {'w': pellucid.zeros(500_000)}\n"
            "print('ready', flush=True)\n"
            "while True:\n"
            "    pellucid.save(big, sys.argv[1])\n"
        )
        path = tmp_path / "a.safetensors"
        command = [sys.executable, "-c", program, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with process:
            assert process.stdout.readline() == b"ready\n"
            while not path.exists():
                time.sleep(0.01)
            time.sleep(0.03)
            process.send_signal(signal.SIGINT)
        assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
        assert pellucid.load(path)["w"].shape == (500_000,)


def refused(path) -> str:
    """What the safetensors library says about a file."""
    with pytest.raises(safetensors.SafetensorError) as caught:
        safetensors.safe_open(path, "numpy")
    return str(caught.value)


class TestReading:
    @pytest.mark.parametrize("name", ["missing.safetensors", "."])
    def test_no_file(self, name, tmp_path):
        with pytest.raises(DataError) as caught:
            pellucid.load(tmp_path / name)
        assert str(caught.value) == (
            f"load: there is no file {tmp_path / name}\n  fix: check the path"
        )

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: b"",
            lambda data: data[:5],
            lambda data: data[:40],
            lambda data: data[:-1],
            lambda data: data + b"x",
            lambda data: data[:8] + b"?" + data[9:],
            lambda data: b"a page of text, no tensors",
        ],
    )
    def test_damaged(self, damage, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save({"w": pellucid.ones(300)}, path)
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(DataError) as caught:
            pellucid.load(path)
        assert str(caught.value) == (
            f"load: {path} is cut short, damaged, or no safetensors file: {refused(path)}\n"
            "  fix: copy or save it again"
        )

    def test_pickles_are_not_opened(self, tmp_path):
        path = tmp_path / "a.safetensors"
        fix = "write it with pellucid.save, or safetensors.torch.save_file where it was made"
        path.write_bytes(pickle.dumps({"w": 1}))
        with pytest.raises(DataError) as caught:
            pellucid.load(path)
        assert str(caught.value) == (
            f"load: {path} is a pickle, which can run any code when it is read, "
            f"not a safetensors file\n  fix: {fix}"
        )
        with path.open("wb") as file:
            np.savez(file, w=np.ones(3))
        with pytest.raises(DataError) as caught:
            pellucid.load_metadata(path)
        assert str(caught.value) == (
            f"load_metadata: {path} is a zip archive, such as torch.save and np.savez write, "
            f"not a safetensors file\n  fix: {fix}"
        )

    def test_a_header_that_begins_like_a_pickle_is_read(self, tmp_path):
        path = tmp_path / "a.safetensors"
        pellucid.save({"w": pellucid.ones(1)}, path)
        for size in range(200):
            pellucid.save({"w" * size: pellucid.ones(1)}, path)
            if path.read_bytes()[0] == 0x80:
                assert pellucid.load(path)["w" * size].tolist() == [1.0]
                return
        pytest.fail("no header was 128 bytes long")

    @pytest.mark.parametrize("version", ["2", "", "one"])
    def test_another_format(self, version, tmp_path):
        path = tmp_path / "a.safetensors"
        safetensors.numpy.save_file({}, path, {"pellucid.format": version})
        with pytest.raises(DataError) as caught:
            pellucid.load(path)
        assert str(caught.value) == (
            f"load: {path} has format version {version}, and this pellucid reads version 1\n"
            "  fix: read it with the pellucid that wrote it, or a newer one"
        )

    @pytest.mark.parametrize(("dtype", "code"), [("f2", "F16"), ("u4", "U32"), ("c8", "C64")])
    def test_dtypes_that_pellucid_has_not(self, dtype, code, tmp_path):
        path = tmp_path / "a.safetensors"
        safetensors.numpy.save_file({"a": np.ones(2), "conv.weight": np.ones(2, dtype)}, path)
        with pytest.raises(UnsupportedError) as caught:
            pellucid.load(path)
        assert str(caught.value) == (
            f"load: tensor 'conv.weight' of {path} is {code}, which pellucid does not have\n"
            "  fix: save it as float32 (F32) where it was made"
        )


def test_only_a_mapping_is_saved(tmp_path):
    for odd, kind in ((nn.Linear(1, 1), "Linear"), ([pellucid.ones(1)], "list")):
        with pytest.raises(DTypeError) as caught:
            pellucid.save(odd, tmp_path / "x")
        assert str(caught.value) == (
            f"save: a {kind} is no mapping of names to tensors\n"
            "  fix: save model.state_dict(), or a dict of tensors"
        )
    assert not list(tmp_path.iterdir())
