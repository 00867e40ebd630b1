"""A scan on Ray: the cluster that its settings ask for, and the verdicts that come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from vscan.decode.workers import threads_each
from vscan.errors import StoreError, UsageError
from vscan.names import record_uri
from vscan.scanning.elsewhere import Shipped, Worker, encoder_elsewhere
from vscan.settings import ScanSettings, available_cores
from vscan.verdicts import parse_verdict

if TYPE_CHECKING:
    from vscan.decode.limits import ReadLimits
    from vscan.earlier import Earlier
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.engines import ray as engine
    from vscan.engines.ray_cluster import Cluster
    from vscan.scanning.prepared import Prepared, Spread
    from vscan.sources import Found
    from vscan.timings import Timings
    from vscan.verdicts import Verdict


def cluster_for(settings: ScanSettings) -> Cluster:
    """The cluster that the settings name; without an address a Ray on this machine, with room for
    their workers and the model's actors. Raises UsageError where it cannot be had."""
    from vscan.engines.ray_cluster import Cluster

    workers = settings.workers or available_cores()
    return Cluster.connect(settings.ray_address, cores=workers + settings.model_actors)


def reading_actors(settings: ScanSettings, cluster: Cluster | None) -> int:
    """How many sources are read at the same time, unless the settings say: one for each core that
    there is, less those of the model's actors in a cluster."""
    if settings.workers is not None:
        return settings.workers
    if cluster is None or cluster.is_local:
        return available_cores()
    return max(1, int(cluster.resources().get("CPU", 1.0)) - settings.model_actors)


def spread_scan(
    prepared: Prepared,
    spread: Spread,
    sources: Iterable[Found],
    earlier: Earlier,
    done_keys: Callable[[], Iterable[int]],
    timings: Timings | None,
) -> Generator[Verdict | None]:
    """As scanning.run_scan. Closing it ends the actors. Raises UsageError where timings are asked
    for: what other machines do is not measured."""
    if timings is not None:
        spread.cluster.close()
        raise UsageError(
            "--timings measures one process and its readers, not the workers of Ray",
            remedy="leave --timings out, or use --engine local",
        )
    return _verdicts(prepared, spread, sources, earlier, done_keys)


def _verdicts(
    prepared: Prepared,
    spread: Spread,
    sources: Iterable[Found],
    earlier: Earlier,
    done_keys: Callable[[], Iterable[int]],
) -> Generator[Verdict | None]:
    from vscan.engines import ray as engine
    from vscan.engines.done_ids import packed

    known: deque[None] = deque()
    with ExitStack() as stack:
        answers = engine.run(
            _unknown(sources, earlier, known),
            partial(Worker, _shipped(prepared, spread, stack)),
            cluster=spread.cluster,
            models=None if prepared.loading is None else _models(spread, prepared.loading),
            done=packed(done_keys()),
            workers=prepared.workers,
            limits=_limits(prepared, spread.cluster),
            readers_wait=prepared.recipe.plan.follows,
        )
        stack.enter_context(closing(answers))
        for answer in answers:
            yield from _taken(known)
            if prepared.keeper is not None:
                prepared.keeper.damaged += [StoreError(told) for told in answer.damaged]
            if answer.kind == "done":
                earlier.is_known(answer.body.decode())
                yield None
            else:
                yield parse_verdict(answer.body)
    yield from _taken(known)


def _shipped(prepared: Prepared, spread: Spread, stack: ExitStack) -> Shipped:
    """What the workers are sent. On this machine their scratch space lies below a folder of this
    process, which goes with `stack`: workers are killed at the end, and leave theirs."""
    rules, settings, is_local = prepared.rules, spread.settings, spread.cluster.is_local
    if is_local:
        room = stack.enter_context(settings.new_scratch())
        settings = replace(settings, scratch=str(room.made()))
    return Shipped(
        settings=settings,
        recipe=prepared.recipe,
        provenance=rules.provenance,
        now=spread.now,
        prompts=None if rules.scorer is None else rules.scorer.prompts,
        warnings=rules.warnings,
        sharers=prepared.workers if is_local else None,
    )


def _unknown(sources: Iterable[Found], earlier: Earlier, known: deque[None]) -> Iterator[Found]:
    """Those of which the output has no line under their version; of each other one `known` gets an
    entry: no worker need be asked."""
    for source in sources:
        if earlier.is_done_unread(source, record_uri(source.uri)):
            known.append(None)
        else:
            yield source


def _taken(known: deque[None]) -> Iterator[None]:
    while known:
        yield known.popleft()


def _models(spread: Spread, encoder: LoadingEncoder) -> engine.Models:
    from vscan.engines import ray as engine

    make = partial(encoder_elsewhere, spread.settings, encoder.compute, encoder.fingerprint)
    on_gpu = encoder.device.startswith("cuda")
    return engine.Models(make, spread.settings.model_actors, on_gpu)


def _limits(prepared: Prepared, cluster: Cluster) -> ReadLimits:
    """On this machine the cores are shared out among the readers, as the local engine does."""
    limits = prepared.limits
    if limits.threads is not None or not cluster.is_local:
        return limits
    return replace(limits, threads=threads_each(prepared.workers))
