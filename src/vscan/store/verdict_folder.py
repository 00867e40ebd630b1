"""A folder of verdict parts as it is read: which parts are there, in order, and are they whole."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vscan.errors import OutputError
from vscan.folders import list_under
from vscan.remote.redacted import redacted
from vscan.shards import Shard
from vscan.storage import read_under
from vscan.store.lines import StoredLine, read_lines
from vscan.store.verdict_manifest import PartEntry, PartsManifest, parse_manifest
from vscan.store.verdict_part_names import (
    DIGEST_LENGTH,
    MANIFESTS,
    PARTS,
    SUMMARIES,
    PartName,
    concerns,
    is_worker,
    manifest_path,
)

MOST_MANIFEST_BYTES = 256 * 2**20
"""A manifest beyond this is not read: it would name about a million parts."""


@dataclass(frozen=True)
class VerdictFolder:
    """What was there when the folder was looked at."""

    root: Path | str
    """As `storage.location` gave it."""
    parts: tuple[PartName, ...]
    """The older ones first; those that no manifest names, too."""
    workers: tuple[str, ...]
    """Those that have a manifest."""
    manifests: dict[str, PartsManifest]
    """By worker; empty where only names were asked for."""
    entries: dict[PartName, PartEntry]
    """Of the parts that a manifest names."""

    @property
    def is_empty(self) -> bool:
        """Whether no run has ever written here."""
        return not self.parts and not self.workers

    def content(self, part: PartName) -> bytes:
        """The bytes of a part.

        Raises OutputError where it cannot be read, or does not hold what was written.
        """
        name = redacted(f"{self.root}/{part.path}")
        try:
            data = read_under(self.root, part.path, limit=None)
        except OSError as error:
            raise _unread(name, error) from error
        digest, entry = hashlib.sha256(data).hexdigest(), self.entries.get(part)
        if digest[:DIGEST_LENGTH] != part.digest or (entry and digest != entry.sha256):
            raise OutputError(
                f"{name}: does not hold the bytes that were written (its SHA-256 differs)",
                remedy="fetch it from a backup or an earlier version; or remove it and "
                f"{manifest_path(part.worker)}: its videos are judged again by the next run",
            )
        return data

    def lines(self, part: PartName) -> Iterator[StoredLine]:
        """The records of a part in order. Raises OutputError as `content`, or where one is none."""
        name = redacted(f"{self.root}/{part.path}")
        return read_lines(io.BytesIO(self.content(part)), name=name)


def look_at(
    root: Path | str, *, shard: Shard | None = None, only_names: bool = False
) -> VerdictFolder:
    """What is stored below a folder; nothing where it is not there.

    shard: those workers only that may have judged sources of this share. only_names: manifests are
    not read, so that what they name need not be there.

    Raises OutputError where it cannot be listed, where a part that a manifest names is missing, and
    where a file among the parts is none. Names that do not end in `.jsonl` are passed over.
    """
    try:
        # Manifests first: a part that comes meanwhile is one more, and not one that is missing.
        workers = [each for each in _with_manifest(root) if concerns(each, shard)]
        manifests = {each: _manifest(root, each) for each in workers if not only_names}
        parts = sorted(
            part
            for worker in list_under(root, PARTS)
            if worker.is_folder and is_worker(worker.name) and concerns(worker.name, shard)
            for part in _parts(root, worker.name)
        )
    except OSError as error:
        raise _unread(str(root), error) from error
    folder = VerdictFolder(root, tuple(parts), tuple(workers), manifests, _entries(root, manifests))
    for part in sorted(folder.entries.keys() - set(parts)):
        raise OutputError(
            f"{_told(root)}/{part.path}: is not there, and {manifest_path(part.worker)} names it",
            remedy="fetch it from a backup or an earlier version; or remove "
            f"{manifest_path(part.worker)}: its videos are judged again by the next run",
        )
    return folder


def _with_manifest(root: Path | str) -> Iterator[str]:
    for entry in list_under(root, MANIFESTS):
        worker = entry.name.removesuffix(".json")
        if not entry.is_folder and worker != entry.name and is_worker(worker):
            yield worker


def _manifest(root: Path | str, worker: str) -> PartsManifest:
    path = manifest_path(worker)
    data = read_under(root, path, limit=MOST_MANIFEST_BYTES)
    return parse_manifest(data, name=redacted(f"{root}/{path}"), worker=worker)


def _parts(root: Path | str, worker: str) -> Iterator[PartName]:
    for entry in list_under(root, f"{PARTS}/{worker}"):
        if entry.is_folder or not entry.name.endswith(".jsonl"):
            continue
        part = PartName.of(worker, entry.name)
        if part is None:
            raise OutputError(
                f"{_told(root)}/{PARTS}/{worker}/{entry.name}: is no part that vscan wrote",
                remedy="move it out of that folder, where others would take it for verdicts, too",
            )
        yield part


def _entries(root: Path | str, manifests: dict[str, PartsManifest]) -> dict[PartName, PartEntry]:
    found = {}
    for worker, manifest in manifests.items():
        for entry in (entry for run in manifest.runs for entry in run.parts):
            part = PartName.of(worker, entry.name)
            if part is None:
                raise OutputError(
                    f"{_told(root)}/{manifest_path(worker)}: {entry.name!r} is no name of a part",
                    remedy="remove the manifest: parts count without it",
                )
            found[part] = entry
    return found


def _told(root: Path | str) -> str:
    """The folder, as it may be told."""
    return redacted(str(root))


def _unread(name: str, error: OSError) -> OutputError:
    return OutputError(
        f"{redacted(name)}: cannot be read: {error.strerror or error}",
        remedy="check the name, and that it may be listed and read",
    )


def refuse_foreign(root: Path | str) -> None:
    """Starting over is for folders of parts: what was named by mistake is not ours to clear.

    Raises OutputError where there is something else at the top.
    """
    try:
        found = [entry.name for entry in list_under(root)]
    except OSError as error:
        raise OutputError(
            f"{_told(root)}: cannot be listed: {error.strerror or error}",
            remedy="choose another -o",
        ) from error
    foreign = [name for name in found if name not in (PARTS, MANIFESTS, SUMMARIES)]
    if foreign:
        raise OutputError(
            f"{_told(root)}: holds something else than verdict parts: {foreign[0]}",
            remedy="choose another -o, or move that away; without --fresh nothing is removed",
        )
