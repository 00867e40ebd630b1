"""Digests of files and of plain data."""

from __future__ import annotations

import hashlib
import os
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


def test_a_file_that_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file written to while it is read has no digest."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    fstat = os.fstat

    def fstat_and_append(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        with path.open("ab") as more:
            more.write(b"y")
        return status

    monkeypatch.setattr(os, "fstat", fstat_and_append)
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
