"""Merging exemplar indexes: what one has and another has not, taken over with its tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from vscan.errors import ExemplarIndexError
from vscan.exemplars.carried import read_carried
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import check_tracks, read_exemplars
from vscan.exemplars.manifest import Manifest, refuse_other_model
from vscan.exemplars.manifest_file import read_manifest
from vscan.exemplars.packing import decode_tracks
from vscan.exemplars.parts import PartGoneError, Tracks, read_part
from vscan.exemplars.writer import IndexWriter
from vscan.storage import location


@dataclass
class Merged:
    """What a merge did."""

    added: list[Exemplar] = field(default_factory=list)
    """Exemplars that the other index had and this one had not."""
    kept: list[tuple[Exemplar, Exemplar]] = field(default_factory=list)
    """Exemplars that were here already, as they are here, each with what the other says of it."""
    records: int = 0
    """Records of partners' lists taken over."""

    @property
    def disputed(self) -> list[tuple[Exemplar, Exemplar]]:
        """Those of `kept` that the other index has under another policy or opinion."""
        return [
            (ours, theirs)
            for ours, theirs in self.kept
            if (ours.policy, ours.opinion) != (theirs.policy, theirs.opinion)
        ]


def merge(path: Path | str, other: Path | str) -> Merged:
    """Takes the exemplars and records of the index `other` (a folder or a URI) into that at `path`.

    The same content is held once: what is here stays as it is. Each batch of the other index is
    one durable step, so a merge that was cut off is ended by doing it again. Raises
    ExemplarIndexError where they hold other signals, hashes of other versions or embeddings of
    other models, or either is damaged; OutputError where the files cannot be written.
    """
    root = location(other)
    theirs = read_manifest(root)
    merged = Merged()
    with IndexWriter(path) as writer:
        _require_same(writer.path, writer.manifest, root, theirs)
        try:
            for batch in _batches(root, theirs):
                held = writer.exemplars
                merged.kept += [(held[each.id], each) for each, _ in batch if each.id in held]
                new = [each for each in batch if each[0].id not in held]
                merged.added += writer.change(add=new) if new else []
            known = {each.key for each in read_carried(writer.path, writer.manifest)}
            records = [each for each in read_carried(root, theirs) if each.key not in known]
        except PartGoneError as gone:
            raise ExemplarIndexError(
                f"{root}/{gone}: the file is gone: somebody changed the index meanwhile",
                remedy="merge again: what was taken over stays",
            ) from gone
        if records:
            writer.change(carry=records)
        merged.records = len(records)
    return merged


def _batches(root: Path | str, manifest: Manifest) -> Iterator[list[tuple[Exemplar, Tracks]]]:
    """The exemplars of an index with their tracks, checked, a batch at a time."""
    exemplars = iter(read_exemplars(root, manifest))
    for batch in manifest.batches:
        tracks = decode_tracks(read_part(root, batch.tracks), where=f"{root}/{batch.tracks.path}")
        content: list[tuple[Exemplar, Tracks]] = []
        for _ in range(batch.count):
            exemplar = next(exemplars)
            held = tracks.get(exemplar.id, {})
            check_tracks(root, exemplar, held)
            content.append(
                (
                    exemplar,
                    {
                        signal: replace(track, spec=exemplar.tracks[signal].spec)
                        for signal, track in held.items()
                    },
                )
            )
        yield content


def _require_same(path: Path, ours: Manifest, other: Path | str, theirs: Manifest) -> None:
    """Raises ExemplarIndexError where exemplars of the other index cannot stand in this one."""
    remedy = "create an index as the other one, and add the videos to it anew"
    if ours.signals != theirs.signals:
        raise ExemplarIndexError(
            f"{other}: holds {', '.join(theirs.signals)}, and {path} {', '.join(ours.signals)}",
            remedy=remedy,
        )
    if ours.hashes != theirs.hashes:
        raise ExemplarIndexError(
            f"{other}: its hashes are {dict(theirs.hashes)}, those of {path} {dict(ours.hashes)}",
            remedy=remedy,
        )
    if ours.model is not None and theirs.model is not None:
        refuse_other_model(other, theirs.name, theirs.model, ours.model.fingerprint)
