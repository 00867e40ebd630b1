"""Unflagged content that grows: clusters of alike videos that came faster than the archive did.

Videos are held against each other by the mean direction of their embeddings. A cluster is what lies
within a cosine of its leader, the first video of its kind (leader clustering, Hartigan, "Clustering
algorithms", 1975, chapter 3): one pass, no seed, the same clusters each time. Videos are taken in
an order that follows from their URIs and not from their dates: taken by date a late leader could be
joined by late videos alone, and would seem to grow. Whether a cluster grows is asked of its dates
alone: Fisher's exact test of how many of its videos are of the last period, against all other
unflagged videos, with Holm's correction for the number of clusters asked about (Scand. J. Stat. 6,
1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import UsageError
from vscan.metrics.binomial import hypergeometric_tail
from vscan.metrics.moments import moment
from vscan.metrics.picking.answered import Answered
from vscan.metrics.picking.candidates import Candidate
from vscan.metrics.picking.record import Pick

LEAST = 5
"""Videos of a cluster that is asked about."""
LEVEL = 0.05
"""The chance that any cluster is called growing where none grows."""
SIMILARITY = 0.9
"""Cosine of pooled embeddings from which videos are alike, where nobody has said."""
PERIOD_DAYS = 7.0


@dataclass(frozen=True, eq=False)
class Cluster:
    """Alike videos, and how much faster they came than all others."""

    number: int
    """By the moment of its first video, from 1."""
    members: NDArray[np.intp]
    recent: int
    """Of the last period."""
    p: float
    """After Holm's correction."""


@dataclass
class Growing:
    """Gathers unflagged videos, and picks from the clusters that grow."""

    size: int
    seed: int
    answered: Answered
    period_days: float = PERIOD_DAYS
    similarity: float = SIMILARITY
    undated: int = 0
    """Videos without a date in `uploaded_at`, or without an embedding: left out."""
    left_out: int = 0
    """Videos that are answered already: they count in their cluster, and are not picked."""
    latest: float | None = None
    """Seconds since 1970 of the latest upload: the last period ends there."""
    clusters: int = 0
    tested: int = 0
    grow: list[Cluster] = field(default_factory=list)
    _videos: list[tuple[float, Candidate]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not 0.0 < self.period_days < float("inf"):
            raise UsageError(f"a period has more than 0 days, not {self.period_days:g}")
        if not 0.0 < self.similarity <= 1.0:
            raise UsageError(
                f"similarity must be above 0 and at most 1, not {self.similarity:g}",
                remedy="a cosine as 0.9",
            )

    def see(self, candidate: Candidate) -> None:
        """Take in a whole video."""
        if candidate.flagged:
            return
        moment = uploaded_at(candidate.meta)
        if moment is None or candidate.pooled is None:
            self.undated += 1
        else:
            self._videos.append((moment, candidate))

    def picks(self) -> Iterator[Pick]:
        """From every growing cluster in turn its middle, then what is least like what was picked of
        it. Raises UsageError where no video has a date."""
        if not self._videos:
            raise UsageError(
                "no unflagged video has an embedding and a date: growth cannot be told",
                remedy="scan from a list that says when each was uploaded: --from-file with"
                ' {"uri": "…", "uploaded_at": "2026-11-02T09:30:00Z"} a line',
            )
        self._videos.sort(key=lambda each: (each[0], each[1].uri))
        vectors = np.stack([each.pooled for _, each in self._videos if each.pooled is not None])
        moments = np.array([moment for moment, _ in self._videos])
        self.latest = float(moments[-1])
        recent = moments > self.latest - self.period_days * 86_400
        self._find(vectors, recent)
        yield from self._drawn(vectors, recent)

    def _find(self, vectors: NDArray[np.float32], recent: NDArray[np.bool_]) -> None:
        groups = self._groups(vectors)
        self.clusters = len(groups)
        asked = [(n, group) for n, group in enumerate(groups, start=1) if len(group) >= LEAST]
        self.tested = len(asked)
        p = [
            hypergeometric_tail(
                int(recent[group].sum()), len(group), int(recent.sum()), len(recent)
            )
            for _, group in asked
        ]
        for (number, group), corrected in zip(asked, holm(p), strict=True):
            if corrected <= LEVEL:
                found = Cluster(number, group, int(recent[group].sum()), corrected)
                self.grow.append(found)
        self.grow.sort(key=lambda each: (each.p, each.number))

    def _groups(self, vectors: NDArray[np.float32]) -> list[NDArray[np.intp]]:
        """Rows by cluster, in an order of leaders that no date has a part in; clusters by the
        moment of their first video."""
        places = [candidate.place(0) for _, candidate in self._videos]
        order = np.array(sorted(range(len(places)), key=places.__getitem__), np.intp)
        groups = [np.sort(order[rows]) for rows in clustered(vectors[order], self.similarity)]
        return sorted(groups, key=lambda rows: int(rows[0]))

    def _drawn(self, vectors: NDArray[np.float32], recent: NDArray[np.bool_]) -> Iterator[Pick]:
        orders = {each.number: self._order(each, vectors) for each in self.grow}
        chosen: dict[int, list[Candidate]] = {each.number: [] for each in self.grow}
        left = self.size
        while left and any(orders.values()):
            for number, order in orders.items():
                if left and order:
                    chosen[number].append(order.pop(0))
                    left -= 1
        for cluster in self.grow:
            count, of = len(cluster.members), len(recent)
            others = (int(recent.sum()) - cluster.recent) / max(1, of - count)
            reason = (
                f"cluster {cluster.number}: {count} alike, {cluster.recent} of them in the last"
                f" {self.period_days:g} days, against {others:.1%} of all other unflagged videos"
                f" (p {cluster.p:.2g})"
            )
            for candidate in chosen[cluster.number]:
                yield candidate.pick(
                    "growing",
                    self.seed,
                    stratum=f"cluster/{cluster.number}",
                    population=count,
                    sampled=len(chosen[cluster.number]),
                    reason=reason,
                )

    def _order(self, cluster: Cluster, vectors: NDArray[np.float32]) -> list[Candidate]:
        """Members that nobody has answered: the one nearest to their middle, then each time the one
        that is least like those before it."""
        open_still = [
            int(at) for at in cluster.members if self.answered.of(self._videos[at][1]) is None
        ]
        self.left_out += len(cluster.members) - len(open_still)
        if not open_still:
            return []
        own = vectors[open_still].astype(np.float64)
        nearest = own @ vectors[cluster.members].astype(np.float64).mean(axis=0)
        order = [int(np.argmax(nearest))]
        likeness = own @ own[order[0]]
        while len(order) < min(self.size, len(own)):
            likeness[order] = np.inf
            order.append(int(np.argmin(likeness)))
            likeness = np.maximum(likeness, own @ own[order[-1]])
        return [self._videos[open_still[at]][1] for at in order]


def clustered(vectors: NDArray[np.float32], similarity: float) -> list[NDArray[np.intp]]:
    """Rows of unit vectors (N, D) by cluster, clusters by their first row: each row joins the
    nearest leader within `similarity`, or leads a cluster of its own."""
    leaders = np.empty((64, vectors.shape[1]), np.float32)
    count = 0
    joined: list[list[int]] = []
    for at, vector in enumerate(vectors):
        if count:
            cosines = leaders[:count] @ vector
            nearest = int(np.argmax(cosines))
            if cosines[nearest] >= similarity:
                joined[nearest].append(at)
                continue
        if count == len(leaders):
            leaders = np.concatenate((leaders, np.empty_like(leaders)))
        leaders[count] = vector
        count += 1
        joined.append([at])
    return [np.array(rows, np.intp) for rows in joined]


def holm(p: list[float]) -> list[float]:
    """P-values corrected for their number: the chance that any is called real where none is stays
    below the level that they are held against."""
    corrected = [1.0] * len(p)
    most = 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        most = max(most, min(1.0, p[at] * (len(p) - rank)))
        corrected[at] = most
    return corrected


def uploaded_at(meta: Mapping[str, Any]) -> float | None:
    """Seconds since 1970 at which a video was uploaded, as its input list says; None where it says
    nothing that is a date. A time without a zone is UTC; a number is seconds since 1970."""
    try:
        return moment(meta.get("uploaded_at")).timestamp()
    except ValueError:
        return None
