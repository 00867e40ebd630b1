"""What a worker has stored so far, run by run, on its way into the manifest."""

from __future__ import annotations

from dataclasses import replace

from vscan.shards import Shard
from vscan.store.verdict_manifest import PartEntry, PartsManifest, PartsRun
from vscan.verdicts import Provenance


class RunsSoFar:
    """The runs of a worker: earlier ones, as its manifest and its folder tell, and this one."""

    def __init__(self, worker: str, shard: Shard | None, run: str) -> None:
        self.worker, self.shard, self.run = worker, shard, run
        self._runs: dict[str, PartsRun] = {}
        self._own: list[PartEntry] = []
        self._provenance: list[Provenance] = []

    @property
    def stored(self) -> int:
        """How many parts this run has stored."""
        return len(self._own)

    @property
    def any(self) -> bool:
        """Whether this run or an earlier one has stored a part."""
        return bool(self._own or self._runs)

    def recall(self, manifest: PartsManifest | None) -> None:
        """What the manifest of earlier runs says."""
        if manifest is not None:
            self._runs |= {each.run: each for each in manifest.runs}

    def add(self, run: str, entry: PartEntry) -> None:
        """A part of an earlier run that no manifest names: its run was killed before that."""
        known = self._runs.get(run) or PartsRun(run=run, provenance=(), parts=())
        parts = sorted((*known.parts, entry), key=lambda each: each.name)
        self._runs[run] = replace(known, parts=tuple(parts))

    def add_own(self, name: str, entry: PartEntry) -> None:
        """A part that this run has stored under that name."""
        self._own.append(replace(entry, name=name))

    def told(self, provenance: Provenance) -> None:
        """How one of this run's verdicts was made."""
        if provenance not in self._provenance:
            self._provenance.append(provenance)

    def manifest(self, *, finished: bool) -> PartsManifest:
        """The manifest as of now."""
        runs = dict(self._runs)
        if self._own:
            runs[self.run] = PartsRun(
                run=self.run, provenance=tuple(self._provenance), parts=tuple(self._own)
            )
        return PartsManifest(
            worker=self.worker,
            shard=None if self.shard is None else str(self.shard),
            finished=finished,
            runs=tuple(runs[name] for name in sorted(runs)),
        )
