"""The frame store: tracks by content and spec, and a record for each source.

    STORE/store.json                                    says what the folder is
    STORE/frames/<ab>/<sha256>-<signal>-<key>.safetensors            a track
    STORE/frames/<ab>/<sha256>-keypoints-<key>-<nnnn>.safetensors    an earlier part of a long one
    STORE/sources/<ab>/<SHA-256 of the URI>.json        the record of a source

Every file is written whole under a name that says what it holds, and nothing is ever changed: equal
names mean the same, so that any number of writers need not know of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vscan.errors import DamagedTrack, MissingTrack, StoreError
from vscan.folders import (
    Entry,
    exists_under,
    list_under,
    remove_under,
    write_under,
)
from vscan.remote.redacted import redacted
from vscan.remote.systems import scheme_of
from vscan.storage import location, read_under
from vscan.store.layout import (
    FRAMES,
    SOURCES,
    STORE_FILE,
    TrackName,
    is_source_path,
    source_path,
)
from vscan.store.part_writer import PART_SAMPLES as PART_SAMPLES
from vscan.store.part_writer import PartWriter
from vscan.store.readings import Reading as Reading
from vscan.store.source_records import (
    DamagedSource,
    StoredSource,
    decode_source,
    encode_source,
    uri_in,
)
from vscan.store.specs import TrackSpec
from vscan.store.store_file import is_store, make_store
from vscan.store.track_files import TrackFile, decode_track, encode_track
from vscan.tracks import Track

CHECK_ACCESS = "check that the store may be read, and that its disk or service is well"


@dataclass(frozen=True)
class StoredFile:
    """A file below a store's folder."""

    name: str
    """Its path below the folder, with slashes."""
    bytes: int
    modified_s: float | None
    """Seconds since 1970; None where the service does not say."""


class FrameStore:
    """Tracks and source records in a folder or at a URI. Safe to use from several threads."""

    def __init__(self, root: Path | str) -> None:
        self.root = root
        """The folder, or the URI, as `storage.location` gives it."""

    @classmethod
    def open(cls, where: str | Path, *, create: bool = False) -> FrameStore:
        """The store in a folder or at a URI; with `create` an empty or new folder becomes one.

        Raises StoreError where there is none, where it is of another version, or where the folder
        holds something else; OutputError where it cannot be made; UsageError for a URI that cannot
        be read.
        """
        root = location(where)
        if isinstance(root, str) and scheme_of(root) in ("http", "https"):
            raise StoreError(
                f"{redacted(root)}: a web server holds no frame store: it has no listings",
                remedy="name a folder, or object storage: s3://, gs:// or az://",
            )
        if not is_store(root):
            if not create:
                raise StoreError(
                    f"{root}: no frame store here (there is no {STORE_FILE})",
                    remedy=f"a scan makes one and fills it: vscan scan … --store {root}",
                )
            make_store(root)
        return cls(root)

    def find(self, sha256: str, spec: TrackSpec) -> bool:
        """Whether there is a track of that content and spec; it is not read.

        Raises StoreError where the system or the service does not say.
        """
        return self.holds(TrackName(sha256, spec.signal, spec.key))

    def holds(self, name: TrackName) -> bool:
        """Whether there is a file of that name. Raises as `find`."""
        try:
            return exists_under(self.root, name.path)
        except OSError as error:
            raise self._unreadable(name.path, error) from error

    def read(self, sha256: str, signal: str, key: str) -> tuple[Reading, Track]:
        """The track of a content and how its reading went; of keypoints the last part alone.

        Raises MissingTrack where there is none, DamagedTrack where it is not what was written, and
        StoreError where the system or the service does not give it.
        """
        held = self._read(TrackName(sha256, signal, key))
        if held.reading is None:
            raise AssertionError("only parts are without a reading")
        return held.reading, held.track

    def read_parts(self, sha256: str, key: str) -> tuple[Reading, Iterator[Track]]:
        """How the reading of a content went, and the parts of its keypoints track in the order of
        reading, which is that of time for plans of one round.

        One part is in memory at a time, beside the last one. Raises as `read`, also on the way.
        """
        last = self._read(TrackName(sha256, "keypoints", key))
        if last.reading is None:
            raise AssertionError("only parts are without a reading")
        return last.reading, self._parts(last, sha256, key)

    def _parts(self, last: TrackFile, sha256: str, key: str) -> Iterator[Track]:
        for number, payload in enumerate(last.parts):
            part = TrackName(sha256, "keypoints", key, number)
            try:
                held = self._read(part)
            except MissingTrack as error:
                raise self._damaged(part.path, "a part of the track is missing") from error
            if held.payload != payload:
                raise self._damaged(part.path, "it is a part of another reading")
            yield held.track
        yield last.track

    def read_file(self, name: TrackName) -> TrackFile:
        """One file of a track, whichever part of it. Raises as `read`."""
        return self._read(name)

    def _read(self, name: TrackName) -> TrackFile:
        path = name.path
        try:
            return decode_track(read_under(self.root, path, limit=None), name)
        except FileNotFoundError as error:
            raise MissingTrack(
                f"{self.root}/{path}: there is no such track in the store",
                remedy="the next scan of this video with --store measures it",
            ) from error
        except OSError as error:
            raise self._unreadable(path, error) from error
        except ValueError as error:
            raise self._damaged(path, str(error)) from error

    def write(
        self, reading: Reading, track: Track, spec: TrackSpec, parts: Sequence[str] = ()
    ) -> None:
        """Keeps a track of the content that `reading` is of, in the place of an earlier one.

        parts: of a long keypoints track, what `PartWriter.parts` has. Raises OutputError where it
        cannot be written, ValueError for what is no track of that spec.
        """
        name = TrackName(reading.digests.sha256, spec.signal, spec.key)
        self._write(name, track, spec, reading, parts)

    def _write_part(self, sha256: str, spec: TrackSpec, part: int, track: Track) -> str:
        """Keeps an earlier part of a long track; its payload digest. Raises as `write`."""
        return self._write(TrackName(sha256, spec.signal, spec.key, part), track, spec, None, ())

    def _write(
        self,
        name: TrackName,
        track: Track,
        spec: TrackSpec,
        reading: Reading | None,
        parts: Sequence[str],
    ) -> str:
        if track.signal != spec.signal:
            raise ValueError(f"a track of {track.signal} under a spec of {spec.signal}")
        data, payload = encode_track(name, track, spec, reading, parts)
        write_under(self.root, name.path, data)
        return payload

    def part_writer(self, sha256: str, spec: TrackSpec) -> PartWriter:
        """What takes a long track of keypoints while its video is read."""
        return PartWriter(self._write_part, sha256, spec)

    def put_source(self, record: StoredSource) -> None:
        """Keeps the record of a URI, in the place of an earlier one. Raises OutputError."""
        write_under(self.root, source_path(record.uri), encode_source(record))

    def source(self, uri: str) -> StoredSource | None:
        """The record of a URI; None where there is none.

        Raises DamagedTrack where it is not what was written, StoreError where it cannot be read.
        """
        found = self.record_in(source_path(uri))
        if not isinstance(found, DamagedSource):
            return found
        if found.is_readable:
            raise self._damaged(found.name, found.problem)
        raise StoreError(f"{self.root}/{found.name}: {found.problem}", remedy=CHECK_ACCESS)

    def sources(self) -> Iterator[StoredSource | DamagedSource]:
        """Every record, ordered by file name. Raises StoreError where they cannot be listed."""
        for file in self.files(SOURCES):
            if is_source_path(file.name):
                found = self.record_in(file.name)
                if found is not None:
                    yield found

    def record_in(self, name: str) -> StoredSource | DamagedSource | None:
        """The record in a file that `files` named; None where it is gone."""
        data = b""
        try:
            data = read_under(self.root, name, limit=None)
            return decode_source(data, name)
        except FileNotFoundError:
            return None
        except OSError as error:
            return DamagedSource(name, f"it cannot be read: {error.strerror or error}", False)
        except ValueError as error:
            return DamagedSource(name, str(error), uri=uri_in(data, name))

    def files(self, folder: str = "") -> Iterator[StoredFile]:
        """Every file of the store, or of `frames` or `sources` alone, ordered by name.

        What other programs left in these folders is among them. Raises StoreError where they cannot
        be listed.
        """
        for name in (folder,) if folder else ("", FRAMES, SOURCES):
            for each in self._listed(name):
                path = f"{name}/{each.name}" if name else each.name
                if not each.is_folder:
                    yield StoredFile(path, each.bytes, each.modified_s)
                elif name:
                    yield from (
                        StoredFile(f"{path}/{file.name}", file.bytes, file.modified_s)
                        for file in self._listed(path)
                        if not file.is_folder
                    )

    def _listed(self, folder: str) -> list[Entry]:
        try:
            return list_under(self.root, folder)
        except OSError as error:
            raise self._unreadable(folder, error) from error

    def remove(self, name: str) -> None:
        """Removes a file that `files` named; all is well where it is gone. Raises OutputError."""
        remove_under(self.root, name)

    def _damaged(self, name: str, problem: str) -> DamagedTrack:
        return DamagedTrack(
            f"{self.root}/{name}: damaged: {problem}",
            remedy=f"`vscan store verify --remove {self.root}` deletes what is damaged, and the"
            " next scan measures it anew",
        )

    def _unreadable(self, name: str, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(
            f"{self.root}/{name}: cannot be read: {reason}",
            remedy=CHECK_ACCESS,
        )
