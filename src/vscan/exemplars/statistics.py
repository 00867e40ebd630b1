"""What an exemplar index holds, in figures: from its manifest and exemplars, without its tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vscan.errors import ExemplarIndexError
from vscan.exemplars.exemplar import Exemplar, StoredTrack
from vscan.exemplars.index import read_cells, read_exemplars
from vscan.exemplars.manifest import Manifest
from vscan.exemplars.manifest_file import read_manifest
from vscan.exemplars.parts import PartGoneError
from vscan.exemplars.upkeep import stale_shares
from vscan.storage import location


@dataclass(frozen=True, kw_only=True)
class SignalStats:
    """One signal of an index."""

    rows: int
    """One for each sample, or for each sample and region."""
    vectors: int
    """What is searched: rows, or used features."""
    bytes: int
    """Of the arrays in the tracks' files."""
    type: str | None
    """What searches it; None while the index is empty."""
    missing_share: float | None = None
    """Share of the vectors that the saved cells do not know; None where there are none."""
    gone_share: float | None = None
    """Share of the vectors in the saved cells that the index no longer holds."""


@dataclass(frozen=True, kw_only=True)
class IndexStats:
    """An index in figures."""

    manifest: Manifest
    exemplars: int
    by_policy: Mapping[tuple[str, str], int]
    """Exemplars by policy and opinion."""
    disabled: int
    quarantined: int
    expired: int
    """At the time that was asked for."""
    records: int
    """Of partners' lists."""
    signals: Mapping[str, SignalStats]
    bytes: int
    """Of all files that the manifest names."""


def stats(path: Path | str, *, now: str | None = None) -> IndexStats:
    """The figures of the index in a folder or at a URI.

    now: UTC as `2026-11-02T09:30:00Z`, at which exemplars count as expired; None: none has.
    Raises ExemplarIndexError where there is no index or it is damaged, UsageError for a URI that
    cannot be read.
    """
    root = location(path)
    manifest = read_manifest(root)
    try:
        exemplars = read_exemplars(root, manifest)
    except PartGoneError as gone:
        raise ExemplarIndexError(
            f"{root}/{gone}: the file is missing",
            remedy="if somebody is writing to the index, ask again; else restore it from a copy",
        ) from gone
    return IndexStats(
        manifest=manifest,
        exemplars=len(exemplars),
        by_policy=Counter((each.policy, each.opinion) for each in exemplars),
        disabled=sum(not each.enabled for each in exemplars),
        quarantined=sum(each.quarantined is not None for each in exemplars),
        expired=sum(each.expired(now) for each in exemplars) if now is not None else 0,
        records=sum(part.count for part in manifest.records),
        signals={signal: _signal(root, manifest, exemplars, signal) for signal in manifest.signals},
        bytes=sum(part.bytes for part in manifest.parts),
    )


def _signal(
    root: Path | str, manifest: Manifest, exemplars: list[Exemplar], signal: str
) -> SignalStats:
    tracks = [each.tracks[signal] for each in exemplars]
    searched = manifest.search.get(signal)
    missing, gone = None, None
    if searched is not None and searched.cells is not None:
        cells = read_cells(root, manifest, signal)
        if cells is not None:
            missing, gone = stale_shares(cells, {each.sha256: each.vectors for each in tracks})
    return SignalStats(
        rows=sum(each.rows for each in tracks),
        vectors=sum(each.vectors for each in tracks),
        bytes=sum(_bytes(signal, each) for each in tracks),
        type=None if searched is None else searched.type,
        missing_share=missing,
        gone_share=gone,
    )


def _bytes(signal: str, track: StoredTrack) -> int:
    """Values, a time and a quality a row; regions, of a byte, are not counted."""
    return track.rows * (track.width * (2 if signal == "embedding" else 1) + 9)
