"""What earlier runs know of a source: by the output that is resumed, and by the frame store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vscan.sources import Found, RemoteSource
from vscan.verdicts import Provenance, verdict_id

if TYPE_CHECKING:
    from vscan.digests import Digests
    from vscan.exemplars.index import ExemplarIndex
    from vscan.keeping import Keeper
    from vscan.measuring import Measured


@dataclass(frozen=True, eq=False)
class Earlier:
    """What is done of a run, and what need not be done again. URIs are as records have them."""

    provenance: Provenance
    is_known: Callable[[str], bool] = lambda _: False
    """Whether the output has a final line of that verdict id."""
    content_of: Callable[[str, str], str | None] = lambda _uri, _version: None
    """SHA-256 of an object when it had that version, as a final line of the output says; None where
    none does."""
    keeper: Keeper | None = None
    """The frame store: what is there is not decoded again, and what is measured is kept there, also
    of a source that is judged."""

    def is_judged(self, uri: str, digests: Digests) -> bool:
        """Whether the output has a final line of this source with this content."""
        return self.is_known(verdict_id(uri, digests.sha256, self.provenance))

    def is_done(self, uri: str, sha256: str) -> bool:
        """Whether there is nothing left to do of it: neither to judge nor to keep."""
        judged = self.is_known(verdict_id(uri, sha256, self.provenance))
        return judged and (self.keeper is None or self.keeper.holds(uri, sha256))

    def is_done_unread(self, found: Found, uri: str) -> bool:
        """Whether an object need not be fetched: of this version there is nothing left to do."""
        version = version_of(found)
        sha256 = None if version is None else self.content_of(uri, version)
        return sha256 is not None and self.is_done(uri, sha256)

    def measured_unread(
        self, found: Found, uri: str, indexes: Sequence[ExemplarIndex]
    ) -> Measured | None:
        """What the store holds of an object of this version; None where it must be fetched."""
        version = version_of(found)
        if version is None or self.keeper is None:
            return None
        digests = self.keeper.content_of(uri, version)
        return None if digests is None else self.keeper.recall(digests, indexes)

    def keep(
        self, uri: str, meta: Mapping[str, object], measured: Measured, version: str | None
    ) -> None:
        """Note in the frame store, where there is one, what is known of a source that was measured.

        Raises OutputError.
        """
        if self.keeper is not None:
            self.keeper.record(uri, meta, measured, version=version)


def version_of(found: Found) -> str | None:
    """What pins the content of an object; None of a local file."""
    return found.found.version if isinstance(found, RemoteSource) else None
