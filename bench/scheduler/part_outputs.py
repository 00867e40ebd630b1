"""Simulated runs that write parts: all shards into one folder, as `-o run/` does."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import orjson

from bench.scheduler.journal import Journal
from bench.scheduler.outputs import OutputFault, kill
from vscan.folders import write_under
from vscan.runs import SummaryPlace
from vscan.shards import Shard
from vscan.storage import output_error
from vscan.store import verdict_parts
from vscan.store.merging import Merged, merge
from vscan.store.records import RecordSink
from vscan.store.verdict_copies import local_verdicts
from vscan.store.verdict_part_names import summary_name, worker_of
from vscan.store.verdict_parts import RecordParts

INTERVAL_S = 0.05
"""In place of a minute, so that there are many parts."""


class PartOutputs:
    """One folder of parts for all shards."""

    faults: tuple[OutputFault, ...] = ("killed_storing", "killed_between", "disk_full")
    shared = True

    def place(self, folder: Path, name: str) -> Path:
        """A folder beside that of the shard, which all of them share."""
        return folder.parent / "run"

    def summary(self, place: Path, shard: Shard) -> SummaryPlace:
        """Below the folder."""
        return place, summary_name(worker_of(shard))

    def open(self, place: Path, shard: Shard) -> RecordSink:
        """As that worker."""
        return RecordParts(place, shard=shard, interval_s=INTERVAL_S)

    @contextmanager
    def failing(self, fault: OutputFault, after: int, journal: Journal) -> Iterator[None]:
        """Patches what `RecordParts` stores parts and manifests with."""
        with mock.patch.object(verdict_parts, "write_under", _Failing(fault, after, journal)):
            yield

    def lines(self, place: Path, shard: Shard) -> Iterator[bytes]:
        """Of all parts but those of the other shards of that division, the older parts first."""
        for part in sorted(place.glob("parts/*/*.jsonl"), key=lambda each: each.name):
            if _may_hold(part.parent.name, shard):
                yield from part.read_bytes().splitlines()

    def damage(self, place: Path, shard: Shard) -> Iterator[str]:
        """Parts that are torn, or another's than their names say; and such as the manifest does
        not name, or names and are not there."""
        worker = f"shard-{shard.number:05}-of-{shard.count:05}"
        there = {part.name: part.read_bytes() for part in place.glob(f"parts/{worker}/*.jsonl")}
        for name, data in there.items():
            digest = hashlib.sha256(data).hexdigest()
            if not data.endswith(b"\n") or not name.endswith(f"-{digest[:16]}.jsonl"):
                yield f"{worker}: the part {name} is not whole"
        manifest = place / "manifests" / f"{worker}.json"
        runs = orjson.loads(manifest.read_bytes())["runs"] if manifest.exists() else []
        named = {part["name"] for run in runs for part in run["parts"]}
        if there.keys() != named:
            yield (
                f"{worker}: the manifest leaves out {len(there.keys() - named)} parts, and names"
                f" {len(named - there.keys())} that are not there"
            )

    def merge(self, places: Sequence[Path], output: Path) -> Merged:
        """As `vscan verdicts merge run/` does."""
        with local_verdicts([*dict.fromkeys(places)]) as copies:
            return merge(copies.paths, output, force=True)


def _may_hold(worker: str, shard: Shard) -> bool:
    form = re.fullmatch(r"shard-0*(\d+)-of-0*(\d+)", worker)
    if form is None or int(form[2]) != shard.count:
        return True
    return int(form[1]) == shard.number


class _Failing:
    """`write_under`, which fails at the first part that ends beyond so many lines, or after it."""

    def __init__(self, fault: OutputFault, after: int, journal: Journal) -> None:
        self._fault = fault
        self._at_manifest = fault == "killed_between" or (fault == "disk_full" and after % 2 == 1)
        self._left = after
        self._journal = journal

    def __call__(self, root: Path | str, name: str, data: bytes, **more: Any) -> None:
        is_part = name.startswith("parts/")
        if is_part:
            self._left -= data.count(b"\n")
        if self._left >= 0 or is_part == self._at_manifest:
            write_under(root, name, data, **more)
            return
        self._journal.note("fired")
        if self._fault == "disk_full":
            raise output_error(name, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if self._fault == "killed_storing":
            with mock.patch.object(Path, "replace", lambda *_: kill()):
                write_under(root, name, data, **more)
        kill()
