"""A scan from its settings: loads what they name, runs the engine, yields verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.errors import UsageError
from vscan.flood import FLOOD_SHARE, LEAST_SOURCES, FloodGuard, Watch
from vscan.models_used import model_for, prompt_scorer
from vscan.provenance import followed, precision_of, provenance_of
from vscan.provenance import version as version
from vscan.readiness import (
    configuration_notes,
    model_notes,
    refuse_blindness,
    unscored_warnings,
)
from vscan.sampling import parse_sampling
from vscan.scratch import FETCHED_AT_ONCE, Scratch
from vscan.settings import KEPT_SIGNALS, SIGNALS, ScanSettings, available_cores

if TYPE_CHECKING:
    from vscan.decode.limits import ReadLimits
    from vscan.decode.workers import ReaderPool
    from vscan.embeddings.encoder import Encoder
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.engines.batching import ImageEncoder
    from vscan.exemplars.index import ExemplarIndex
    from vscan.keeping import Keeper
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.policies import PolicyPack
    from vscan.recipe import Recipe
    from vscan.rules import Rules
    from vscan.sources import Found
    from vscan.timings import Timings
    from vscan.verdicts import Verdict


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan that is ready to run."""

    recipe: Recipe
    rules: Rules
    encoder: Encoder | None
    workers: int
    limits: ReadLimits
    notes: tuple[str, ...]
    """What the person who started it should know."""
    flood_share: float = FLOOD_SHARE
    keeper: Keeper | None = None
    loading: LoadingEncoder | None = None
    """The encoder where it is still to be loaded, which begins when the first source needs it."""
    new_scratch: Callable[[], Scratch] = Scratch
    """Makes the room in which a run fetches what lies behind URIs."""


def prepare(settings: ScanSettings) -> Prepared:
    """Load pack, indexes and model, and settle what is measured.

    Raises UsageError (PackError, ExemplarIndexError, ModelError, SamplingError) where one of them
    cannot be used.
    """
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import utc_now
    from vscan.policies import load_pack
    from vscan.recipe import Recipe
    from vscan.rules import Rules

    plan = parse_sampling(settings.sampling, settings.max_gap_s)
    pack = load_pack(settings.policy)
    now = utc_now()
    indexes = [ExemplarIndex.open(folder, now=now) for folder in settings.indexes]
    refuse_twins(indexes)
    judged = settings.signals or needed_signals(pack, indexes)
    refuse_blindness(pack, indexes, judged)
    measured = judged
    if settings.store is not None and settings.signals is None:
        measured = tuple(each for each in SIGNALS if each in judged or each in KEPT_SIGNALS)
    encoder: LoadingEncoder | None = None
    scorer: PromptScorer | None = None
    if "embedding" in measured:
        encoder = model_for(pack, settings)
    models = [encoder.fingerprint] if encoder is not None and "embedding" in judged else []
    notes = configuration_notes(pack, indexes, judged, models)
    if encoder is not None and "embedding" in judged:
        for index in indexes:
            index.require_model(encoder.fingerprint)
        scorer = prompt_scorer(pack, encoder)
        notes += model_notes(pack, encoder)
    recipe = Recipe(
        plan=plan,
        signals=measured,
        image=encoder.image_spec if encoder else None,
        model=encoder.fingerprint if encoder else None,
        precision=precision_of(encoder) if encoder else None,
        decode=settings.decode,
        rules=followed(pack, indexes, judged, now),
    )
    provenance = provenance_of(
        pack,
        recipe.sampling,
        judged,
        indexes,
        now=now,
        model=recipe.model if "embedding" in judged else None,
        precision=recipe.precision if "embedding" in judged else None,
    )
    return Prepared(
        recipe=recipe,
        rules=Rules(
            pack=pack,
            scorer=scorer,
            indexes=indexes,
            provenance=provenance,
            warnings=unscored_warnings(pack, judged),
            signals=judged,
        ),
        encoder=encoder,
        workers=settings.workers or available_cores(),
        limits=settings.read_limits,
        notes=notes,
        flood_share=settings.flood_share,
        keeper=_keeper(settings, recipe),
        loading=encoder,
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
    content_of: Callable[[str, str], str | None] = lambda _uri, _version: None,
    watch: Watch | None = None,
    timings: Timings | None = None,
    scratch: Scratch | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Verdict | None, None, None]:
    """Verdicts of `sources` as each ends; None for one whose verdict id `is_done` knows.

    content_of: SHA-256 of an object by URI and version, where an earlier line tells it. watch: sees
    every verdict and sets aside what floods the run; None: nothing is. timings: is told where the
    time goes. scratch: where objects behind URIs are fetched to; it is emptied at the end.
    stopping: once it is true no source is begun; those being read end.
    """
    from vscan.earlier import Earlier
    from vscan.engines import local
    from vscan.engines.timed_encoder import TimedEncoder
    from vscan.measuring import Embed
    from vscan.pipeline import scan_source

    def done(verdict_id: str) -> bool:
        known = is_done(verdict_id)
        if not known and prepared.loading is not None:
            prepared.loading.start()
        return known

    room = prepared.new_scratch() if scratch is None else scratch
    earlier = Earlier(prepared.rules.provenance, done, content_of, prepared.keeper)

    def work(source: Found, readers: ReaderPool, embed: Embed) -> Verdict | None:
        return scan_source(
            source,
            recipe=prepared.recipe,
            rules=prepared.rules,
            readers=readers,
            embed=embed,
            scratch=room,
            earlier=earlier,
            timings=timings,
        )

    encoder: ImageEncoder | None = prepared.encoder
    if timings is not None:
        timings.begin()
        encoder = None if encoder is None else TimedEncoder(encoder, timings, prepared.loading)
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
    verdicts = room.emptied_after(verdicts)
    return verdicts if watch is None else watch.over(verdicts)


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


def needed_signals(pack: PolicyPack, indexes: Sequence[ExemplarIndex]) -> tuple[str, ...]:
    """What the pack's prompts and the indexes need, in the order of SIGNALS."""
    needed = {signal for index in indexes for signal in index.signals}
    if any(policy.prompts for policy in pack.policies):
        needed.add("embedding")
    return tuple(signal for signal in SIGNALS if signal in needed)


def refuse_twins(indexes: Sequence[ExemplarIndex]) -> None:
    """Raises UsageError where two indexes have one name: records could not tell them apart."""
    names = [index.name for index in indexes]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise UsageError(
            f"two exemplar indexes are both named {twins[0]!r}",
            remedy="give each index once, or create one of them again under another --name",
        )
