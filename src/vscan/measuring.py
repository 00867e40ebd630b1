"""Measuring one source: the samples that a plan asks for, and every signal of a recipe on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.decode.workers import ReaderPool, VideoSession
from vscan.digests import Digests
from vscan.errors import SourceError
from vscan.matching.keypoint_search import KeypointSearch
from vscan.matching.search import FrameHits
from vscan.media import (
    FrameBatch,
    ReadReport,
    Role,
    VideoInfo,
    added_up,
)
from vscan.recipe import Recipe
from vscan.sameness import Sameness
from vscan.sampling import FrameRequest, Known
from vscan.sources import Source
from vscan.tracks import Track

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex

Embed = Callable[[NDArray[np.uint8]], "Future[NDArray[np.float32]]"]
"""(N, H, W, 3) pictures to a future of (N, D) unit vectors."""
KeepFeatures = Callable[[NDArray[np.float64], NDArray[np.uint8]], None]
"""Takes times (N,) and features (N, K, W) of samples, as they are read."""
InterestOf = Callable[["Measured"], "NDArray[np.float64]"]
"""What was measured so far to (T, P), as sampling.Known.interest has it."""
KEYPOINTS_STEP_S = 0.5
"""Seconds between samples of an exemplar whose keypoints are kept: they bear a little motion."""
MAX_PENDING_BATCHES = 4
"""Batches of one video that may wait for the model before its reading pauses."""


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
        samples = _Samples(session, recipe, embed, indexes, keep_features)
        known = Known(duration_s=session.info.duration_s)
        while (request := recipe.plan.next_request(known)) is not None:
            samples.read(request)
            before, known = known, samples.known(known.rounds + 1, digests, interest)
            # After the gaps, which may lie where there is no frame at all, the same would be asked.
            if known.rounds > 2 and recipe.plan.follows and known.times_s == before.times_s:
                break
    if samples.report is None or len(samples.times_s) == 0:
        raise SourceError("no_frames", "not one frame of the video could be decoded")
    return samples.measured(digests, samples.report)  # may wait for the model: the reader is free


class _Samples:
    """Collects the samples of one session, round by round, into tracks."""

    def __init__(
        self,
        session: VideoSession,
        recipe: Recipe,
        embed: Embed,
        indexes: Sequence[ExemplarIndex],
        keep_features: KeepFeatures | None,
    ) -> None:
        self._session = session
        self._recipe = recipe
        self._embed = embed
        self._batches: list[FrameBatch] = []
        self._vectors: list[Future[NDArray[np.float32]]] = []
        self._sameness = Sameness() if recipe.plan.follows else None
        self._places: list[NDArray[np.int64]] = []
        """Of each sample's vector among those that were made, where some share one."""
        self._searches = keypoint_searches(indexes) if recipe.looks_up else {}
        self._keep_features = keep_features if recipe.looks_up else None
        self._looking_s = 0.0
        self._first_gap_s = 0.0
        self.report: ReadReport | None = None

    @property
    def times_s(self) -> NDArray[np.float64]:
        return np.concatenate([np.empty(0), *(batch.times_s for batch in self._batches)])

    def read(self, request: FrameRequest) -> None:
        """Answer one request of the plan; pictures go to the model while reading goes on."""
        for batch in self._session.read(request, self._recipe.measure):
            if self._recipe.image is not None:
                self._embed_new(batch.images)
            begun = time.thread_time()
            for search in self._searches.values():
                search.feed(batch.keypoints)
            self._looking_s += time.thread_time() - begun
            if self._keep_features is not None:
                self._keep_features(batch.times_s, batch.keypoints)
            self._batches.append(_kept(batch, self._recipe.role))
        latest = self._session.report
        self.report = latest if self.report is None else self.report.followed_by(latest)

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

    def known(self, rounds: int, digests: Digests, interest: InterestOf | None) -> Known:
        """What the plan may know after so many rounds."""
        assert self.report is not None  # noqa: S101 - a round was read
        told = None
        if interest is not None and self._recipe.plan.follows and len(self.times_s):
            told = interest(self.measured(digests, self.report))
        times_s = np.unique(self.times_s)
        if rounds == 1:
            self._first_gap_s = float(np.diff([*times_s, self.report.end_s]).max(initial=0.0))
        return Known(
            duration_s=self._session.info.duration_s,
            rounds=rounds,
            times_s=tuple(times_s.tolist()),
            end_s=self.report.end_s,
            first_gap_s=self._first_gap_s,
            interest=told,
        )

    def measured(self, digests: Digests, report: ReadReport) -> Measured:
        """The tracks of all rounds together, in time order, each time once."""
        times_s, first = np.unique(self.times_s, return_index=True)
        place = np.full(len(self.times_s), -1, np.int64)
        place[first] = np.arange(len(first))
        hits = {name: placed(search.hits(), place) for name, search in self._searches.items()}
        tracks = {track.signal: track for track in self._tracks(times_s, first, place)}
        cost_s = dict(report.cost_s)
        if self._searches:
            cost_s = added_up(cost_s, {"keypoints": self._looking_s})
        return Measured(
            digests=digests,
            info=self._session.info,
            report=report,
            plan=self._recipe.sampling,
            times_s=times_s,
            tracks=tracks,
            keypoint_hits=hits,
            cost_s=cost_s,
        )

    def _tracks(
        self, times_s: NDArray[np.float64], first: NDArray[np.int64], place: NDArray[np.int64]
    ) -> Iterator[Track]:
        spec = {"sampling": self._recipe.sampling}
        if self._vectors:
            vectors = np.concatenate([future.result() for future in self._vectors])
            if self._places:
                vectors = vectors[np.concatenate(self._places)]
            made_by = spec | {"model": self._recipe.model or ""}
            yield Track("embedding", times_s, vectors[first].astype(np.float16), spec=made_by)
        if "pdq" in self._recipe.signals:
            yield self._pdq_track(times_s, place, spec)
        if "keypoints" in self._recipe.signals and self._recipe.role == "exemplar":
            slots = np.concatenate([batch.keypoints for batch in self._batches])[first]
            apart = spaced(times_s, KEYPOINTS_STEP_S)
            yield Track(
                "keypoints", times_s[apart], slots[apart].reshape(len(apart), -1), spec=spec
            )

    def _pdq_track(
        self, times_s: NDArray[np.float64], place: NDArray[np.int64], spec: Mapping[str, str]
    ) -> Track:
        before = np.cumsum([0, *(len(batch) for batch in self._batches)])
        sample = place[
            np.concatenate(
                [batch.pdq_sample + at for batch, at in zip(self._batches, before, strict=False)]
            )
        ]
        hashes, quality, region = (
            np.concatenate([getattr(batch, name) for batch in self._batches])
            for name in ("pdq", "pdq_quality", "pdq_region")
        )
        order = np.lexsort((region, sample))
        order = order[sample[order] >= 0]
        return Track(
            "pdq",
            times_s[sample[order]],
            hashes[order].reshape(len(order), -1),
            quality[order],
            spec=spec,
            region=region[order],
        )


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


def spaced(times_s: NDArray[np.float64], step_s: float) -> NDArray[np.int64]:
    """Positions of times (T,) that lie at least `step_s` apart, the first one first."""
    chosen: list[int] = []
    for k, time_s in enumerate(times_s):
        if not chosen or time_s - times_s[chosen[-1]] >= step_s - 1e-3:
            chosen.append(k)
    return np.array(chosen, np.int64)


def _kept(batch: FrameBatch, role: Role) -> FrameBatch:
    """The batch without what would fill the memory on a long video: pictures, and features."""
    pictures = np.empty((len(batch), 0, 0, 3), np.uint8)
    features = np.empty((len(batch), 0, 0), np.uint8)
    keypoints = batch.keypoints if role == "exemplar" else features
    return replace(batch, images=pictures, keypoints=keypoints)
