"""Copies of objects that a reviewer has looked at: fetched once, bounded, gone at the end."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest

from vscan.errors import FetchCancelled, SourceError
from vscan.review.fetched_copies import FetchedCopies


@pytest.fixture
def store() -> Iterator[fsspec.AbstractFileSystem]:
    """A bucket in the memory of this process."""
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()


def test_copies(store: fsspec.AbstractFileSystem) -> None:
    """An object is fetched once; the oldest goes when there is no more room, and is told; one that
    is larger than the room is refused, and after the end there is nothing."""
    for name, size in (("a", 40), ("b", 40), ("c", 40), ("large", 101)):
        store.pipe_file(f"/copies/{name}.mp4", bytes(size))
    copies = FetchedCopies(most_bytes=200)
    first = copies.of("memory://copies/a.mp4")
    store.rm_file("/copies/a.mp4")
    assert first == copies.of("memory://copies/a.mp4")
    assert (40, ".mp4") == (first.stat().st_size, first.suffix)
    copies.of("memory://copies/b.mp4")
    assert frozenset() == copies.dropped()
    third = copies.of("memory://copies/c.mp4")
    assert frozenset({"memory://copies/a.mp4"}) == copies.dropped()
    assert (False, True) == (first.exists(), third.exists())
    with pytest.raises(SourceError) as refused:
        copies.of("memory://copies/large.mp4")
    assert "too_large" == refused.value.code
    copies.close()
    assert not third.parent.exists()
    with pytest.raises(FetchCancelled):
        copies.of("memory://copies/c.mp4/other")
