"""Checking an exemplar index from end to end: every part read, every digest made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vscan.errors import ExemplarIndexError
from vscan.exemplars import structures
from vscan.exemplars.background import read_background
from vscan.exemplars.carried import read_carried
from vscan.exemplars.cells import Cells, misplaced
from vscan.exemplars.content import content_sum, index_digest
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import check_tracks, read_cells
from vscan.exemplars.manifest import MANIFEST_NAME, Batch, Manifest
from vscan.exemplars.manifest_file import read_manifest
from vscan.exemplars.packing import decode_tracks, pack
from vscan.exemplars.parts import PartGoneError, decode_exemplars, read_part
from vscan.exemplars.row_vectors import used_vectors, vectors_in
from vscan.exemplars.rows import rows_of
from vscan.storage import location
from vscan.tracks import Track


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    part: str
    """File below the index's folder."""
    problem: str


def verify(path: Path | str) -> list[Finding]:
    """Everything that is wrong with the index in a folder or at a URI; nothing if all is right.

    Reads every part and checks its SHA-256, what it says, the tracks' digests, the index's own,
    and that the saved cells are those that the tracks lie in. One damaged part does not end the
    search for others; a damaged manifest does, since it names them. A batch is in memory at a time.
    Raises UsageError for a URI that cannot be read.
    """
    root = location(path)
    try:
        manifest = read_manifest(root)
    except ExemplarIndexError as error:
        return [Finding(MANIFEST_NAME, error.message)]
    findings: list[Finding] = []
    cells = _cells(root, manifest, findings)
    exemplars: list[Exemplar] = []
    for batch in manifest.batches:
        held = _exemplars(root, batch, findings)
        exemplars += held
        _check_batch(root, manifest, batch, held, cells, findings)
    _records(root, manifest, findings)
    _background(root, manifest, findings)
    if not findings:
        findings += _whole(manifest, exemplars)
    return findings


def _exemplars(root: Path | str, batch: Batch, findings: list[Finding]) -> list[Exemplar]:
    part = batch.exemplars
    try:
        found = decode_exemplars(read_part(root, part), where=part.path)
    except (ExemplarIndexError, PartGoneError) as error:
        findings.append(_finding(part.path, error))
        return []
    if len(found) != batch.count or content_sum(found) != batch.content:
        findings.append(Finding(part.path, "not the exemplars of the manifest's digest"))
    return found


def _check_batch(
    root: Path | str,
    manifest: Manifest,
    batch: Batch,
    exemplars: Sequence[Exemplar],
    cells: Mapping[str, Cells],
    findings: list[Finding],
) -> None:
    part = batch.tracks
    try:
        tracks = decode_tracks(read_part(root, part), where=part.path)
    except (ExemplarIndexError, PartGoneError) as error:
        findings.append(_finding(part.path, error))
        return
    for exemplar in exemplars:
        held = tracks.get(exemplar.id, {})
        try:
            check_tracks(root, exemplar, held)
            for signal in manifest.signals:
                rows_of(signal, [pack(signal, [held[signal]])], manifest)
        except ExemplarIndexError as error:
            findings.append(_finding(part.path, error))
            continue
        except KeyError as error:
            findings.append(Finding(part.path, f"{exemplar.id} has no {error.args[0]}"))
            continue
        findings += _miscounted(part.path, exemplar, held)
        findings += _misplaced(part.path, exemplar, held, cells)


def _miscounted(part: str, exemplar: Exemplar, held: Mapping[str, Track]) -> list[Finding]:
    return [
        Finding(part, f"{exemplar.id} has {count} vectors of {signal}, not {stored.vectors}")
        for signal, stored in exemplar.tracks.items()
        if (count := used_vectors(signal, held[signal].values)) != stored.vectors
    ]


def _misplaced(
    part: str, exemplar: Exemplar, held: Mapping[str, Track], cells: Mapping[str, Cells]
) -> list[Finding]:
    """The signals of which the saved cell of a vector is not that of the nearest centroid."""
    findings = []
    for signal, of_signal in cells.items():
        saved = of_signal.by_track.get(exemplar.tracks[signal].sha256)
        vectors = vectors_in(signal, held[signal].values)
        if saved is None or not len(vectors):
            continue
        if len(saved) != len(vectors) or misplaced(vectors, saved, of_signal.centroids):
            what = f"the saved cells of {exemplar.id} are not those of its {signal}"
            findings.append(Finding(part, what))
    return findings


def _cells(root: Path | str, manifest: Manifest, findings: list[Finding]) -> dict[str, Cells]:
    """The saved cells that can be read, by signal."""
    found = {}
    for signal, searched in manifest.search.items():
        if searched.cells is None:
            continue
        try:
            cells = read_cells(root, manifest, signal)
        except ExemplarIndexError as error:
            findings.append(_finding(searched.cells.path, error))
            continue
        if cells is None:
            missing = "the file is missing; it can be made again"
            findings.append(Finding(searched.cells.path, missing))
        else:
            found[signal] = cells
    return found


def _records(root: Path | str, manifest: Manifest, findings: list[Finding]) -> None:
    try:
        found = len(read_carried(root, manifest))
    except (ExemplarIndexError, PartGoneError) as error:
        findings.append(_finding("records", error))
        return
    expected = sum(part.count for part in manifest.records)
    if found != expected:
        findings.append(Finding("records", f"{found} records, not {expected}"))


def _background(root: Path | str, manifest: Manifest, findings: list[Finding]) -> None:
    try:
        read_background(root, manifest)
    except (ExemplarIndexError, PartGoneError) as error:
        path = "background" if manifest.background is None else manifest.background.path
        findings.append(_finding(path, error))


def _whole(manifest: Manifest, exemplars: Sequence[Exemplar]) -> list[Finding]:
    """What only all exemplars together can show."""
    findings = []
    if len({each.id for each in exemplars}) != len(exemplars):
        findings.append(Finding(MANIFEST_NAME, "two exemplars have the same id"))
    if index_digest(manifest) != manifest.digest:
        findings.append(Finding(MANIFEST_NAME, "its digest is not that of its batches"))
    for signal, searched in manifest.search.items():
        count = sum(each.tracks[signal].vectors for each in exemplars)
        if count != searched.vectors or searched.type not in structures.TYPES[signal]:
            findings.append(
                Finding(MANIFEST_NAME, f"{count} vectors of {signal}, not {searched.vectors}")
            )
    return findings


def _finding(part: str, error: Exception) -> Finding:
    if isinstance(error, PartGoneError):
        return Finding(str(error), "the file is missing")
    return Finding(part, error.message if isinstance(error, ExemplarIndexError) else str(error))
