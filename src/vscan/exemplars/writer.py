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

from vscan.errors import ExemplarIndexError
from vscan.exemplars import batches, carried, faiss_files
from vscan.exemplars.batches import Content, with_stored
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import ExemplarIndex, content_digest
from vscan.exemplars.lock import LOCK_NAME, writer_lock
from vscan.exemplars.manifest import (
    MANIFEST_NAME,
    FaissPart,
    IndexModel,
    Manifest,
    check_name,
    encode_manifest,
)
from vscan.exemplars.parts import Tracks, as_stored, write_part
from vscan.hashes.pdq import HASH_VERSION
from vscan.sampling import parse_sampling
from vscan.storage import atomic_write_bytes, ensure_folder, output_error

EXEMPLAR_SAMPLING = "fps:4"
"""How exemplars are sampled: denser than queries, so that a query's sample never lies more than an
eighth of a second from one of the exemplar's."""
FAISS_FILE_BYTES = 64 << 20
"""FAISS files of flat indexes are kept up to this size; beyond it, writing one with every add costs
more than it saves readers, who build the same from the tracks about as fast as they read it."""
PART_FOLDERS = {
    "exemplars": ".jsonl",
    "tracks": ".safetensors",
    "records": ".jsonl",
    "faiss": ".faiss",
}


def create_index(
    path: Path,
    *,
    name: str,
    model: IndexModel | None,
    sampling: str = EXEMPLAR_SAMPLING,
    now: Callable[[], str] | None = None,
) -> Manifest:
    """Makes an empty index in the folder `path`, which may not hold anything yet.

    model: whose embeddings it will hold; None for PDQ alone. `now` gives the time for the record.
    Raises ExemplarIndexError where the folder is not empty or `name` is no name, OutputError where
    it cannot be made.
    """
    plan = parse_sampling(sampling)
    manifest = Manifest(
        name=check_name(name),
        created_at=(now or utc_now)(),
        model=model,
        hashes={"pdq": HASH_VERSION},
        sampling=plan.spec,
        digest="",
    )
    manifest = replace(manifest, digest=content_digest(manifest, ()))
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


def utc_now() -> str:
    """The time as the index records it, as `2026-11-02T09:30:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class IndexWriter:
    """The one writer of an index, as a context manager: what was added stays, whatever follows.

    Each `add` is durable when it returns. On leaving, FAISS files are written for readers.
    Raises ExemplarIndexError on entering where another writer is at work, the index is damaged,
    or another model made it.
    """

    def __init__(self, path: Path, *, model_fingerprint: str | None = None) -> None:
        self.path = path
        self._fingerprint = model_fingerprint
        self._open = ExitStack()

    def __enter__(self) -> IndexWriter:
        if not (self.path / MANIFEST_NAME).is_file():
            # Says what is missing, and leaves no lock file behind where there is no index.
            ExemplarIndex.open(self.path)
        with ExitStack() as opening:
            opening.enter_context(writer_lock(self.path))
            index = ExemplarIndex.open(self.path, model_fingerprint=self._fingerprint)
            self._require_our_hashes(index.manifest)
            self.manifest = index.manifest
            self._exemplars = {exemplar.id: exemplar for exemplar in index.exemplars}
            self._open = opening.pop_all()
        self._remove_leftovers()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._open:
            if kind is None or issubclass(kind, Exception):
                self._save_faiss()

    def find(self, sha256: str) -> Exemplar | None:
        """The exemplar made of the content with this SHA-256, if the index has it."""
        for exemplar in self._exemplars.values():
            if exemplar.sha256 == sha256:
                return exemplar
        return None

    @property
    def exemplars(self) -> Mapping[str, Exemplar]:
        """What the index holds now, by id."""
        return self._exemplars

    def add(self, exemplar: Exemplar, tracks: Tracks) -> Exemplar:
        """Adds one exemplar with its tracks, durably; returns it with what was stored.

        tracks: by signal, at least those in `manifest.signals`. Raises ExemplarIndexError where
        the content is there already or a signal is missing, OutputError where the files cannot be
        written; the index is then as it was.
        """
        return self.change(add=[(exemplar, tracks)])[0]

    def remove(self, exemplar_id: str) -> Exemplar:
        """Removes one exemplar, its tracks and the records it was made of, durably; returns it.

        Raises ExemplarIndexError where the index has no such exemplar, OutputError where the files
        cannot be written; the index is then as it was.
        """
        if exemplar_id not in self._exemplars:
            raise ExemplarIndexError(
                f"{self.path}: the index {self.manifest.name!r} has no exemplar {exemplar_id!r}",
                remedy=f"`vscan index list {self.path}` shows what it has",
            )
        removed = self._exemplars[exemplar_id]
        self.change(remove=[exemplar_id], drop=lambda each: each.exemplar == exemplar_id)
        return removed

    def change(
        self,
        *,
        add: Sequence[tuple[Exemplar, Tracks]] = (),
        remove: Collection[str] = (),
        carry: Sequence[CarriedRecord] = (),
        drop: Callable[[CarriedRecord], bool] | None = None,
    ) -> list[Exemplar]:
        """Many changes in one step: after a crash all of them are there, or none.

        add: exemplars with their tracks, as for `add`. remove: ids; an exemplar that is added as
        well is replaced. carry: records to keep. drop: which of those kept before go. Returns the
        added exemplars with what was stored. Raises as `add` does.
        """
        held = {each: old for each, old in self._exemplars.items() if each not in remove}
        new: Content = []
        for exemplar, tracks in add:
            if exemplar.id in held:
                raise ExemplarIndexError(
                    f"{self.path}: exemplar {exemplar.id} ({exemplar.source}) is there already",
                    remedy="the same content is held once",
                )
            stored = as_stored(tracks, self.manifest.signals)
            held[exemplar.id] = with_stored(exemplar, stored)
            new.append((held[exemplar.id], stored))
        kept = batches.without(self.path, self.manifest.batches, remove)
        written = tuple(batches.extended(self.path, kept, new))
        records = list(self.manifest.records)
        if drop is not None:
            records = carried.without(self.path, records, drop)
        changed = replace(
            self.manifest,
            batches=written,
            records=tuple(carried.extended(self.path, records, carry)),
            faiss=self.manifest.faiss if written == self.manifest.batches else {},
        )
        self._replace_manifest(changed, list(held.values()))
        self._exemplars = held
        self._remove_leftovers()
        return [exemplar for exemplar, _ in new]

    def _replace_manifest(self, manifest: Manifest, exemplars: list[Exemplar]) -> None:
        manifest = replace(
            manifest,
            generation=self.manifest.generation + 1,
            digest=content_digest(manifest, exemplars),
        )
        atomic_write_bytes(self.path / MANIFEST_NAME, encode_manifest(manifest))
        self.manifest = manifest

    def _save_faiss(self) -> None:
        """Writes the FAISS files that are worth having and are not there for the present rows."""
        built_from, saved = self.manifest.rows_digest, self.manifest.faiss
        worth = [
            signal
            for signal in self.manifest.signals
            if self._faiss_bytes(signal) <= FAISS_FILE_BYTES
        ]
        if not self._exemplars or all(
            signal in saved
            and saved[signal].built_from == built_from
            and (self.path / saved[signal].file.path).is_file()
            for signal in worth
        ):
            return
        index = ExemplarIndex.open(self.path)
        parts = {}
        for signal in worth:
            rows = index.rows(signal)
            data = faiss_files.to_bytes(signal, faiss_files.build(signal, rows.values))
            parts[signal] = FaissPart(
                file=write_part(self.path, "faiss", signal, "faiss", data),
                type=faiss_files.TYPES[signal],
                rows=len(rows),
                built_from=built_from,
            )
        self._replace_manifest(replace(self.manifest, faiss=parts), list(index.exemplars))
        self._remove_leftovers()

    def _faiss_bytes(self, signal: str) -> int:
        rows = sum(exemplar.tracks[signal].rows for exemplar in self._exemplars.values())
        model = self.manifest.model
        return rows * faiss_files.row_bytes(signal, 0 if model is None else model.dim)

    def _remove_leftovers(self) -> None:
        """Deletes files of earlier states and of writers that were killed."""
        named = {part.path for part in self.manifest.parts}
        for folder, suffix in PART_FOLDERS.items():
            for file in sorted((self.path / folder).glob("*")):
                ours = file.suffix == suffix or file.name.startswith(".")
                if ours and f"{folder}/{file.name}" not in named:
                    file.unlink(missing_ok=True)
        for file in sorted(self.path.glob(f".{MANIFEST_NAME}.*")):
            file.unlink(missing_ok=True)

    def _require_our_hashes(self, manifest: Manifest) -> None:
        if manifest.hashes.get("pdq") != HASH_VERSION:
            raise ExemplarIndexError(
                f"{self.path}: its hashes are {manifest.hashes.get('pdq')!r}, this vscan makes"
                f" {HASH_VERSION!r}",
                remedy="create the index again with this version of vscan",
            )
