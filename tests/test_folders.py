"""Folders are written, listed and cleared alike on this machine and behind a URI."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from vscan import folders
from vscan.errors import OutputError, UsageError
from vscan.folders import Entry, exists_under, list_under, remove_under, write_under
from vscan.storage import location, read_under


@pytest.fixture(name="root", params=["local", "memory"])
def make_root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """A folder that is not there yet, and a URI."""
    if request.param == "local":
        yield location(str(tmp_path / "root"))
        return
    yield location(f"memory://{tmp_path.name}/root/")
    system = fsspec.filesystem("memory")
    if system.exists(f"/{tmp_path.name}"):
        system.rm(f"/{tmp_path.name}", recursive=True)


def test_files_come_and_go(root: Path | str) -> None:
    """What was written is there, is listed by name with its size, is replaced and removed."""
    assert [] == list_under(root)
    assert not exists_under(root, "a/c")
    for name, data in (("a/c", b"123"), ("a/b/d", b""), ("z", b"1"), ("a/c", b"12345")):
        write_under(root, name, data)
        assert data == read_under(root, name, limit=None)
    assert exists_under(root, "a/c")
    assert not exists_under(root, "a")
    assert not exists_under(root, "z/none")
    assert [("a", True, 0), ("z", False, 1)] == [
        (each.name, each.is_folder, each.bytes) for each in list_under(root)
    ]
    (below, file) = list_under(root, "a")
    assert ("b", True) == (below.name, below.is_folder)
    assert ("c", False, 5) == (file.name, file.is_folder, file.bytes)
    assert file.modified_s is not None
    assert abs(time.time() - file.modified_s) < 3600
    remove_under(root, "a/c")
    remove_under(root, "a/c")
    assert ["b"] == [each.name for each in list_under(root, "a")]


def test_modes(tmp_path: Path) -> None:
    """Files and the folders above them are for this user alone; a folder that is there stays."""
    (tmp_path / "open").mkdir(mode=0o755)
    write_under(tmp_path / "open", "a/b/c", b"x")
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert {"open": 0o755, "a": 0o700, "b": 0o700, "c": 0o600} == found


def test_what_is_neither_file_nor_folder(tmp_path: Path) -> None:
    """A FIFO and a link that leads nowhere are left out; links to files and folders are not."""
    (tmp_path / "file").write_bytes(b"12")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to-file").symlink_to("file")
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "nowhere").symlink_to("none")
    os.mkfifo(tmp_path / "fifo")
    found = {each.name: each.is_folder for each in list_under(tmp_path)}
    assert {"file": False, "folder": True, "to-file": False, "to-folder": True} == found


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    """A file where a folder should be: writing and removing are OutputErrors, listing OSError."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_under(tmp_path, "file/below", b"x")
    with pytest.raises(OutputError, match="cannot be written"):
        remove_under(tmp_path, ".")
    with pytest.raises(NotADirectoryError):
        list_under(tmp_path, "file")
    assert not exists_under(tmp_path, "file/below")


def test_a_service_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service refuses is an OutputError with its URI, and is not taken for absence."""

    class Failing:
        def _strip_protocol(self, uri: str) -> str:
            return uri

        def invalidate_cache(self) -> None:
            return

        def _fail(self, *_arguments: object, **_options: object) -> None:
            raise RuntimeError("503\nslow down")

        pipe_file = rm_file = info = ls = _fail

    monkeypatch.setattr(folders, "file_system", lambda uri: Failing())
    with pytest.raises(OutputError, match="s3://bucket/a: cannot be written: 503 slow down"):
        write_under("s3://bucket", "a", b"x")
    with pytest.raises(OutputError, match="503"):
        remove_under("s3://bucket", "a")
    with pytest.raises(OSError, match="503"):
        exists_under("s3://bucket", "a")
    with pytest.raises(OSError, match="503"):
        list_under("s3://bucket")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"LastModified": "2026-11-02T09:30:00Z"}, 1_793_611_800.0),
        ({"updated": "2026-11-02T09:30:00.500+00:00"}, 1_793_611_800.5),
        ({"mtime": 5}, 5.0),
        ({"created": "long ago"}, None),
        ({}, None),
    ],
)
def test_services_tell_the_time_in_many_ways(
    told: dict[str, object], expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the last change, as s3fs, gcsfs and others name and write it; None unknown."""

    class Telling:
        def _strip_protocol(self, uri: str) -> str:
            return uri.removeprefix("s3://")

        def invalidate_cache(self) -> None:
            return

        def ls(self, path: str, *, detail: bool) -> list[dict[str, object]]:
            folder = {"name": f"{path}/", "type": "file", "size": 0}
            return [folder, {"name": f"{path}/a", "type": "file", "size": 3, **told}]

    monkeypatch.setattr(folders, "file_system", lambda uri: Telling())
    assert [Entry("a", False, 3, expected)] == list_under("s3://bucket/folder")


def test_an_unknown_scheme() -> None:
    """A URI that vscan cannot write is told before anything is tried."""
    with pytest.raises(UsageError, match="unknown"):
        write_under("ftp://example.org", "a", b"x")
