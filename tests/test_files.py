"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from pellucid import files
from pellucid.errors import DataError


def test_a_file_is_written_and_written_again(tmp_path):
    for data, kept in ((b"one", b"one"), ("두", "두".encode())):
        files.write("save", tmp_path / "a", data)
        assert (tmp_path / "a").read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space")])
def test_a_failure_leaves_what_was_there(moment, error, tmp_path, monkeypatch):
    files.write("save", tmp_path / "a", b"old")

    def interrupted(*_):
        raise error

    monkeypatch.setattr(files.os, moment, interrupted)
    with pytest.raises(DataError if isinstance(error, OSError) else error):
        files.write("save", tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_the_error_names_the_op_and_the_place():
    path = Path("no such folder", "a.svg")
    with pytest.raises(DataError) as raised:
        files.write("save", path, b"")
    assert str(raised.value) == (
        f"save: {path} cannot be written: No such file or directory\n"
        "  fix: look at the folder, its permissions and the free space"
    )
