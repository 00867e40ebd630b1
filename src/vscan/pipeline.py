"""The journey of one source: digests, samples, tracks, evidence, judgement, verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.decode.workers import ReaderPool, VideoSession
from vscan.digests import Digests, file_digests
from vscan.errors import SourceError, internal_error
from vscan.intervals import Interval
from vscan.judge import judge
from vscan.matching.align import find_matches
from vscan.media import FrameBatch, ImageSpec, ReadReport, VideoInfo
from vscan.names import record_uri
from vscan.sampling import FrameRequest, Known, Plan
from vscan.sources import Source
from vscan.tracks import Track
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

Embed = Callable[[NDArray[np.uint8]], "Future[NDArray[np.float32]]"]
"""(N, H, W, 3) pictures to a future of (N, D) unit vectors."""
MAX_PENDING_BATCHES = 4
"""Batches of one video that may wait for the model before its reading pauses."""


@dataclass(frozen=True)
class Recipe:
    """What is measured on every source, and how: all that a track depends on."""

    plan: Plan
    signals: tuple[str, ...]
    """Of `embedding` and `pdq`."""
    image: ImageSpec | None
    """The picture the model takes; None where no embedding is measured."""
    model: str | None
    """Fingerprint of the model; None where no embedding is measured."""


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


@dataclass(frozen=True, eq=False)
class Measured:
    """One source after reading: its tracks, and how the reading went."""

    digests: Digests
    info: VideoInfo
    report: ReadReport
    tracks: Mapping[str, Track]
    """By signal."""


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
        measured = measure(source, digests, recipe=recipe, readers=readers, embed=embed)
        return judge_source(source, measured, recipe=recipe, rules=rules)
    except SourceError as error:
        return error_verdict(source, digests, error, rules.provenance)
    except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
        return error_verdict(source, digests, internal_error(error), rules.provenance)


def measure(
    source: Source, digests: Digests, *, recipe: Recipe, readers: ReaderPool, embed: Embed
) -> Measured:
    """Read the samples that the plan asks for, and measure every signal of the recipe on them.

    Raises SourceError where the source cannot be read.
    """
    with readers.session(source.path) as session:
        samples = _Samples(session, recipe, embed)
        known = Known(duration_s=session.info.duration_s)
        while (request := recipe.plan.next_request(known)) is not None:
            samples.read(request)
            times_s = tuple(np.unique(samples.times_s).tolist())
            known = Known(session.info.duration_s, known.rounds + 1, times_s)
        report = samples.report
        if report is None or len(samples.times_s) == 0:
            raise SourceError("no_frames", "not one frame of the video could be decoded")
        return Measured(digests, session.info, report, samples.tracks())


class _Samples:
    """Collects the samples of one session, round by round, into tracks."""

    def __init__(self, session: VideoSession, recipe: Recipe, embed: Embed) -> None:
        self._session = session
        self._recipe = recipe
        self._embed = embed
        self._batches: list[FrameBatch] = []
        self._vectors: list[Future[NDArray[np.float32]]] = []
        self.report: ReadReport | None = None

    @property
    def times_s(self) -> NDArray[np.float64]:
        return np.concatenate([np.empty(0), *(batch.times_s for batch in self._batches)])

    def read(self, request: FrameRequest) -> None:
        """Answer one request of the plan; pictures go to the model while reading goes on."""
        wants_pdq = "pdq" in self._recipe.signals
        for batch in self._session.read(request, image=self._recipe.image, pdq=wants_pdq):
            if self._recipe.image is not None:
                self._vectors.append(self._embed(batch.images))
                if len(self._vectors) > MAX_PENDING_BATCHES:
                    self._vectors[-1 - MAX_PENDING_BATCHES].result()
            self._batches.append(_without_images(batch))
        latest = self._session.report
        self.report = latest if self.report is None else self.report.followed_by(latest)

    def tracks(self) -> dict[str, Track]:
        """The tracks of all rounds together, in time order, each time once."""
        times_s, order = np.unique(self.times_s, return_index=True)
        spec = {"sampling": self._recipe.plan.spec}
        tracks: dict[str, Track] = {}
        if self._vectors:
            vectors = np.concatenate([future.result() for future in self._vectors])
            tracks["embedding"] = Track(
                "embedding",
                times_s,
                vectors[order].astype(np.float16),
                spec=spec | {"model": self._recipe.model or ""},
            )
        if "pdq" in self._recipe.signals:
            hashes = np.concatenate([batch.pdq for batch in self._batches])
            quality = np.concatenate([batch.pdq_quality for batch in self._batches])
            tracks["pdq"] = Track(
                "pdq",
                times_s,
                hashes[order].reshape(len(order), -1),
                quality[order],
                spec=spec,
            )
        return tracks


def _without_images(batch: FrameBatch) -> FrameBatch:
    """The batch without its pictures, which would fill the memory on a long video."""
    nothing = np.empty((len(batch), 0, 0, 3), np.uint8)
    return FrameBatch(batch.times_s, nothing, batch.pdq, batch.pdq_quality)


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
    return [
        match
        for index in indexes
        for match in find_matches(
            index,
            measured.tracks,
            end_s=measured.report.end_s,
            sha256=measured.digests.sha256,
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
