"""What of a measurement a frame store keeps, and how it comes back without a decoder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.decode.reader import readers_installed
from vscan.digests import Digests
from vscan.errors import DamagedTrack, MissingTrack, SourceError, StoreError
from vscan.hashes.keypoints import KEYPOINTS_VERSION, SOURCE_FEATURE_BYTES, SOURCE_FEATURES
from vscan.hashes.pdq import HASH_VERSION
from vscan.hashes.regions import REGIONS_VERSION
from vscan.matching.search import FrameHits
from vscan.measuring import Measured, keypoint_searches, placed
from vscan.recipe import Recipe
from vscan.store.frames import FrameStore, Reading
from vscan.store.lines import PASSING_ERRORS
from vscan.store.source_records import StoredSource
from vscan.store.specs import TrackSpec
from vscan.verdicts import ErrorRecord

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
    from vscan.store.part_writer import PartWriter
    from vscan.tracks import Track


class Keeper:
    """A run's use of one frame store: what is there is not decoded again, what is not is kept."""

    def __init__(self, store: FrameStore, recipe: Recipe) -> None:
        self.store = store
        self.specs = track_specs(recipe)
        self.damaged: list[StoreError] = []
        """Tracks and records that were not what was written, or could not be read; they were made
        anew."""
        self._plan = recipe.sampling

    def holds(self, uri: str, sha256: str) -> bool:
        """Whether the store knows this source, with this content, and every signal of it.

        uri: as records have it.
        """
        known = self._known(uri)
        if known is None or known.sha256 != sha256:
            return False
        if known.error is not None:
            return True
        named = all(known.tracks.get(signal) == spec.key for signal, spec in self.specs.items())
        return named and self._has_tracks(sha256)

    def content_of(self, uri: str, version: str) -> Digests | None:
        """What an object was when it had this version; None where the store does not know.

        uri: as records have it.
        """
        known = self._known(uri)
        if known is None or known.version != version or known.sha256 is None:
            return None
        return Digests(known.sha256, known.md5 or "", known.bytes or 0)

    def recall(self, digests: Digests, indexes: Sequence[ExemplarIndex]) -> Measured | None:
        """What was measured of this content, by this recipe; None where it must be measured."""
        if not self._has_tracks(digests.sha256):
            return None
        keys = {signal: spec.key for signal, spec in self.specs.items()}
        try:
            return recalled(self.store, digests.sha256, keys, plan=self._plan, indexes=indexes)
        except MissingTrack:
            pass  # removed since: by `vscan store gc`, or another run's clean-up
        except StoreError as damage:
            self.damaged.append(damage)
        return None

    def features(self, digests: Digests) -> PartWriter | None:
        """What takes the keypoints while they are read; None where none are measured."""
        spec = self.specs.get("keypoints")
        return None if spec is None else self.store.part_writer(digests.sha256, spec)

    def keep(self, measured: Measured, features: PartWriter | None) -> None:
        """Write what was measured. Raises OutputError where the store cannot be written."""
        reading = Reading(measured.digests, measured.info, measured.report, measured.times_s)
        for signal, track in measured.tracks.items():
            self.store.write(reading, track, self.specs[signal])
        if features is not None:
            last = features.rest()
            self.store.write(reading, last, self.specs["keypoints"], parts=features.parts)

    def record(
        self,
        uri: str,
        meta: Mapping[str, object],
        measured: Measured,
        *,
        version: str | None = None,
    ) -> None:
        """Write what is known of a source that was read. Raises OutputError.

        Signals that an earlier scan measured on the same samples, and this one did not, stay.
        """
        specs = {signal: dict(spec.made_by) for signal, spec in self.specs.items()}
        tracks = {signal: spec.key for signal, spec in self.specs.items()}
        known = self._known(uri)
        if known is not None and known.sha256 == measured.digests.sha256:
            for signal, key in known.tracks.items():
                if signal not in specs and _same_samples(known.specs[signal], specs):
                    tracks[signal], specs[signal] = key, dict(known.specs[signal])
        self.store.put_source(
            StoredSource(
                uri=uri,
                sha256=measured.digests.sha256,
                md5=measured.digests.md5,
                bytes=measured.digests.bytes,
                meta=dict(meta),
                info=measured.info,
                report=measured.report,
                tracks=tracks,
                specs=specs,
                error=None,
                version=version,
            )
        )

    def record_error(
        self,
        uri: str,
        meta: Mapping[str, object],
        digests: Digests | None,
        error: SourceError,
        *,
        version: str | None = None,
    ) -> None:
        """Write why a source could not be read. Raises OutputError.

        What is stored of it outlives an error that may pass, and a name behind which there is no
        file for now: a share that is not mounted must not cost what was measured.
        """
        known = self._known(uri)
        specs = {signal: dict(spec.made_by) for signal, spec in self.specs.items()}
        for signal, made_by in ({} if known is None else known.specs).items():
            if signal not in specs and _same_samples(made_by, specs):
                specs[signal] = dict(made_by)
        if known is not None and known.tracks:
            same = digests is None or digests.sha256 == known.sha256
            if same or error.code in PASSING_ERRORS:
                return
        self.store.put_source(
            StoredSource(
                uri=uri,
                sha256=digests.sha256 if digests else None,
                md5=digests.md5 if digests else None,
                bytes=digests.bytes if digests else None,
                meta=dict(meta),
                info=None,
                report=None,
                tracks={},
                specs=specs,
                error=ErrorRecord(code=error.code, message=error.message),
                version=version,
            )
        )

    def _known(self, uri: str) -> StoredSource | None:
        """The record of a URI; None where there is none that can be used."""
        try:
            return self.store.source(uri)
        except StoreError as damage:
            self.damaged.append(damage)
            return None

    def _has_tracks(self, sha256: str) -> bool:
        return all(self.store.find(sha256, spec) for spec in self.specs.values())


def _same_samples(made_by: Mapping[str, str], specs: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a track was made of the same frames as those of `specs`."""
    return all(
        made_by.get(what) == other.get(what)
        for other in specs.values()
        for what in ("readers", "sampling")
    )


def track_specs(recipe: Recipe) -> dict[str, TrackSpec]:
    """By signal of the recipe: everything that a source's track depends on beside its content.

    Readers stand in it with their versions, and not which of them served: that is decided when the
    file is opened, and stands in the reading.
    """
    read = {"readers": readers_installed(), "sampling": recipe.sampling}
    specs = {}
    if "embedding" in recipe.signals and recipe.image is not None:
        image = recipe.image
        specs["embedding"] = {
            "model": recipe.model or "",
            "precision": recipe.precision or "",
            "image": f"{image.width}x{image.height} {image.resize_mode} {image.interpolation}"
            f" {image.fill}",
        }
    if "pdq" in recipe.signals:
        specs["pdq"] = {"hash": HASH_VERSION, "regions": REGIONS_VERSION}
    if "keypoints" in recipe.signals:
        specs["keypoints"] = {"features": f"{KEYPOINTS_VERSION} {SOURCE_FEATURES}"}
    return {signal: TrackSpec(signal, read | made_by) for signal, made_by in specs.items()}


def recalled(
    store: FrameStore,
    sha256: str,
    keys: Mapping[str, str],
    *,
    plan: str,
    indexes: Sequence[ExemplarIndex],
) -> Measured:
    """The measurement of one content from its stored tracks: by signal their keys, at least one.

    plan: by which they were sampled. Keypoints are looked up in `indexes` as they come. Raises
    MissingTrack, or DamagedTrack where a file is not what was written, or the tracks are not of one
    reading.
    """
    tracks: dict[str, Track] = {}
    hits: dict[str, FrameHits] = {}
    reading: Reading | None = None
    for signal, key in keys.items():
        if signal == "keypoints":
            found, parts = store.read_parts(sha256, key)
            hits = _looked_up(parts, found.times_s, indexes)
        else:
            found, tracks[signal] = store.read(sha256, signal, key)
        if reading is not None and not _same(reading, found):
            raise DamagedTrack(
                f"{sha256}: its {signal} track is of another reading than the others",
                remedy="scan the video again with this store",
            )
        reading = found
    assert reading is not None  # noqa: S101 -- the caller names at least one track
    return Measured(
        digests=reading.digests,
        info=reading.info,
        report=reading.report,
        plan=plan,
        times_s=reading.times_s,
        tracks=tracks,
        keypoint_hits=hits,
    )


def _looked_up(
    parts: Iterable[Track], times_s: NDArray[np.float64], indexes: Sequence[ExemplarIndex]
) -> dict[str, FrameHits]:
    """By index, what agrees with stored keypoints of a source whose samples are at `times_s`."""
    searches = keypoint_searches(indexes)
    if not searches:
        return {}
    place = [np.empty(0, np.int64)]
    for part in parts:
        count = part.values.shape[1] // SOURCE_FEATURE_BYTES
        features = part.values.astype(np.uint8, copy=False)
        for search in searches.values():
            search.feed(features.reshape(len(part), count, SOURCE_FEATURE_BYTES))
        place.append(np.searchsorted(times_s, part.times_s))
    at = np.concatenate(place)
    again = np.ones(len(at), np.bool_)
    again[np.unique(at, return_index=True)[1]] = False
    at[again] = -1  # a later round came by the same frame
    return {name: placed(search.hits(), at) for name, search in searches.items()}


def _same(one: Reading, other: Reading) -> bool:
    return (
        one.digests == other.digests
        and one.info == other.info
        and one.report == other.report
        and np.array_equal(one.times_s, other.times_s)
    )
