"""Downloads, from a server on 127.0.0.1: what comes is checked, what fails leaves nothing."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from pellucid.data import MNIST, read_idx, write_idx
from pellucid.data.fetch import fetch
from pellucid.errors import DataError, UnsupportedError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
ARRAYS = (np.arange(24, dtype=np.uint8).reshape(6, 2, 2), np.arange(6, dtype=np.uint8))


class Server(ThreadingHTTPServer):
    """Serves `files`, and notes what was asked for; `cut` bytes of each answer are not sent."""

    daemon_threads = True
    cut = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - self.server.cut])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def small(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[MNIST]:
    """Return a MNIST of six images, which the server has."""
    digests = {}
    for name, array in zip(NAMES, ARRAYS, strict=True):
        path = tmp_path / f"{name}.gz"
        write_idx(path, array)
        digests[name] = read_idx(path).sha256
        server.files[f"/{name}.gz"] = path.read_bytes()
        path.unlink()

    class Small(MNIST):
        mirrors = (server.url,)
        sha256 = digests

    return Small


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_is_missing_is_fetched_once(
    small: type[MNIST], server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = small(tmp_path / "a/b", download=True)
    assert data.targets.tolist() == list(range(6))
    files = ["mnist", *(f"mnist/{name}.gz" for name in NAMES)]
    assert everything(tmp_path / "a/b") == files
    assert len(small(tmp_path / "a/b", download=True)) == 6
    assert len(small(tmp_path / "a/b")) == 6
    assert server.asked == [f"/{name}.gz" for name in NAMES]
    (tmp_path / "a/b/mnist" / f"{NAMES[1]}.gz").unlink()
    assert len(small(tmp_path / "a/b", download=True)) == 6
    assert everything(tmp_path / "a/b") == files
    out, err = capfd.readouterr()
    assert out == ""
    assert f"{NAMES[0]}.gz" in err  # the progress
    assert "100%" in err


def test_the_next_mirror_helps(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    small.mirrors = (f"{server.url}nowhere", server.url)
    assert len(small(tmp_path, download=True)) == 6


@pytest.mark.parametrize(
    ("content", "cut", "said"),
    [
        (gzip.compress(bytes([0, 0, 8, 1])), 0, f"read_idx: {NAMES[0]}.gz, field 'sizes': the "
         "file ends after 0 of its 4 bytes"),
        (b"<!DOCTYPE html>", 0, f"read_idx: {NAMES[0]}.gz, field 'magic': it starts with 3c 21, "
         "not with 00 00"),
        (None, 0, "404 Client Error: Not Found for url: {url}"),
        ("other", 0, f"read_idx: {NAMES[0]}.gz is not the official file"),
        ("right", 9, "("),
    ],
)  # fmt: skip
def test_a_failed_download_leaves_nothing(
    small: type[MNIST],
    server: Server,
    tmp_path: Path,
    content: bytes | str | None,
    cut: int,
    said: str,
) -> None:
    place, server.cut = f"/{NAMES[0]}.gz", cut
    if content == "other":
        content = gzip.compress(gzip.decompress(server.files[place])[:-1] + b"?")
    if content is None:
        del server.files[place]
    elif isinstance(content, bytes):
        server.files[place] = content
    folder = tmp_path / "new/data"
    with pytest.raises(DataError) as caught:
        small(folder, download=True)
    url = f"{server.url}{place[1:]}"
    lines = str(caught.value).splitlines()
    assert lines[0] == f"download: {NAMES[0]}.gz could not be fetched"
    assert lines[1].startswith(f"  {url}: {said.format(url=url)}")
    assert lines[2] == (
        f"  fix: try again later, or put the file into {folder}/mnist by other means"
    )
    assert len(lines) == 3
    assert everything(tmp_path) == []


def test_what_was_there_is_kept(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist/mine").touch()
    server.files.clear()
    with pytest.raises(DataError):
        small(tmp_path, download=True)
    assert everything(tmp_path) == ["mnist", "mnist/mine"]


def test_no_server_and_no_place_to_write(tmp_path: Path) -> None:
    with Server() as gone:
        url = gone.url
    with pytest.raises(DataError, match=r"(?s)file could not be fetched.*refused"):
        fetch([url], tmp_path / "file", read_idx)
    (tmp_path / "taken").touch()
    with pytest.raises(DataError) as caught:
        fetch([url], tmp_path / "taken" / "file", read_idx)
    assert str(caught.value) == (
        f"download: file could not be fetched\n  {tmp_path}/taken: File exists\n"
        f"  fix: try again later, or put the file into {tmp_path}/taken by other means"
    )


@pytest.mark.parametrize("package", ["pooch", "rich.console"])
def test_without_the_extra_there_is_one_line_to_install_it(
    package: str, small: type[MNIST], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UnsupportedError) as caught:
        small(tmp_path / "new", download=True)
    assert str(caught.value) == (
        f"download: fetching {NAMES[0]}.gz needs the extra 'app' ({package} is not installed)\n"
        '  fix: pip install "pellucid[app]"'
    )
    assert everything(tmp_path) == []


def test_nothing_of_the_extra_is_imported_before_a_download() -> None:
    code = "import sys, pellucid.data; print([m for m in ('pooch', 'rich') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
