"""A scan from its settings: loads what they name, runs the engine, yields verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.earlier import Earlier
from vscan.elsewhere import absolute
from vscan.flood import LEAST_SOURCES, FloodGuard, Watch
from vscan.loaded import Loaded, load_named
from vscan.loaded import needed_signals as needed_signals
from vscan.loaded import refuse_twins as refuse_twins
from vscan.models_used import model_for, prompt_scorer
from vscan.prepared import Prepared as Prepared
from vscan.prepared import Spread
from vscan.provenance import followed, precision_of, provenance_of
from vscan.provenance import version as version
from vscan.readiness import configuration_notes, model_notes, unscored_warnings
from vscan.sampling import Plan, parse_sampling
from vscan.scratch import FETCHED_AT_ONCE, Scratch
from vscan.settings import KEPT_SIGNALS, SIGNALS, ScanSettings
from vscan.spreading import cluster_for, reading_actors, spread_scan

if TYPE_CHECKING:
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.engines.batching import ImageEncoder
    from vscan.engines.ray_cluster import Cluster
    from vscan.keeping import Keeper
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.recipe import Recipe
    from vscan.sources import Found
    from vscan.timings import Timings
    from vscan.verdicts import Verdict


def prepare(settings: ScanSettings) -> Prepared:
    """Load pack, indexes and model, and settle what is measured.

    Raises UsageError (PackError, ExemplarIndexError, ModelError, SamplingError) where one of them
    cannot be used.
    """
    from vscan.exemplars.writer import utc_now

    plan = parse_sampling(settings.sampling, settings.max_gap_s)
    loaded = load_named(settings, utc_now())
    if settings.engine == "local":
        return _prepared(settings, plan, loaded, None)
    cluster = cluster_for(settings)
    try:
        return _prepared(absolute(settings), plan, loaded, cluster)
    except BaseException:
        cluster.close()
        raise


def _prepared(
    settings: ScanSettings, plan: Plan, loaded: Loaded, cluster: Cluster | None
) -> Prepared:
    from vscan.recipe import Recipe
    from vscan.rules import Rules

    pack, indexes, judged = loaded.pack, loaded.indexes, loaded.judged
    measured = judged
    if settings.store is not None and settings.signals is None:
        measured = tuple(each for each in SIGNALS if each in judged or each in KEPT_SIGNALS)
    encoder: LoadingEncoder | None = None
    scorer: PromptScorer | None = None
    if "embedding" in measured:
        compute = None if cluster is None else cluster.compute(settings.device, settings.precision)
        encoder = model_for(pack, settings, compute)
    models = [encoder.fingerprint] if encoder is not None and "embedding" in judged else []
    notes = configuration_notes(pack, indexes, judged, models)
    if encoder is not None and "embedding" in judged:
        for index in indexes:
            index.require_model(encoder.fingerprint)
        scorer = prompt_scorer(pack, encoder if cluster is None else encoder.for_texts())
        notes += model_notes(pack, encoder)
    recipe = Recipe(
        plan=plan,
        signals=measured,
        image=encoder.image_spec if encoder else None,
        model=encoder.fingerprint if encoder else None,
        precision=precision_of(encoder) if encoder else None,
        decode=settings.decode,
        rules=followed(pack, indexes, judged, loaded.now),
    )
    provenance = provenance_of(
        pack,
        recipe.sampling,
        judged,
        indexes,
        now=loaded.now,
        model=recipe.model if "embedding" in judged else None,
        precision=recipe.precision if "embedding" in judged else None,
    )
    rules = Rules(
        pack=pack,
        scorer=scorer,
        indexes=indexes,
        provenance=provenance,
        warnings=unscored_warnings(pack, judged),
        signals=judged,
    )
    keeper = _keeper(settings, recipe)
    spread = None if cluster is None else Spread(cluster, settings, loaded.now)
    return Prepared(
        recipe=recipe,
        rules=rules,
        encoder=encoder,
        workers=reading_actors(settings, cluster),
        limits=settings.read_limits,
        notes=notes,
        flood_share=settings.flood_share,
        keeper=keeper,
        loading=encoder,
        spread=spread,
        new_scratch=settings.new_scratch,
    )


def _keeper(settings: ScanSettings, recipe: Recipe) -> Keeper | None:
    from vscan.keeping import Keeper
    from vscan.store.frames import FrameStore

    if settings.store is None:
        return None
    return Keeper(FrameStore.open(settings.store, create=True), recipe)


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
    from vscan.working import SourceWork

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
