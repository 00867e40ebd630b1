"""Indexes behind a URI: read as local ones are, refused as they are, and never written to."""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.exemplars.synthetic import OTHER_FINGERPRINT, exemplar, make_index, tracks
from vscan.errors import ExemplarIndexError, UsageError
from vscan.exemplars.checking import verify
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.merging import merge
from vscan.exemplars.statistics import stats
from vscan.exemplars.writer import IndexWriter


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the tests' output is theirs."""

    def do_GET(self) -> None:
        """A file, or that it may not be read."""
        if "denied" in self.path:
            self.send_error(403)
        else:
            super().do_GET()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A URI of a server on this machine, and the folder that it serves."""
    if importlib.util.find_spec("aiohttp") is None:
        pytest.skip("aiohttp, of vscan[http], is not installed")
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[str]:
    """A URI of fsspec's own memory, with the index that `make_index` makes."""
    make_index(tmp_path / "local", "abc")
    system = fsspec.filesystem("memory")
    for file in (tmp_path / "local").rglob("*"):
        if file.is_file():
            system.pipe(f"/bucket/known/{file.relative_to(tmp_path / 'local')}", file.read_bytes())
    yield "memory://bucket/known"
    system.rm("/bucket", recursive=True)


def test_an_index_in_memory(tmp_path: Path, memory: str) -> None:
    """Every byte is the same as in the local one, and it is searched the same."""
    local, remote = ExemplarIndex.open(tmp_path / "local"), ExemplarIndex.open(memory + "/")
    assert (local.manifest, local.exemplars) == (remote.manifest, remote.exemplars)
    queries = tracks(1)["pdq"].values[:, :32]
    assert list(range(40, 80)) == remote.vectors("pdq").range_search(queries, 31).row.tolist()
    assert ([], 3) == (verify(memory), stats(memory).exemplars)
    with pytest.raises(ExemplarIndexError, match="cannot be compared"):
        ExemplarIndex.open(memory, model_fingerprint=OTHER_FINGERPRINT)


def test_damage_behind_a_uri(memory: str) -> None:
    """A changed byte is found, a missing file is named, and a folder without index is told."""
    system = fsspec.filesystem("memory")
    part = ExemplarIndex.open(memory).manifest.batches[0].tracks.path
    data = bytearray(system.cat_file(f"/bucket/known/{part}"))
    data[-1] ^= 1
    system.pipe(f"/bucket/known/{part}", bytes(data))
    with pytest.raises(ExemplarIndexError, match="SHA-256"):
        ExemplarIndex.open(memory)
    system.rm(f"/bucket/known/{part}")
    with pytest.raises(ExemplarIndexError, match=part):
        ExemplarIndex.open(memory)
    with pytest.raises(ExemplarIndexError, match="no exemplar index"):
        ExemplarIndex.open("memory://bucket/elsewhere")


def test_writing_stays_local(memory: str) -> None:
    """A URI cannot be written to; a file:// URI is a local folder."""
    with pytest.raises(ExemplarIndexError, match="local folder"):
        IndexWriter(memory)


def test_a_file_uri_is_a_local_folder(tmp_path: Path) -> None:
    """It is opened and written to as the path is."""
    make_index(tmp_path / "known", "a")
    uri = (tmp_path / "known").as_uri()
    with IndexWriter(uri) as writer:
        writer.add(exemplar("b"), tracks(1))
    assert (tmp_path / "known", 2) == (
        ExemplarIndex.open(uri).path, len(ExemplarIndex.open(str(tmp_path / "known")).exemplars),
    )  # fmt: skip


def test_a_remote_index_is_merged(tmp_path: Path, memory: str) -> None:
    """What lies behind a URI can be taken over."""
    make_index(tmp_path / "ours", "a")
    assert 2 == len(merge(tmp_path / "ours", memory).added)


def test_an_index_over_http(served: tuple[str, Path]) -> None:
    """A web server will do; what it does not have or not give is told as such."""
    uri, folder = served
    local = make_index(folder / "known", "ab")
    assert local.manifest == ExemplarIndex.open(f"{uri}/known").manifest
    with pytest.raises(ExemplarIndexError, match="no exemplar index"):
        ExemplarIndex.open(f"{uri}/elsewhere")
    with pytest.raises(ExemplarIndexError, match="access is denied"):
        ExemplarIndex.open(f"{uri}/denied")


def test_nobody_answers() -> None:
    """A server that is not there is an error with the URI, never a traceback."""
    pytest.importorskip("aiohttp")
    with pytest.raises(ExemplarIndexError, match=r"127\.0\.0\.1:9.*cannot be read"):
        ExemplarIndex.open("http://127.0.0.1:9/known")


@pytest.mark.parametrize(
    ("uri", "says"),
    [("ftp://example.org/known", "unknown"), ("github://a:b@c/known", "unknown")],
)
def test_schemes_that_are_not_read(uri: str, says: str) -> None:
    """Only named schemes are read, however many fsspec knows."""
    with pytest.raises(UsageError, match=says):
        ExemplarIndex.open(uri)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library for a scheme is not installed, the error says how it is."""

    def absent(scheme: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "get_filesystem_class", absent)
    with pytest.raises(UsageError, match=r"vscan\[s3\]"):
        ExemplarIndex.open("s3://bucket/known")
