"""Measuring one source: the samples that a plan asks for, and every signal of a recipe on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.decode.workers import ReaderPool, VideoSession
from vscan.digests import Digests
from vscan.errors import SourceError
from vscan.halving import Gap, halves, in_portions
from vscan.held_frames import HeldFrames
from vscan.matching.keypoint_search import KeypointSearch
from vscan.matching.search import FrameHits
from vscan.media import (
    FrameBatch,
    ReadReport,
    VideoInfo,
    added_up,
)
from vscan.recipe import Recipe
from vscan.sameness import Sameness
from vscan.sample_batches import keypoints_track, pdq_track, without_weight
from vscan.sampling import FrameRequest, GapsRequest, Known, TimesRequest
from vscan.sources import Source
from vscan.tracks import Track

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex

Embed = Callable[[NDArray[np.uint8]], "Future[NDArray[np.float32]]"]
"""(N, H, W, 3) pictures to a future of (N, D) unit vectors."""
KeepFeatures = Callable[[NDArray[np.float64], NDArray[np.uint8]], None]
"""Takes times (N,) and features (N, K, W) of samples, as they are read."""
InterestOf = Callable[["Measured"], "NDArray[np.float64]"]
"""What was measured of some samples to their (T, P), as sampling.Known.interest has it. A sample's
interest must not depend on the others."""
MAX_PENDING_BATCHES = 4
"""Batches of one video that may wait for the model before its reading pauses."""
MOST_HELD = 64
"""Frames of one video that are held at a time until it is known whether they become samples; beside
them one batch of the reader, and one gap between samples may have more."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One source after reading: its tracks, and how the reading went."""

    digests: Digests
    info: VideoInfo
    report: ReadReport
    plan: str
    """The sampling plan that was read, as `fps:1`."""
    times_s: NDArray[np.float64]
    """(T,) of every sample, ascending, each once."""
    tracks: Mapping[str, Track]
    """By signal. A source has none of `keypoints`: they were looked up while it was read."""
    keypoint_hits: Mapping[str, FrameHits] = field(default_factory=dict)
    """By exemplar index."""
    cost_s: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds by signal, of measuring and of looking keypoints up, and under `decode` all else
    that the reader process did; the model's not counted."""


def measure(
    source: Source,
    digests: Digests,
    *,
    recipe: Recipe,
    readers: ReaderPool,
    embed: Embed,
    indexes: Sequence[ExemplarIndex] = (),
    keep_features: KeepFeatures | None = None,
    interest: InterestOf | None = None,
) -> Measured:
    """Read the samples that the plan asks for, and measure every signal of the recipe on them.

    indexes: those in which the keypoints of a source are looked up. keep_features: is handed them
    as well, for they are too many to be held until the end. interest: what plans that follow it are
    told of the samples read so far. Raises SourceError where the source
    cannot be read.
    """
    with readers.session(source.path, digests.stamp) as session:
        samples = _Samples(session, digests, recipe, embed, indexes, keep_features, interest)
        known = Known(duration_s=session.info.duration_s)
        while (request := recipe.plan.next_request(known)) is not None:
            if isinstance(request, GapsRequest):
                samples.halve(request.gaps)
                known = replace(known, looked=(*known.looked, *request.gaps))
            else:
                samples.read(request)
            known = samples.known(known)
    if samples.report is None or len(samples.times_s) == 0:
        raise SourceError("no_frames", "not one frame of the video could be decoded")
    return samples.measured()  # may wait for the model: the reader is free


class _Samples:
    """Collects the samples of one session, round by round, into tracks."""

    def __init__(
        self,
        session: VideoSession,
        digests: Digests,
        recipe: Recipe,
        embed: Embed,
        indexes: Sequence[ExemplarIndex],
        keep_features: KeepFeatures | None,
        interest: InterestOf | None,
    ) -> None:
        self._session = session
        self._digests = digests
        self._recipe = recipe
        self._embed = embed
        self._batches: list[FrameBatch] = []
        self._vectors: list[Future[NDArray[np.float32]]] = []
        self._sameness = Sameness() if recipe.plan.follows else None
        self._places: list[NDArray[np.int64]] = []
        """Of each sample's vector among those that were made, where some share one."""
        self._searches = keypoint_searches(indexes) if recipe.looks_up else {}
        self._keep_features = keep_features if recipe.looks_up else None
        self._interest = interest if recipe.plan.follows else None
        self._interests: list[NDArray[np.float64]] = []
        """Of the samples of the first `_told` batches, in their order."""
        self._told = 0
        self._looking_s = 0.0
        self._first_gap_s = 0.0
        self.report: ReadReport | None = None

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Of all samples in the order in which they were taken; a time may stand there twice."""
        return np.concatenate([np.empty(0), *(batch.times_s for batch in self._batches)])

    def read(self, request: FrameRequest) -> None:
        """Answer one request of the plan; pictures go to the model while reading goes on."""
        for batch in self._session.read(request, self._recipe.measure):
            self._take(batch)
        self._add(self._session.report)

    def halve(self, gaps: Sequence[Gap]) -> None:
        """Read all frames that halving these gaps may need, and take those that it does need.

        Goes by portions of the gaps, not by the reader's batches: which pictures look the same as
        the last one embedded depends on their order.
        """
        times_s = tuple(time_s for gap in gaps for time_s in gap.times_s)
        held = HeldFrames(self._session.read(TimesRequest(times_s), self._recipe.measure))
        taken = 0
        for portion in in_portions(gaps, MOST_HELD):
            until_s = portion[-1].stop_s
            held.draw(until_s)
            while chosen := halves(*self._told_of_all(), held.times_s(until_s)):
                for batch in held.taken(chosen):
                    self._take(batch)
                taken += len(chosen)
            held.let_go(until_s)
        held.drain()
        report = self._session.report
        missed = report.planned - report.read  # whether or not they would have been needed
        self._add(replace(report, planned=taken + missed, read=taken))

    def _take(self, batch: FrameBatch) -> None:
        """Frames that are samples."""
        if self._recipe.image is not None:
            self._embed_new(batch.images)
        begun = time.thread_time()
        for search in self._searches.values():
            search.feed(batch.keypoints)
        self._looking_s += time.thread_time() - begun
        if self._keep_features is not None:
            self._keep_features(batch.times_s, batch.keypoints)
        self._batches.append(without_weight(batch, self._recipe.role))

    def _add(self, report: ReadReport) -> None:
        self.report = report if self.report is None else self.report.followed_by(report)

    def _embed_new(self, images: NDArray[np.uint8]) -> None:
        """Hands to the model what does not look the same as what it had last."""
        if self._sameness is not None:
            new, places = self._sameness.places(images)
            self._places.append(places)
            images = images[new]
        if not len(images):
            return
        self._vectors.append(self._embed(images))
        if len(self._vectors) > MAX_PENDING_BATCHES:
            self._vectors[-1 - MAX_PENDING_BATCHES].result()

    def known(self, before: Known) -> Known:
        """What the plan may know after one more round."""
        assert self.report is not None  # noqa: S101 - a round was read
        times_s, told = np.unique(self.times_s), None
        if self._interest is not None and len(times_s):
            times_s, told = self._told_of_all()
        if before.rounds == 0:
            self._first_gap_s = float(np.diff([*times_s, self.report.end_s]).max(initial=0.0))
        return replace(
            before,
            rounds=before.rounds + 1,
            times_s=tuple(times_s.tolist()),
            end_s=self.report.end_s,
            first_gap_s=self._first_gap_s,
            interest=told,
        )

    def _told_of_all(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times (T,) of all samples, ascending, each once, and their interest (T, P); that of each
        is worked out once. Waits for the model."""
        assert self._interest is not None  # noqa: S101 - the plan follows it
        if self._told < len(self._batches):
            new = self.measured(since=self._told)
            at = np.searchsorted(
                new.times_s,
                np.concatenate([batch.times_s for batch in self._batches[self._told :]]),
            )
            self._interests.append(self._interest(new)[at])
            self._told = len(self._batches)
        times_s, first = np.unique(self.times_s, return_index=True)
        return times_s, np.concatenate(self._interests)[first]

    def measured(self, since: int = 0) -> Measured:
        """The tracks of all batches together, or from one on, in time order, each time once."""
        assert self.report is not None  # noqa: S101 - a round was read
        batches = self._batches[since:]
        every_s = np.concatenate([np.empty(0), *(batch.times_s for batch in batches)])
        times_s, first = np.unique(every_s, return_index=True)
        place = np.full(len(self.times_s), -1, np.int64)
        place[len(place) - len(every_s) + first] = np.arange(len(first))
        hits = {name: placed(search.hits(), place) for name, search in self._searches.items()}
        place = place[len(place) - len(every_s) :]
        spec = {"sampling": self._recipe.sampling}
        tracks: dict[str, Track] = {}
        if self._vectors:
            vectors = self._vectors_of(since)[first].astype(np.float16)
            made_by = spec | {"model": self._recipe.model or ""}
            tracks["embedding"] = Track("embedding", times_s, vectors, spec=made_by)
        if "pdq" in self._recipe.signals:
            tracks["pdq"] = pdq_track(batches, times_s, place, spec)
        if "keypoints" in self._recipe.signals and self._recipe.role == "exemplar":
            tracks["keypoints"] = keypoints_track(batches, times_s, first, spec)
        cost_s = dict(self.report.cost_s)
        if self._searches:
            cost_s = added_up(cost_s, {"keypoints": self._looking_s})
        return Measured(
            digests=self._digests,
            info=self._session.info,
            report=self.report,
            plan=self._recipe.sampling,
            times_s=times_s,
            tracks=tracks,
            keypoint_hits=hits,
            cost_s=cost_s,
        )

    def _vectors_of(self, since: int) -> NDArray[np.float32]:
        """(N, D) of the samples of all batches from that one on. Waits for the model."""
        if not self._places:
            return np.concatenate([future.result() for future in self._vectors])
        places = np.concatenate(self._places[since:])
        vectors = np.concatenate([future.result() for future in self._vectors])
        return vectors[places]


def keypoint_searches(indexes: Iterable[ExemplarIndex]) -> dict[str, KeypointSearch]:
    """By index that holds keypoints, what looks those of one source up."""
    return {index.name: KeypointSearch(index) for index in indexes if "keypoints" in index.signals}


def placed(hits: FrameHits, place: NDArray[np.int64]) -> FrameHits:
    """Hits of samples in the order in which they were looked up, in that of their times.

    place: (N,) position in time of each sample looked up; -1 for one that was read before.
    """
    sample = place[hits.sample]
    found = replace(hits, sample=sample).where(np.flatnonzero(sample >= 0))
    return found.where(np.argsort(found.sample, kind="stable"))
