"""A file that takes another one's place: whole or not at all, with its mode, through links."""

from __future__ import annotations

from pathlib import Path

import pytest

from vscan.errors import OutputError
from vscan.store.replaced import beside, replacing


def test_it_takes_the_place_at_the_end(tmp_path: Path) -> None:
    """Until the block ends the old bytes stand there; then the new ones, under the old mode."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with replacing(path) as out:
        out.write(b"new")
        assert b"old" == path.read_bytes()
    out.close()
    assert (b"new", 0o600) == (path.read_bytes(), path.stat().st_mode & 0o777)
    assert ["a"] == [entry.name for entry in tmp_path.iterdir()]


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    """An exception within the block leaves the old file and nothing beside it."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(KeyError), replacing(path) as out:
        out.write(b"new")
        raise KeyError
    assert (b"old", ["a"]) == (path.read_bytes(), [entry.name for entry in tmp_path.iterdir()])


def test_what_a_killed_run_left_is_used(tmp_path: Path) -> None:
    """A longer half-made file of a run that was killed adds nothing to the new one."""
    path = tmp_path / "a"
    beside(path).write_bytes(b"half made and long")
    with replacing(path) as out:
        out.write(b"new")
    out.close()
    assert b"new" == path.read_bytes()


def test_one_at_a_time(tmp_path: Path) -> None:
    """Two never write the same new file: the second is told, and the first is not disturbed."""
    path = tmp_path / "a"
    with replacing(path) as out:
        out.write(b"first")
        with pytest.raises(OutputError, match="another run"), replacing(path):
            pass
    out.close()
    assert b"first" == path.read_bytes()


def test_a_link_laid_by_somebody_is_not_written_through(tmp_path: Path) -> None:
    """A link where the new file is made, as others may lay in a shared folder, is refused."""
    path, precious = tmp_path / "a", tmp_path / "precious"
    precious.write_bytes(b"mine")
    beside(path).symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"), replacing(path):
        pass
    assert b"mine" == precious.read_bytes()
