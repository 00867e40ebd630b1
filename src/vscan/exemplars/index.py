"""The exemplar index as it is read: exemplars, their tracks, and what searches them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars.background import read_background
from vscan.exemplars.cells import Cells, decode_cells
from vscan.exemplars.content import content_sum, index_digest
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.manifest import Manifest, refuse_other_model
from vscan.exemplars.manifest_file import read_manifest
from vscan.exemplars.packing import PackedTracks, decode_packed
from vscan.exemplars.parts import (
    DAMAGED,
    PartGoneError,
    decode_exemplars,
    read_part,
    track_digest,
)
from vscan.exemplars.rows import SignalRows as SignalRows
from vscan.exemplars.rows import row_width, rows_of
from vscan.exemplars.vectors import SignalVectors
from vscan.hashes.keypoints import DESCRIPTOR_BYTES
from vscan.hashes.pdq import MIN_QUALITY
from vscan.storage import location
from vscan.tracks import Track


class ExemplarIndex:
    """A checked, read-only view of an exemplar index as it was when opened; see `open`.

    Searching from several threads at once is safe. What a writer does later is not seen.
    """

    def __init__(
        self,
        path: Path | str,
        manifest: Manifest,
        exemplars: Sequence[Exemplar],
        rows: Mapping[str, SignalRows],
        *,
        cells: Mapping[str, Cells] = MappingProxyType({}),
        background: NDArray[np.float16] | None = None,
        now: str | None = None,
    ) -> None:
        self.path = path
        """The folder, or the URI that it was opened by."""
        self.manifest = manifest
        self.exemplars: tuple[Exemplar, ...] = tuple(exemplars)
        self.active: NDArray[np.bool_] = np.array(
            [each.active(now or "") for each in exemplars], np.bool_
        )
        """(E,) which exemplars may match: enabled, not in quarantine, not expired when opened."""
        self.background = background
        """(B, D) unit vectors of frames that match nothing; None where it was not calibrated."""
        self._rows = dict(rows)
        self._cells = cells
        self._vectors: dict[str, SignalVectors] = {}
        self._building = threading.Lock()

    @classmethod
    def open(
        cls, path: Path | str, *, model_fingerprint: str | None = None, now: str | None = None
    ) -> ExemplarIndex:
        """The index in a folder or at a URI (`s3://…`, `https://…`), every byte of it checked.

        model_fingerprint: of the model whose embeddings will be searched; None where none will.
        now: UTC as `2026-11-02T09:30:00Z`, when exemplars that have expired match no more; None:
        none has. Raises ExemplarIndexError where there is no index, any byte of it was changed, or
        another model made it, and UsageError for a URI that cannot be read.
        """
        root = location(path)
        manifest = read_manifest(root)
        while True:
            try:
                exemplars = read_exemplars(root, manifest)
                rows = _read_rows(root, manifest, exemplars)
                cells = _read_others(root, manifest)
                background = read_background(root, manifest)
                break
            except PartGoneError as gone:
                manifest = newer_manifest(root, manifest, gone)
        index = cls(root, manifest, exemplars, rows, cells=cells, background=background, now=now)
        index.require_model(model_fingerprint)
        return index

    @property
    def name(self) -> str:
        """The name by which policy packs and verdicts know the index."""
        return self.manifest.name

    @property
    def signals(self) -> tuple[str, ...]:
        """Signals that its exemplars are measured by, in the order of manifest.SIGNALS."""
        return self.manifest.signals

    @property
    def digest(self) -> str:
        """`sha256:…` over all that decides what matches: the model, its operating point and
        background, hash versions, and every exemplar's id, policy, opinion, severity, whether it is
        enabled or in quarantine, when it expires, and its tracks.

        The same exemplars give the same digest in whatever order, by whomever and whenever they
        were added.
        """
        return self.manifest.digest

    def require_model(self, fingerprint: str | None) -> None:
        """Raises ExemplarIndexError where the index's embeddings are of another model.

        None, or an index without embeddings, is always right.
        """
        model = self.manifest.model
        if fingerprint is not None and model is not None:
            refuse_other_model(self.path, self.name, model, fingerprint)

    def exemplar(self, exemplar_id: str) -> Exemplar:
        """The exemplar of that id. Raises ExemplarIndexError where there is none."""
        for exemplar in self.exemplars:
            if exemplar.id == exemplar_id:
                return exemplar
        raise ExemplarIndexError(
            f"{self.path}: the index {self.name!r} has no exemplar {exemplar_id!r}",
            remedy=f"`vscan index list {self.path}` shows what it has",
        )

    def rows(self, signal: str) -> SignalRows:
        """Every sample of `signal`. Raises ExemplarIndexError where the index does not hold it."""
        if signal not in self._rows:
            raise ExemplarIndexError(
                f"{self.path}: the index {self.name!r} was created without {signal}: it holds"
                f" {', '.join(self.signals)}",
                remedy=f"create an index that holds {signal}, and add the exemplars to it",
            )
        return self._rows[signal]

    def vectors(self, signal: str) -> SignalVectors:
        """What searches the vectors of `rows(signal)` that may match anything: those of active
        exemplars, and not of blank pictures (MIN_QUALITY), which all look alike.

        Raises ExemplarIndexError as `rows` does.
        """
        rows = self.rows(signal)
        with self._building:
            if signal not in self._vectors:
                searched = self.manifest.search.get(signal)
                self._vectors[signal] = SignalVectors(
                    rows,
                    self.active[rows.exemplar] & (rows.quality >= MIN_QUALITY),
                    kind=None if searched is None else searched.type,
                    cells=self._cells.get(signal),
                    digests=[each.tracks[signal].sha256 for each in self.exemplars],
                )
            return self._vectors[signal]

    def __repr__(self) -> str:
        held = ", ".join(f"{len(rows)} {signal}" for signal, rows in self._rows.items())
        return f"ExemplarIndex({self.name!r}, {len(self.exemplars)} exemplars, {held})"


def read_exemplars(root: Path | str, manifest: Manifest) -> list[Exemplar]:
    """The exemplars of an index, in the order of its batches, without their tracks.

    Raises PartGoneError, or ExemplarIndexError where they are not those of the manifest.
    """
    exemplars: list[Exemplar] = []
    for batch in manifest.batches:
        where = f"{root}/{batch.exemplars.path}"
        found = decode_exemplars(read_part(root, batch.exemplars), where=where)
        if len(found) != batch.count or content_sum(found) != batch.content:
            raise ExemplarIndexError(
                f"{where}: not the exemplars of the manifest's digest", remedy=DAMAGED
            )
        exemplars += found
    for exemplar in exemplars:
        if set(exemplar.tracks) != set(manifest.signals):
            raise _other_tracks(root, exemplar)
    if len({exemplar.id for exemplar in exemplars}) != len(exemplars):
        raise ExemplarIndexError(f"{root}: two exemplars have the same id", remedy=DAMAGED)
    if index_digest(manifest) != manifest.digest:
        raise ExemplarIndexError(
            f"{root}: the manifest's digest is not that of its batches", remedy=DAMAGED
        )
    return exemplars


def newer_manifest(root: Path | str, manifest: Manifest, gone: PartGoneError) -> Manifest:
    """The manifest that a writer has put in the place of one whose part is `gone`.

    Raises ExemplarIndexError where it is the same one: the file is missing.
    """
    newer = read_manifest(root)
    if newer.generation == manifest.generation:
        raise ExemplarIndexError(
            f"{root}/{gone}: the file is missing",
            remedy=DAMAGED,
        ) from gone
    return newer


def _read_rows(
    root: Path | str, manifest: Manifest, exemplars: Sequence[Exemplar]
) -> dict[str, SignalRows]:
    """The rows of every signal.

    Their SHA-256 are those of the manifest, and each exemplar has as many as it says; that its
    own digests are right too, checking.py finds out.
    """
    packed: dict[str, list[PackedTracks]] = {signal: [] for signal in manifest.signals}
    start = 0
    for batch in manifest.batches:
        where = f"{root}/{batch.tracks.path}"
        ids, by_signal = decode_packed(read_part(root, batch.tracks), where=where)
        held = exemplars[start : start + batch.count]
        start += batch.count
        if ids != [each.id for each in held] or set(by_signal) != set(packed):
            raise ExemplarIndexError(f"{where}: tracks of other exemplars", remedy=DAMAGED)
        for signal, each in by_signal.items():
            for exemplar, count in zip(held, each.count.tolist(), strict=True):
                if exemplar.tracks[signal].rows != count:
                    raise _other_tracks(root, exemplar)
            packed[signal].append(each)
    return {signal: rows_of(signal, each, manifest) for signal, each in packed.items()}


def check_tracks(root: Path | str, exemplar: Exemplar, held: Mapping[str, Track]) -> None:
    """Raises ExemplarIndexError where the tracks are not those that the exemplar names."""
    found = {signal: (len(track), track_digest(track)) for signal, track in held.items()}
    if found != {signal: (each.rows, each.sha256) for signal, each in exemplar.tracks.items()}:
        raise _other_tracks(root, exemplar)


def _other_tracks(root: Path | str, exemplar: Exemplar) -> ExemplarIndexError:
    return ExemplarIndexError(
        f"{root}: the tracks of exemplar {exemplar.id} are not those it was added with",
        remedy=DAMAGED,
    )


def _read_others(root: Path | str, manifest: Manifest) -> dict[str, Cells]:
    """The saved cells that there are, by signal; every other part is read for its check alone."""
    for records in manifest.records:
        read_part(root, records.file)
    found = {signal: read_cells(root, manifest, signal) for signal in manifest.signals}
    return {signal: cells for signal, cells in found.items() if cells is not None}


def read_cells(root: Path | str, manifest: Manifest, signal: str) -> Cells | None:
    """The saved cells of the signal; None where there are none, or the file is missing.

    Raises ExemplarIndexError where the file is not the manifest's, or holds no cells.
    """
    searched = manifest.search.get(signal)
    if searched is None or searched.cells is None:
        return None
    dim = DESCRIPTOR_BYTES if signal == "keypoints" else row_width(signal, manifest)
    try:
        data = read_part(root, searched.cells)
    except PartGoneError:
        return None
    return decode_cells(data, signal=signal, dim=dim, where=f"{root}/{searched.cells.path}")
