"""Digests of files and of plain data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vscan import digests
from vscan.errors import SourceError


@pytest.mark.parametrize("size", [1, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_file_digests(size: int, tmp_path: Path) -> None:
    """Both digests and the size, at and around the chunk size."""
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    path = tmp_path / "a"
    path.write_bytes(data)
    expected = digests.Digests(
        hashlib.sha256(data).hexdigest(),
        hashlib.md5(data, usedforsecurity=False).hexdigest(),
        size,
    )
    assert expected == digests.file_digests(path)


def _grow(path: Path) -> None:
    with path.open("ab") as more:
        more.write(b"y")


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"y")


def _grow_as_of_before(path: Path) -> None:
    status = path.stat()
    _grow(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _shrink_and_grow_back(path: Path) -> None:
    """The first time it loses its end, the second time it has one again."""
    status = path.stat()
    os.truncate(path, 50 if status.st_size == 100 else 100)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("happens", [_grow, _overwrite, _grow_as_of_before, _shrink_and_grow_back])
def test_a_file_that_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Path], None]
) -> None:
    """A file that is written to while it is read has no digest: not where its size stays, nor where
    its time does, nor where both are in the end what they were."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    os.utime(path, (1, 1))
    fstat = os.fstat
    looked = 0

    def fstat_amid_changes(descriptor: int) -> os.stat_result:
        # `open_source` looks first, at a file that nobody has begun to read.
        nonlocal looked
        looked += 1
        if looked == 3 and happens is _shrink_and_grow_back:
            happens(path)
        status = fstat(descriptor)
        if looked == 2:
            happens(path)
        return status

    monkeypatch.setattr(os, "fstat", fstat_amid_changes)
    with pytest.raises(SourceError) as caught:
        digests.file_digests(path)
    assert "changed_while_read" == caught.value.code


def test_digest_of_data() -> None:
    """The order of keys does not matter, every value does."""
    digest = digests.digest_of({"a": 1, "b": [1.5, "ü"]})
    assert digest.startswith("sha256:")
    assert len("sha256:") + 64 == len(digest)
    assert digest == digests.digest_of({"b": [1.5, "ü"], "a": 1})
    assert digest != digests.digest_of({"b": [1.5, "u"], "a": 1})
    with pytest.raises(TypeError):
        digests.digest_of({"a": object()})
