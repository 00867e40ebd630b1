"""The journey of one source: digests, samples, tracks, evidence, judgement, verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vscan.decode.workers import ReaderPool
from vscan.digests import Digests, file_digests
from vscan.errors import (
    ModelLoadError,
    NotBegun,
    OutputError,
    SourceError,
    StoreError,
    internal_error,
)
from vscan.intervals import Interval
from vscan.judge import judge
from vscan.matching.align import find_matches
from vscan.matching.interest import interest
from vscan.matching.search import SourceTracks
from vscan.measuring import Embed, Measured, measure
from vscan.media import VideoInfo
from vscan.names import record_uri
from vscan.recipe import Recipe
from vscan.sources import Source
from vscan.timings import Timings
from vscan.verdicts import (
    ErrorRecord,
    Provenance,
    Samples,
    SourceRecord,
    StreamPart,
    Verdict,
    verdict_id,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vscan.exemplars.index import ExemplarIndex
    from vscan.keeping import Keeper
    from vscan.matching.match import Match
    from vscan.matching.prompt_scores import PolicyScores, PromptScorer
    from vscan.policies import PolicyPack


@dataclass(frozen=True, eq=False)
class Rules:
    """What a measured source is held against: everything that judging needs."""

    pack: PolicyPack
    scorer: PromptScorer | None
    """None where the embedding is not measured: then no prompt is scored."""
    indexes: Sequence[ExemplarIndex]
    provenance: Provenance
    warnings: tuple[str, ...] = ()
    """Codes that stand in every record: what these rules leave unjudged."""
    signals: tuple[str, ...] | None = None
    """What is judged of all that was measured; None: everything. More is measured for a frame
    store than one pack needs, and a verdict must not depend on that."""


def scan_source(
    source: Source,
    *,
    recipe: Recipe,
    rules: Rules,
    readers: ReaderPool,
    embed: Embed,
    is_done: Callable[[str], bool] = lambda _: False,
    keeper: Keeper | None = None,
    timings: Timings | None = None,
) -> Verdict | None:
    """The verdict of one source, whatever happens to it; None where `is_done` knows it already.

    keeper: what is in its frame store is not decoded again, and what is measured is kept there,
    also of a source that `is_done` knows. timings: is told what each step cost. Raises what is no
    source's fault: OutputError or another StoreError where the store cannot be written or read,
    ModelLoadError where there is no model after all, NotBegun where the run is about to stop.
    """
    uri, digests, done = record_uri(source.uri), None, False
    timings = Timings() if timings is None else timings
    try:
        with timings.of_thread("digests"):
            digests = file_digests(source.path)
        done = is_done(verdict_id(uri, digests.sha256, rules.provenance))
        if done and (keeper is None or keeper.holds(source, digests)):
            return None
        measured = _measured(source, digests, recipe, rules, readers, embed, keeper, timings)
        reader_s = measured.report.cost_s
        timings.add_video(measured.cost_s, reader_s, samples=len(measured.times_s))
        if done:
            return None
        with timings.of_thread("judge"):
            return judge_source(uri, source.meta, measured, rules=rules)
    except (OutputError, StoreError, ModelLoadError, NotBegun):
        raise
    except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
        failed = error if isinstance(error, SourceError) else internal_error(error)
        if keeper is not None:
            keeper.record_error(source, digests, failed)
        if done:
            return None  # judged before: only the store has missed it
        told = ErrorRecord(code=failed.code, message=failed.message)
        return error_verdict(uri, source.meta, digests, told, rules.provenance)


def _measured(
    source: Source,
    digests: Digests,
    recipe: Recipe,
    rules: Rules,
    readers: ReaderPool,
    embed: Embed,
    keeper: Keeper | None,
    timings: Timings,
) -> Measured:
    """From the store where it is there, and else from the file, and then kept."""

    def interest_so_far(measured: Measured) -> NDArray[np.float64]:
        with timings.of_thread("judge"):
            return interest_of(judged(measured, rules.signals), rules)

    measured = None if keeper is None else keeper.recall(digests, rules.indexes)
    if measured is None:
        features = None if keeper is None else keeper.features(digests)
        measured = measure(
            source,
            digests,
            recipe=recipe,
            readers=readers,
            embed=embed,
            indexes=rules.indexes,
            keep_features=None if features is None else features.add,
            interest=interest_so_far,
        )
        if keeper is not None:
            keeper.keep(measured, features)
    if keeper is not None:
        keeper.record(source, measured)
    return measured


def judge_source(
    uri: str,
    meta: Mapping[str, object],
    measured: Measured,
    *,
    rules: Rules,
    warnings: Sequence[str] = (),
    matches: Sequence[Match] | None = None,
) -> Verdict:
    """Hold the tracks of one source against the pack and the indexes. Needs no decoder.

    uri: as records have it. meta: passed through. warnings: codes that stand in the record beside
    those of the rules and of the reading. matches: what `match_exemplars` finds of `judged`, where
    the caller has asked already.
    """
    measured = judged(measured, rules.signals)
    report, info = measured.report, measured.info
    scores: Sequence[PolicyScores] = ()
    if rules.scorer is not None and "embedding" in measured.tracks:
        scores = rules.scorer.score(measured.tracks["embedding"])
    judgement = judge(
        rules.pack,
        scores=scores,
        matches=match_exemplars(measured, rules.indexes) if matches is None else matches,
        end_s=report.end_s,
        coverage=report.least_coverage,
        gaps=[Interval(*gap) for gap in report.gaps_s],
        parts=[Interval(part.start_s, part.end_s) for part in report.parts],
    )
    return Verdict(
        id=verdict_id(uri, measured.digests.sha256, rules.provenance),
        source=source_record(uri, meta, measured.digests, info, report.end_s),
        outcome=judgement.outcome,
        action=judgement.action,
        reasons=judgement.reasons,
        warnings=tuple(
            dict.fromkeys((*rules.warnings, *warnings, *info.warnings, *report.warnings))
        ),
        findings=judgement.findings,
        suppressed=judgement.suppressed,
        samples=Samples(
            plan=measured.plan,
            planned=report.planned,
            read=report.read,
            coverage=round(report.coverage, 4),
            gaps_s=report.gaps_s,
            reader=report.reader,
            skipped_packets=report.skipped_packets,
            streams=tuple(
                StreamPart(
                    stream=part.stream,
                    start_s=round(part.start_s, 3),
                    end_s=round(part.end_s, 3),
                    coverage=round(part.coverage, 4),
                )
                for part in report.parts
            ),
        ),
        provenance=rules.provenance,
    )


def interest_of(measured: Measured, rules: Rules) -> NDArray[np.float64]:
    """(T, P) how near each sample is to making each policy and index fire; see interest.py."""
    scores: Sequence[PolicyScores] = ()
    if rules.scorer is not None and "embedding" in measured.tracks:
        scores = rules.scorer.score(measured.tracks["embedding"])
    limits = {
        policy.id: (policy.thresholds.lowest, policy.release_score)
        for policy in rules.pack.policies
    }
    return interest(_source_tracks(measured), scores, limits, rules.indexes)


def judged(measured: Measured, signals: Sequence[str] | None) -> Measured:
    """What was measured, of these signals alone."""
    if signals is None:
        return measured
    tracks = {signal: track for signal, track in measured.tracks.items() if signal in signals}
    hits = measured.keypoint_hits if "keypoints" in signals else {}
    return replace(measured, tracks=tracks, keypoint_hits=hits)


def match_exemplars(measured: Measured, indexes: Sequence[ExemplarIndex]) -> list[Match]:
    """Every part of the source that agrees with a part of an exemplar, in any of the indexes."""
    source = _source_tracks(measured)
    return [
        match
        for index in indexes
        for match in find_matches(
            index, source, sha256=measured.digests.sha256, md5=measured.digests.md5
        )
    ]


def _source_tracks(measured: Measured) -> SourceTracks:
    return SourceTracks(
        measured.times_s, measured.report.end_s, measured.tracks, measured.keypoint_hits
    )


def source_record(
    uri: str,
    meta: Mapping[str, object],
    digests: Digests | None,
    info: VideoInfo | None = None,
    end_s: float | None = None,
) -> SourceRecord:
    """What the record says of the source, as far as it is known."""
    return SourceRecord(
        uri=uri,
        sha256=digests.sha256 if digests else None,
        md5=digests.md5 if digests else None,
        bytes=digests.bytes if digests else None,
        duration_s=None if end_s is None else round(end_s, 3),
        width=info.width if info else None,
        height=info.height if info else None,
        codec=info.codec if info else None,
        meta=dict(meta),
    )


def error_verdict(
    uri: str,
    meta: Mapping[str, object],
    digests: Digests | None,
    error: ErrorRecord,
    provenance: Provenance,
) -> Verdict:
    """The record of a source that cannot be read: a person should look."""
    return Verdict(
        id=verdict_id(uri, digests.sha256 if digests else None, provenance),
        source=source_record(uri, meta, digests),
        outcome="error",
        action="review",
        provenance=provenance,
        error=error,
    )
