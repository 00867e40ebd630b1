"""Copies of objects behind URIs that a reviewer has looked at: kept for a while, bounded."""

from __future__ import annotations

import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path

from vscan.remote.fetching import Fetching
from vscan.scratch import plain_suffix

MOST_BYTES = 16 << 30
SHARE_OF_FREE = 0.5
"""Of the disk that is free when the first copy is made: no more than this either. Copies that stay
have half of it, and the one that is fetched the other half."""


class FetchedCopies:
    """Fetches each object once, and drops those that were fetched first when there is no more room.

    For one thread at a time; `close` may come from another.
    """

    def __init__(self, *, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._fetching = Fetching()
        self._folder: Path | None = None
        self._held: OrderedDict[str, tuple[Path, int]] = OrderedDict()
        self._dropped: set[str] = set()
        self._number = 0

    def of(self, uri: str) -> Path:
        """The copy, fetched where there is none. Raises SourceError, and FetchCancelled once the
        copies are closed."""
        if uri in self._held:
            return self._held[uri][0]
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="vscan-review-"))
            free = shutil.disk_usage(self._folder).free
            bound = self._most_bytes or min(MOST_BYTES, int(free * SHARE_OF_FREE))
            self._most_bytes = bound // 2
        self._number += 1
        path = self._folder / f"{self._number}{plain_suffix(uri)}"
        told = self._fetching.fetch(uri, path, most_bytes=self._most_bytes)
        self._held[uri] = (path, told.bytes or 0)
        self._make_room()
        return path

    def _make_room(self) -> None:
        while sum(size for _, size in self._held.values()) > (self._most_bytes or 0):
            uri, (path, _) = self._held.popitem(last=False)
            path.unlink(missing_ok=True)
            self._dropped.add(uri)

    def dropped(self) -> frozenset[str]:
        """URIs whose copies went since this was asked for last."""
        gone, self._dropped = frozenset(self._dropped), set()
        return gone

    def close(self) -> None:
        """Ends a fetch under way and removes the copies."""
        self._fetching.cancel()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
