"""The journey of one source: digests, samples, tracks, evidence, judgement, verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vscan.decode.workers import ReaderPool
from vscan.digests import Digests, file_digests
from vscan.errors import SourceError, internal_error
from vscan.intervals import Interval
from vscan.judge import judge
from vscan.matching.align import find_matches
from vscan.matching.search import SourceTracks
from vscan.measuring import Embed, Measured, Recipe, measure
from vscan.media import VideoInfo
from vscan.names import record_uri
from vscan.sources import Source
from vscan.verdicts import (
    ErrorRecord,
    Provenance,
    Samples,
    SourceRecord,
    Verdict,
    verdict_id,
)

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
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


def scan_source(
    source: Source,
    *,
    recipe: Recipe,
    rules: Rules,
    readers: ReaderPool,
    embed: Embed,
    is_done: Callable[[str], bool] = lambda _: False,
) -> Verdict | None:
    """The verdict of one source, whatever happens to it; None where `is_done` knows it already."""
    digests: Digests | None = None
    try:
        digests = file_digests(source.path)
        if is_done(verdict_id(record_uri(source.uri), digests.sha256, rules.provenance)):
            return None
        measured = measure(
            source, digests, recipe=recipe, readers=readers, embed=embed, indexes=rules.indexes
        )
        return judge_source(source, measured, recipe=recipe, rules=rules)
    except SourceError as error:
        return error_verdict(source, digests, error, rules.provenance)
    except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
        return error_verdict(source, digests, internal_error(error), rules.provenance)


def judge_source(source: Source, measured: Measured, *, recipe: Recipe, rules: Rules) -> Verdict:
    """Hold the tracks of one source against the pack and the indexes. Needs no decoder."""
    report, info = measured.report, measured.info
    scores: Sequence[PolicyScores] = ()
    if rules.scorer is not None and "embedding" in measured.tracks:
        scores = rules.scorer.score(measured.tracks["embedding"])
    judgement = judge(
        rules.pack,
        scores=scores,
        matches=match_exemplars(measured, rules.indexes),
        end_s=report.end_s,
        coverage=report.coverage,
        gaps=[Interval(*gap) for gap in report.gaps_s],
    )
    return Verdict(
        id=verdict_id(record_uri(source.uri), measured.digests.sha256, rules.provenance),
        source=source_record(source, measured.digests, info, report.end_s),
        outcome=judgement.outcome,
        action=judgement.action,
        reasons=judgement.reasons,
        warnings=tuple(dict.fromkeys((*rules.warnings, *info.warnings, *report.warnings))),
        findings=judgement.findings,
        suppressed=judgement.suppressed,
        samples=Samples(
            plan=recipe.plan.spec,
            planned=report.planned,
            read=report.read,
            coverage=round(report.coverage, 4),
            gaps_s=report.gaps_s,
            reader=report.reader,
            skipped_packets=report.skipped_packets,
        ),
        provenance=rules.provenance,
    )


def match_exemplars(measured: Measured, indexes: Sequence[ExemplarIndex]) -> list[Match]:
    """Every part of the source that agrees with a part of an exemplar, in any of the indexes."""
    source = SourceTracks(
        measured.times_s, measured.report.end_s, measured.tracks, measured.keypoint_hits
    )
    return [
        match
        for index in indexes
        for match in find_matches(
            index, source, sha256=measured.digests.sha256, md5=measured.digests.md5
        )
    ]


def source_record(
    source: Source,
    digests: Digests | None,
    info: VideoInfo | None = None,
    end_s: float | None = None,
) -> SourceRecord:
    """What the record says of the source, as far as it is known."""
    return SourceRecord(
        uri=record_uri(source.uri),
        sha256=digests.sha256 if digests else None,
        md5=digests.md5 if digests else None,
        bytes=digests.bytes if digests else None,
        duration_s=None if end_s is None else round(end_s, 3),
        width=info.width if info else None,
        height=info.height if info else None,
        codec=info.codec if info else None,
        meta=dict(source.meta),
    )


def error_verdict(
    source: Source, digests: Digests | None, error: SourceError, provenance: Provenance
) -> Verdict:
    """The record of a source that cannot be read: a person should look."""
    return Verdict(
        id=verdict_id(record_uri(source.uri), digests.sha256 if digests else None, provenance),
        source=source_record(source, digests),
        outcome="error",
        action="review",
        provenance=provenance,
        error=ErrorRecord(code=error.code, message=error.message),
    )
