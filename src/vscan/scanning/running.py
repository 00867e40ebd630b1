"""A scan that runs: the engine over the sources, verdicts as each ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.earlier import Earlier
from vscan.flood import LEAST_SOURCES, FloodGuard, Watch
from vscan.scanning.prepared import Prepared
from vscan.scanning.preparing import prepare
from vscan.scanning.spreading import spread_scan
from vscan.scratch import FETCHED_AT_ONCE, Scratch
from vscan.settings import ScanSettings

if TYPE_CHECKING:
    from vscan.engines.batching import ImageEncoder
    from vscan.sources import Found
    from vscan.timings import Timings
    from vscan.verdicts import Verdict


def scan(
    inputs: Iterable[str | Path],
    *,
    settings: ScanSettings | None = None,
    from_file: str | None = None,
) -> Iterator[Verdict]:
    """Scan files, folders and globs; yields each video's verdict as it ends.

    inputs: names of files or folders, or globs. from_file: a list of further names.
    The order is that in which videos end; sort by `verdict.source.uri` where order matters.
    Matches with an exemplar that floods the run (ScanSettings.flood_share) stand under `suppressed`
    from then on; verdicts that were handed out before keep them.
    Raises UsageError where a setting cannot be used; a video that cannot be read does not raise:
    its verdict's outcome is `error`.

        for verdict in vscan.scan(["clips"], settings=vscan.ScanSettings(policy="my.toml")):
            print(verdict.source.uri, verdict.outcome)
    """
    from vscan.sources import SourceFinder

    prepared = prepare(settings or ScanSettings())
    scratch = prepared.new_scratch()
    finder = SourceFinder(scratch.fetching)
    sources = finder.find([os.fspath(each) for each in inputs], from_file=from_file)
    watch = watch_over(prepared)
    with closing(run_scan(prepared, sources, watch=watch, scratch=scratch)) as verdicts:
        yield from (verdict for verdict in verdicts if verdict is not None)


def run_scan(
    prepared: Prepared,
    sources: Iterable[Found],
    *,
    is_done: Callable[[str], bool] = lambda _: False,
    done_keys: Callable[[], Iterable[int]] = tuple,
    content_of: Callable[[str, str], str | None] = lambda _uri, _version: None,
    watch: Watch | None = None,
    timings: Timings | None = None,
    scratch: Scratch | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Verdict | None, None, None]:
    """Verdicts of `sources` as each ends; None for one whose verdict id `is_done` knows.

    done_keys: of all ids that it knows, for an engine whose workers cannot ask it. content_of:
    SHA-256 of an object by URI and version, where an earlier line tells it. watch: sees every
    verdict and sets aside what floods the run; None: nothing is. timings: is told where the time
    goes; UsageError on Ray. scratch: where objects behind URIs are fetched to; it is emptied at the
    end. stopping: once it is true no source is begun; those being read end. On Ray the workers have
    scratch space of their own, and nobody is told to stop.
    """
    earlier = Earlier(prepared.rules.provenance, is_done, content_of, prepared.keeper)
    if prepared.spread is not None:
        verdicts = spread_scan(prepared, prepared.spread, sources, earlier, done_keys, timings)
    else:
        room = prepared.new_scratch() if scratch is None else scratch
        verdicts = _local_scan(prepared, sources, earlier, room, timings, stopping)
    return verdicts if watch is None else watch.over(verdicts)


def _local_scan(
    prepared: Prepared,
    sources: Iterable[Found],
    earlier: Earlier,
    room: Scratch,
    timings: Timings | None,
    stopping: Callable[[], bool],
) -> Generator[Verdict | None]:
    from vscan.engines import local
    from vscan.engines.timed_encoder import TimedEncoder
    from vscan.scanning.working import SourceWork

    loading = prepared.loading
    work = SourceWork(
        recipe=prepared.recipe,
        rules=prepared.rules,
        earlier=earlier,
        scratch=room,
        begin_model=(lambda: None) if loading is None else loading.start,
        timings=timings,
    )
    encoder: ImageEncoder | None = prepared.encoder
    if timings is not None:
        timings.begin()
        encoder = None if encoder is None else TimedEncoder(encoder, timings, loading)
    verdicts = local.run(
        sources,
        work,
        encoder=encoder,
        workers=prepared.workers,
        limits=prepared.limits,
        readers_wait=prepared.recipe.plan.follows,
        ahead=FETCHED_AT_ONCE,
        cancel=room.cancel,
        stopping=stopping,
    )
    return room.emptied_after(verdicts)


def watch_over(prepared: Prepared, *, least: int = LEAST_SOURCES) -> Watch | None:
    """The flood guard of one run; None where it is switched off or there is nothing to guard.

    least: sources that an exemplar must have matched before its share is looked at.
    """
    rules = prepared.rules
    guard = FloodGuard.of(prepared.flood_share, rules.indexes, least)
    if guard is None:
        return None
    provenances = [rules.provenance]
    return Watch(guard, pack=rules.pack, indexes=rules.indexes, provenances=provenances)
