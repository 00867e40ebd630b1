"""A scan's work in other processes: what they are sent, and what they make of it.

A worker loads the pack and the indexes itself, and must come to the driver's provenance: else it
would write verdicts under a name that is not theirs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.earlier import Earlier
from vscan.engines.answers import Answer
from vscan.errors import UsageError
from vscan.names import record_uri
from vscan.provenance import provenance_of
from vscan.remote.systems import scheme_of
from vscan.rules import Rules, error_verdict
from vscan.scanning.loaded import load_named
from vscan.scanning.working import SourceWork
from vscan.settings import available_cores
from vscan.storage import local_path
from vscan.verdicts import ErrorRecord

if TYPE_CHECKING:
    from vscan.decode.workers import ReaderPool
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.embeddings.precision import Compute
    from vscan.embeddings.prompts import PackPrompts
    from vscan.engines.done_ids import DoneIds
    from vscan.measuring import Embed
    from vscan.recipe import Recipe
    from vscan.settings import ScanSettings
    from vscan.sources import Found
    from vscan.verdicts import Provenance


@dataclass(frozen=True, eq=False, kw_only=True)
class Shipped:
    """What a worker is sent, once: names to load for itself, and what only the driver can know."""

    settings: ScanSettings
    """With absolute paths."""
    recipe: Recipe
    provenance: Provenance
    """The driver's."""
    now: str
    """UTC: the moment at which the driver opened the indexes."""
    prompts: PackPrompts | None
    """The pack's prompts as vectors: no worker needs the model for them."""
    warnings: tuple[str, ...]
    sharers: int | None = None
    """Workers that share one machine's scratch space; None: as many as the machine has cores."""


def absolute(settings: ScanSettings) -> ScanSettings:
    """The settings with every local path absolute: a worker has another current folder."""
    policy, weights, store = settings.policy, settings.weights, settings.store
    is_path = policy.endswith(".toml") or "/" in policy
    return replace(
        settings,
        policy=_absolute(policy) if is_path else policy,
        indexes=tuple(map(_absolute, settings.indexes)),
        weights=None if weights is None else _absolute(weights),
        store=None if store is None else _absolute(store),
        scratch=None if settings.scratch is None else _absolute(settings.scratch),
    )


def _absolute(name: str) -> str:
    return str(local_path(name).absolute()) if scheme_of(name) in (None, "file") else name


class Worker:
    """One process's part of a scan: answers for sources. Safe among threads."""

    def __init__(self, shipped: Shipped, done: DoneIds, begin_model: Callable[[], None]) -> None:
        """Raises UsageError where what this process loads is not what the driver did."""
        from vscan.keeping import Keeper
        from vscan.matching.prompt_scores import PromptScorer
        from vscan.store.frames import FrameStore

        settings, recipe = shipped.settings, shipped.recipe
        loaded = load_named(settings, shipped.now)
        own = provenance_of(
            loaded.pack,
            recipe.sampling,
            loaded.judged,
            loaded.indexes,
            now=shipped.now,
            model=shipped.provenance.model,
            precision=shipped.provenance.precision,
        )
        refuse_difference(own, shipped.provenance)
        rules = Rules(
            pack=loaded.pack,
            scorer=None if shipped.prompts is None else PromptScorer(shipped.prompts),
            indexes=loaded.indexes,
            provenance=own,
            warnings=shipped.warnings,
            signals=loaded.judged,
        )
        store = settings.store
        self._keeper = None if store is None else Keeper(FrameStore.open(store), recipe)
        self._asked = threading.local()
        self._done = done
        self._work = SourceWork(
            recipe=recipe,
            rules=rules,
            earlier=Earlier(own, self._is_known, keeper=self._keeper),
            scratch=settings.new_scratch(sharers=shipped.sharers or available_cores()),
            begin_model=begin_model,
        )

    def __call__(self, source: Found, readers: ReaderPool, embed: Embed) -> Answer:
        """Its verdict, or its id where it was done before. Raises as pipeline.scan_source."""
        verdict = self._work(source, readers, embed)
        if verdict is None:
            return Answer("done", self._asked.verdict_id.encode(), self._damaged())
        return Answer("verdict", verdict.to_line(), self._damaged())

    def given_up(self, source: Found) -> Answer:
        """The record of a source on which worker after worker has died; a rerun tries it again."""
        told = ErrorRecord(
            code="worker_died", message="the process that scanned it died, again and again"
        )
        verdict = error_verdict(
            record_uri(source.uri), source.meta, None, told, self._work.rules.provenance
        )
        return Answer("verdict", verdict.to_line(), self._damaged())

    def _is_known(self, verdict_id: str) -> bool:
        self._asked.verdict_id = verdict_id
        return verdict_id in self._done

    def _damaged(self) -> tuple[str, ...]:
        """What the store's keeper has noted since this was asked before, by any thread."""
        noted: list[str] = []
        while self._keeper is not None and self._keeper.damaged:
            try:
                noted.append(self._keeper.damaged.pop(0).message)
            except IndexError:  # another thread was faster
                break
        return tuple(noted)


def refuse_difference(own: Provenance, drivers: Provenance) -> None:
    """Raises UsageError, which names what differs, where a worker's provenance is not the driver's.

    A pack or index that changed while the run started, or is another on that node.
    """
    here, there = asdict(own), asdict(drivers)
    names = [name for name in there if here[name] != there[name]]
    if names:
        told = "; ".join(f"{name}: {here[name]} there, {there[name]} here" for name in names)
        raise UsageError(
            f"a worker sees something else than this process ({told})",
            remedy="use one image for all nodes, and packs, indexes and weights on a file system"
            " that all of them share",
        )


def encoder_elsewhere(settings: ScanSettings, compute: Compute, model: str) -> LoadingEncoder:
    """The encoder that the settings name, in another process, to run as `compute` says.

    model: the driver's fingerprint of it. Raises ModelError as unloaded_encoder does, and where
    the device is not there; UsageError where the weights here are others.
    """
    from vscan.embeddings.loading import unloaded_encoder
    from vscan.embeddings.registry import DEFAULT_MODEL

    encoder = unloaded_encoder(
        settings.model or DEFAULT_MODEL,
        weights=None if settings.weights is None else Path(settings.weights),
        device=compute.device,
        precision=compute.precision,
    )
    if encoder.fingerprint != model:
        raise UsageError(
            f"the model's actor has {encoder.fingerprint}, this process {model}",
            remedy="use one image for all nodes, or weights on a file system that they all share",
        )
    return encoder
