"""The exemplar index as it is read: exemplars, their tracks, and what searches them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars import faiss_files
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.manifest import (
    MANIFEST_NAME,
    MAX_MANIFEST_BYTES,
    Manifest,
    decode_manifest,
    refuse_other_model,
)
from vscan.exemplars.parts import (
    PartGoneError,
    decode_exemplars,
    decode_tracks,
    read_part,
    track_digest,
)
from vscan.hashes.pdq import HASH_BITS
from vscan.tracks import Track


@dataclass(frozen=True, eq=False)
class SignalRows:
    """Every sample of one signal of all exemplars, in the order of FAISS's ids."""

    signal: str
    exemplar: NDArray[np.int32]
    """(R,) position in ExemplarIndex.exemplars."""
    times_s: NDArray[np.float64]
    """(R,) presentation time in the exemplar, seconds."""
    quality: NDArray[np.uint8]
    """(R,) PDQ quality 0..100 of the picture."""
    values: NDArray[np.float16] | NDArray[np.uint8]
    """(R, D) as stored: float16 unit vectors, or 32 bytes of PDQ."""

    def __len__(self) -> int:
        return len(self.times_s)


class ExemplarIndex:
    """A checked, read-only view of an exemplar index as it was when opened; see `open`.

    Searching from several threads at once is safe. What a writer does later is not seen.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        exemplars: Sequence[Exemplar],
        tracks: Mapping[str, Mapping[str, Track]],
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.exemplars: tuple[Exemplar, ...] = tuple(exemplars)
        self._rows = {
            signal: _rows_of(signal, exemplars, tracks, manifest) for signal in manifest.signals
        }
        self._faiss: dict[str, faiss_files.FaissIndex] = {}
        self._building = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, model_fingerprint: str | None = None) -> ExemplarIndex:
        """The index in the folder `path`, every byte of it checked.

        model_fingerprint: of the model whose embeddings will be searched; None where none will.
        Raises ExemplarIndexError where there is no index, any byte of it was changed, or another
        model made it.
        """
        manifest = read_manifest(path)
        while True:
            try:
                index = _load(path, manifest)
                break
            except PartGoneError as gone:
                newer = read_manifest(path)
                if newer.generation == manifest.generation:
                    raise ExemplarIndexError(
                        f"{path / str(gone)}: the file is missing",
                        remedy="restore the folder from a copy, or create the index again from"
                        " its sources",
                    ) from gone
                manifest = newer
        index.require_model(model_fingerprint)
        return index

    @property
    def name(self) -> str:
        """The name by which policy packs and verdicts know the index."""
        return self.manifest.name

    @property
    def signals(self) -> tuple[str, ...]:
        """Signals that its exemplars are measured by: `pdq`, and `embedding` where a model is."""
        return self.manifest.signals

    @property
    def digest(self) -> str:
        """`sha256:…` over all that decides what matches: the model, hash versions, and every
        exemplar's id, policy, opinion, severity, whether it is enabled, and its tracks.

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
                f"{self.path}: the index {self.name!r} holds no {signal}: it was created without"
                " a model",
                remedy="create an index with --model, and add the exemplars to it",
            )
        return self._rows[signal]

    def faiss_index(self, signal: str) -> faiss_files.FaissIndex:
        """The FAISS index over `rows(signal)`: read from its file, or built where that is stale."""
        with self._building:
            if signal not in self._faiss:
                self._faiss[signal] = self._read_faiss(signal)
            return self._faiss[signal]

    def _read_faiss(self, signal: str) -> faiss_files.FaissIndex:
        rows = self.rows(signal)
        saved = self.manifest.faiss.get(signal)
        if saved is not None and saved.built_from == self.manifest.rows_digest:
            try:
                data = read_part(self.path, saved.file)
            except PartGoneError:
                pass
            else:
                return faiss_files.from_bytes(
                    signal,
                    data,
                    rows=len(rows),
                    dim=_width(signal, self.manifest) * (8 if signal == "pdq" else 1),
                    where=str(self.path / saved.file.path),
                )
        return faiss_files.build(signal, rows.values)

    def __repr__(self) -> str:
        held = ", ".join(f"{len(rows)} {signal}" for signal, rows in self._rows.items())
        return f"ExemplarIndex({self.name!r}, {len(self.exemplars)} exemplars, {held})"


def read_manifest(path: Path) -> Manifest:
    """The checked manifest of the index in the folder `path`; ExemplarIndexError where none is."""
    file = path / MANIFEST_NAME
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_MANIFEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ExemplarIndexError(
            f"{path}: no exemplar index here (there is no {MANIFEST_NAME})",
            remedy=f"make one with `vscan index create {path}`",
        ) from error
    except OSError as error:
        raise ExemplarIndexError(f"{file}: cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise ExemplarIndexError(f"{file}: larger than any manifest may be")
    return decode_manifest(data, where=str(file))


def content_digest(manifest: Manifest, exemplars: Sequence[Exemplar]) -> str:
    """What ExemplarIndex.digest promises, for a manifest and the exemplars of its batches."""
    listed = sorted(
        (
            each.id,
            each.policy,
            each.opinion,
            each.severity or "",
            each.enabled,
            sorted((signal, track.sha256) for signal, track in each.tracks.items()),
        )
        for each in exemplars
    )
    model = manifest.model
    made_by = None if model is None else [model.fingerprint, model.match_similarity]
    basis = [manifest.schema, manifest.name, made_by, sorted(manifest.hashes.items()), listed]
    return "sha256:" + hashlib.sha256(orjson.dumps(basis)).hexdigest()


def _load(path: Path, manifest: Manifest) -> ExemplarIndex:
    exemplars: list[Exemplar] = []
    tracks: dict[str, dict[str, Track]] = {}
    for batch in manifest.batches:
        data = read_part(path, batch.exemplars)
        exemplars += decode_exemplars(data, where=str(path / batch.exemplars.path))
        data = read_part(path, batch.tracks)
        tracks |= decode_tracks(data, where=str(path / batch.tracks.path))
    for records in manifest.records:
        read_part(path, records.file)
    for saved in manifest.faiss.values():
        try:
            read_part(path, saved.file)
        except PartGoneError:
            continue
    _check_tracks(path, manifest, exemplars, tracks)
    return ExemplarIndex(path, manifest, exemplars, tracks)


def _check_tracks(
    path: Path,
    manifest: Manifest,
    exemplars: Sequence[Exemplar],
    tracks: Mapping[str, Mapping[str, Track]],
) -> None:
    """Raises ExemplarIndexError where exemplars and tracks do not belong to each other."""
    for exemplar in exemplars:
        held = tracks.get(exemplar.id, {})
        if set(held) != set(manifest.signals) or {
            signal: (len(track), track_digest(track)) for signal, track in held.items()
        } != {signal: (each.rows, each.sha256) for signal, each in exemplar.tracks.items()}:
            raise ExemplarIndexError(
                f"{path}: the tracks of exemplar {exemplar.id} are not those it was added with",
                remedy="create the index again from its sources",
            )
    if len({exemplar.id for exemplar in exemplars}) != len(exemplars):
        raise ExemplarIndexError(f"{path}: two exemplars have the same id")
    if content_digest(replace(manifest, digest=""), exemplars) != manifest.digest:
        raise ExemplarIndexError(f"{path}: the exemplars are not those of the manifest's digest")


def _width(signal: str, manifest: Manifest) -> int:
    """Numbers, or bytes, in a row of the signal."""
    if signal == "pdq" or manifest.model is None:
        return HASH_BITS // 8
    return manifest.model.dim


def _rows_of(
    signal: str,
    exemplars: Sequence[Exemplar],
    tracks: Mapping[str, Mapping[str, Track]],
    manifest: Manifest,
) -> SignalRows:
    held = [tracks[exemplar.id][signal] for exemplar in exemplars]
    dtype = np.uint8 if signal == "pdq" else np.float16
    width = _width(signal, manifest)
    wrong = [track for track in held if track.values.shape[1] != width]
    if wrong:
        raise ExemplarIndexError(
            f"the index {manifest.name!r} holds a {signal} of {wrong[0].values.shape[1]} numbers"
            f" where {width} are expected"
        )
    return SignalRows(
        signal=signal,
        exemplar=np.repeat(np.arange(len(held), dtype=np.int32), [len(track) for track in held]),
        times_s=np.concatenate([np.empty(0, np.float64), *(track.times_s for track in held)]),
        quality=np.concatenate([np.empty(0, np.uint8), *(_known_quality(track) for track in held)]),
        values=np.concatenate([np.empty((0, width), dtype), *(track.values for track in held)]),
    )


def _known_quality(track: Track) -> NDArray[np.uint8]:
    return np.full(len(track), 100, np.uint8) if track.quality is None else track.quality
