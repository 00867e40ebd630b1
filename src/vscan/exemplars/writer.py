"""Writing an exemplar index: new files first, then the manifest in one step; one writer at a time.

A crash at any moment leaves the manifest as it was, or as it is to be, and every file that it
names. Exemplars are written in batches; only the last, unfilled one is written again when one more
is added, and only its own when one is removed, so that neither depends on the size of the index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from vscan.errors import ExemplarIndexError
from vscan.exemplars import background, batches, carried, upkeep
from vscan.exemplars.batches import Content, with_stored
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.content import index_digest
from vscan.exemplars.exemplar import UTC_FORMAT, Exemplar, updated
from vscan.exemplars.held import HeldExemplars
from vscan.exemplars.index import newer_manifest
from vscan.exemplars.leftovers import remove_leftovers
from vscan.exemplars.lock import LOCK_NAME, writer_lock
from vscan.exemplars.manifest import (
    MANIFEST_NAME,
    SIGNALS,
    IndexModel,
    Manifest,
    check_name,
    encode_manifest,
    refuse_other_model,
)
from vscan.exemplars.manifest_file import read_manifest
from vscan.exemplars.parts import PartGoneError, Tracks, as_stored
from vscan.exemplars.rows import check_values, row_width
from vscan.hashes.keypoints import KEYPOINTS_VERSION
from vscan.hashes.pdq import HASH_VERSION
from vscan.sampling import parse_fixed_sampling
from vscan.storage import atomic_write_bytes, ensure_folder, location, output_error

EXEMPLAR_SAMPLING = "fps:4"
"""How exemplars are sampled: denser than queries, so that a query's sample never lies more than an
eighth of a second from one of the exemplar's."""


def create_index(
    path: Path,
    *,
    name: str,
    model: IndexModel | None,
    signals: Sequence[str] | None = None,
    sampling: str = EXEMPLAR_SAMPLING,
    now: Callable[[], str] | None = None,
) -> Manifest:
    """Makes an empty index in the folder `path`, which may not hold anything yet.

    model: whose embeddings it will hold. signals: what it will hold, some of manifest.SIGNALS,
    `embedding` exactly if there is a model; by default PDQ, and embeddings of the model if there is
    one. `now` gives the time for the record.
    Raises ExemplarIndexError where the folder is not empty or `name` is no name, OutputError where
    it cannot be made, ValueError for other signals.
    """
    if signals is None:
        signals = ("pdq",) if model is None else ("embedding", "pdq")
    held = tuple(each for each in SIGNALS if each in signals)
    if not held or set(held) != set(signals):
        raise ValueError(f"an index holds some of {', '.join(SIGNALS)}, not {', '.join(signals)}")
    plan = parse_fixed_sampling(sampling)
    manifest = Manifest(
        name=check_name(name),
        created_at=(now or utc_now)(),
        model=model,
        signals=held,
        hashes={signal: hash_version(signal) for signal in held if signal != "embedding"},
        sampling=plan.spec,
        digest="",
    )
    manifest = replace(manifest, digest=index_digest(manifest))
    ensure_folder(path)
    try:
        occupied = sorted(each.name for each in path.iterdir() if each.name != LOCK_NAME)
    except OSError as error:
        raise output_error(path, error) from error
    if occupied:
        what = "an exemplar index is there already" if MANIFEST_NAME in occupied else "not empty"
        raise ExemplarIndexError(
            f"{path}: {what}",
            remedy=f"add to it with `vscan index add {path}`, or name another folder",
        )
    with writer_lock(path):
        atomic_write_bytes(path / MANIFEST_NAME, encode_manifest(manifest))
    return manifest


def hash_version(signal: str) -> str:
    """The version of `pdq` or `keypoints` that this vscan makes."""
    return {"pdq": HASH_VERSION, "keypoints": KEYPOINTS_VERSION}[signal]


def utc_now() -> str:
    """The time as the index records it, as `2026-11-02T09:30:00Z`."""
    return datetime.now(UTC).strftime(UTC_FORMAT)


class IndexWriter:
    """The one writer of an index, as a context manager: what was added stays, whatever follows.

    Each change is durable when it returns, and costs what its batches cost, not what the index
    does: entering reads the manifest and the exemplars, and no tracks. On leaving, what makes
    searching a large index fast is saved for readers where that is worth it (upkeep.py).
    Raises ExemplarIndexError on entering where another writer is at work, the index is damaged or
    not in a local folder, or another model made it.
    """

    def __init__(self, path: Path | str, *, model_fingerprint: str | None = None) -> None:
        root = location(path)
        if not isinstance(root, Path):
            raise ExemplarIndexError(
                f"{root}: an index is only written to in a local folder",
                remedy="change a copy of it, and upload that",
            )
        self.path = root
        self._fingerprint = model_fingerprint
        self._open = ExitStack()

    def __enter__(self) -> IndexWriter:
        if not (self.path / MANIFEST_NAME).is_file():
            # Says what is missing, and leaves no lock file behind where there is no index.
            read_manifest(self.path)
        with ExitStack() as opening:
            opening.enter_context(writer_lock(self.path))
            manifest = read_manifest(self.path)
            if self._fingerprint is not None and manifest.model is not None:
                refuse_other_model(self.path, manifest.name, manifest.model, self._fingerprint)
            self._require_our_hashes(manifest)
            if index_digest(manifest) != manifest.digest:
                raise ExemplarIndexError(f"{self.path}: the digest is not that of its batches")
            self._exemplars = HeldExemplars(self.path)
            try:
                self._exemplars.follow(manifest.batches)
            except PartGoneError as gone:
                newer_manifest(self.path, manifest, gone)
                raise  # with the lock held, nobody else has written: the line above has raised
            self.manifest = manifest
            self._open = opening.pop_all()
        remove_leftovers(self.path, self.manifest)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._open:
            if kind is None or issubclass(kind, Exception):
                search = upkeep.search_with_cells(self.path, self.manifest)
                if search != self.manifest.search:
                    self._replace_manifest(replace(self.manifest, search=search))
                    remove_leftovers(self.path, self.manifest)

    def find(self, sha256: str) -> Exemplar | None:
        """The exemplar made of the content with this SHA-256, if the index has it."""
        return self._exemplars.with_content(sha256)

    @property
    def exemplars(self) -> Mapping[str, Exemplar]:
        """What the index holds now, by id, in the order in which it holds them."""
        return self._exemplars

    def add(self, exemplar: Exemplar, tracks: Tracks) -> Exemplar:
        """Adds one exemplar with its tracks, durably; returns it with what was stored.

        tracks: by signal, at least those in `manifest.signals`. Raises ExemplarIndexError where
        the content is there already, a signal is missing or of another width, OutputError where
        the files cannot be written; the index is then as it was.
        """
        return self.change(add=[(exemplar, tracks)])[0]

    def remove(self, exemplar_id: str) -> Exemplar:
        """Removes one exemplar, its tracks and the records it was made of, durably; returns it.

        Raises ExemplarIndexError where the index has no such exemplar, OutputError where the files
        cannot be written; the index is then as it was.
        """
        removed = self._known(exemplar_id)
        self.change(
            remove=[exemplar_id],
            drop=lambda each: each.exemplar == exemplar_id,
            naming=exemplar_id,
        )
        return removed

    def update(self, exemplar_id: str, **changes: Any) -> Exemplar:
        """Changes what is said of an exemplar, durably; returns it as it is then.

        changes: fields of Exemplar but `id` and `tracks`. Its tracks are neither read nor written.
        Raises as `remove` does, and ValueError for a field that there is not or a value that
        cannot be.
        """
        before = self._known(exemplar_id)
        changed = updated(before, changes)
        if changed != before:
            self.change(update=[changed])
        return changed

    def change(
        self,
        *,
        add: Sequence[tuple[Exemplar, Tracks]] = (),
        remove: Collection[str] = (),
        update: Sequence[Exemplar] = (),
        carry: Sequence[CarriedRecord] = (),
        drop: Callable[[CarriedRecord], bool] | None = None,
        naming: str | None = None,
    ) -> list[Exemplar]:
        """Many changes in one step: after a crash all of them are there, or none.

        add: exemplars with their tracks, as for `add`. remove: ids; an exemplar that is added as
        well is replaced. update: exemplars in the place of those of the same id, with the same
        tracks. carry: records to keep. drop: which of those kept before go; naming: an id that all
        of those name. Returns the added exemplars with what was stored. Raises as `add` does.
        """
        new: Content = [self._stored(each, tracks, remove) for each, tracks in add]
        if len({each.id for each, _ in new}) != len(new):
            raise ExemplarIndexError(f"{self.path}: an exemplar is added twice")
        gone = [self._exemplars[each] for each in set(remove) if each in self._exemplars]
        written = batches.changed(
            self.path,
            self.manifest.batches,
            self._exemplars,
            remove=remove,
            update={each.id: each for each in update},
            add=new,
        )
        records = list(self.manifest.records)
        if drop is not None:
            records = carried.without(self.path, records, drop, naming=naming)
        changed = replace(
            self.manifest,
            batches=tuple(written),
            records=tuple(carried.extended(self.path, records, carry)),
            search=upkeep.search_for(
                self.manifest, written, added=[each for each, _ in new], removed=gone
            ),
        )
        self._replace_manifest(changed)
        self._exemplars.follow(changed.batches)
        remove_leftovers(self.path, self.manifest)
        return [exemplar for exemplar, _ in new]

    def calibrate(self, vectors: Any, match_similarity: float) -> None:
        """Replaces background and operating point, durably. Raises as background.calibrated."""
        changed = background.calibrated(self.path, self.manifest, vectors, match_similarity)
        self._replace_manifest(changed)
        remove_leftovers(self.path, self.manifest)

    def _known(self, exemplar_id: str) -> Exemplar:
        if exemplar_id not in self._exemplars:
            raise ExemplarIndexError(
                f"{self.path}: the index {self.manifest.name!r} has no exemplar {exemplar_id!r}",
                remedy=f"`vscan index list {self.path}` shows what it has",
            )
        return self._exemplars[exemplar_id]

    def _stored(
        self, exemplar: Exemplar, tracks: Tracks, remove: Collection[str]
    ) -> tuple[Exemplar, Tracks]:
        if exemplar.id in self._exemplars and exemplar.id not in remove:
            raise ExemplarIndexError(
                f"{self.path}: exemplar {exemplar.id} ({exemplar.source}) is there already",
                remedy="the same content is held once",
            )
        stored = as_stored(tracks, self.manifest.signals)
        for signal, track in stored.items():
            if len(track):
                searched = self.manifest.search.get(signal)
                width = row_width(signal, self.manifest, searched.width if searched else 0)
                check_values(signal, track.values, width, self.manifest)
        return with_stored(exemplar, stored), stored

    def _replace_manifest(self, manifest: Manifest) -> None:
        manifest = replace(manifest, generation=self.manifest.generation + 1)
        manifest = replace(manifest, digest=index_digest(manifest))
        atomic_write_bytes(self.path / MANIFEST_NAME, encode_manifest(manifest))
        self.manifest = manifest

    def _require_our_hashes(self, manifest: Manifest) -> None:
        for signal, version in sorted(manifest.hashes.items()):
            if version != hash_version(signal):
                raise ExemplarIndexError(
                    f"{self.path}: its {signal} is {version!r}, this vscan makes"
                    f" {hash_version(signal)!r}",
                    remedy="create the index again with this version of vscan",
                )
