"""Files are opened without harm, written whole or not at all, and errors say what to do."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import fsspec
import pytest

from vscan import storage
from vscan.errors import OutputError, SourceError, UsageError


def test_open_source(tmp_path: Path) -> None:
    """A regular file comes open at its start, by path or through a link."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    (tmp_path / "link").symlink_to(path)
    for name in ("a", "link"):
        with storage.open_source(tmp_path / name) as file:
            assert b"abc" == file.read()


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """A FIFO would block and a device might act: both are refused unopened, as folders are."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "empty").touch()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tmp_path)  # socket names are short
        server.bind("socket")
    expected = {
        "fifo": "not_a_file",
        "folder": "not_a_file",
        "socket": "not_a_file",
        "/dev/zero": "not_a_file",
        "loop": "read_failed",
        "absent": "not_found",
        "empty": "empty_file",
    }
    actual = {}
    for name in expected:
        with pytest.raises(SourceError) as caught:
            storage.open_source(tmp_path / name)
        actual[name] = caught.value.code
    assert expected == actual


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path: Path) -> None:
    """A file that may not be read says so."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    path.chmod(0)
    with pytest.raises(SourceError) as caught:
        storage.open_source(path)
    assert "permission_denied" == caught.value.code


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clips/a.mp4", "clips/a.mp4"),
        ("file:///clips/a%20b.mp4", "/clips/a b.mp4"),
        ("file://localhost/a", "/a"),
        ("C:/a.mp4", "C:/a.mp4"),
        ("file:///%FF", "/\udcff"),
    ],
)
def test_local_paths(name: str, expected: str) -> None:
    """Plain names stay as they are, file:// URIs are decoded."""
    assert Path(expected) == storage.local_path(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("s3://bucket/a.mp4", r"of this machine is wanted"),
        ("gs://bucket/a.mp4", r"of this machine is wanted"),
        ("https://example.org/a.mp4", r"of this machine is wanted"),
        ("ftp://example.org/a.mp4", "unknown"),
        ("file://elsewhere/a.mp4", "this machine"),
        ("a\0b", "NUL"),
    ],
)
def test_other_schemes(name: str, says: str) -> None:
    """Where a local file is wanted, a URI is refused, whether or not its scheme is known."""
    with pytest.raises(UsageError, match=says):
        storage.local_path(name)


def test_a_file_named_like_a_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What exists under that name is what is meant."""
    monkeypatch.chdir(tmp_path)
    path = Path("s3:") / "bucket" / "a.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert Path("s3://bucket/a.mp4") == storage.local_path("s3://bucket/a.mp4")


def test_reading_below_a_folder(tmp_path: Path) -> None:
    """A file is read up to a byte beyond the limit; what is no file is not opened."""
    (tmp_path / "a").write_bytes(b"12345")
    os.mkfifo(tmp_path / "fifo")
    root = storage.location(str(tmp_path))
    assert (b"12345", b"123") == tuple(storage.read_under(root, "a", limit=n) for n in (5, 2))
    assert b"12345" == storage.read_under(root, "a", limit=None)
    with pytest.raises(FileNotFoundError):
        storage.read_under(root, "absent", limit=5)
    for name in ("fifo", "."):
        with pytest.raises(OSError, match="not a regular file"):
            storage.read_under(root, name, limit=5)


def test_reading_below_a_uri() -> None:
    """The same behind a URI."""
    fsspec.filesystem("memory").pipe("/reading/a", b"12345")
    root = storage.location("memory://reading/")
    assert "memory://reading" == root
    assert (b"12345", b"123") == tuple(storage.read_under(root, "a", limit=n) for n in (5, 2))
    assert b"12345" == storage.read_under(root, "a", limit=None)
    with pytest.raises(FileNotFoundError):
        storage.read_under(root, "absent", limit=5)
    fsspec.filesystem("memory").rm("/reading", recursive=True)


def test_a_file_that_is_longer_than_it_says(tmp_path: Path) -> None:
    """A file that grows, or whose size the system does not know, is read to its end or the
    limit."""
    unsized = Path("/proc/self/status")
    if not unsized.is_file():
        pytest.skip("no file without a size on this system")
    whole = storage.read_under(unsized.parent, unsized.name, limit=None)
    assert whole.startswith(b"Name:")
    assert len(whole) > 100
    assert whole[:11] == storage.read_under(unsized.parent, unsized.name, limit=10)


def test_read_bytes(tmp_path: Path) -> None:
    """Configuration is read whole, up to a limit."""
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert b"12345" == storage.read_bytes(path, limit=5)
    with pytest.raises(UsageError, match="larger"):
        storage.read_bytes(path, limit=4)
    with pytest.raises(UsageError, match="cannot be read"):
        storage.read_bytes(tmp_path / "absent", limit=4)


def test_atomic_write(tmp_path: Path) -> None:
    """The new bytes replace the old with the mode asked for, and nothing else stays behind."""
    path = tmp_path / "a"
    storage.atomic_write_bytes(path, b"old")
    storage.atomic_write_bytes(path, b"new", mode=0o600)
    assert b"new" == path.read_bytes()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(tmp_path.iterdir())
    storage.atomic_write_bytes(path, b"newer", sync=False)
    assert (b"newer", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


def test_an_output_behind_a_uri() -> None:
    """What gives access to it is not said."""
    told = storage.output_error("az://c/out?sv=1&sig=cAnArY/part", OSError("full"))
    assert "az://c/out: cannot be written: full" == told.message


def test_outputs_that_cannot_be_written(tmp_path: Path) -> None:
    """The error names the file and the cause; a failed write leaves nothing behind."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "absent" / "a", tmp_path / "folder", tmp_path / "file" / "a"):
        with pytest.raises(OutputError, match="cannot be written"):
            storage.atomic_write_bytes(path, b"x")
    with pytest.raises(OutputError, match="cannot be written"):
        storage.ensure_folder(tmp_path / "file" / "below")
    assert ["file", "folder"] == sorted(path.name for path in tmp_path.iterdir())
