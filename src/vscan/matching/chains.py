"""Chains of frame hits: one sample after another that agrees with an exemplar at one offset.

A copy played at its own speed shows the exemplar's second e at the source's second e + offset, for
one offset. So every pair of agreeing frames votes for its offset (a Hough transform over time, as
in Douze, Jégou, Schmid: "An image-based approach to video copy detection with spatio-temporal
post-filtering", IEEE Trans. Multimedia 2010), and what lies at one offset without large gaps is a
chain. Each sample of the source belongs to at most one chain of an exemplar, the strongest first:
a picture that stands still agrees at every offset, and would otherwise match over and over.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import SignalRows
from vscan.intervals import Interval
from vscan.matching.search import FrameHits
from vscan.tracks import Track

MAX_MISSED = 2
"""Samples in a row that may fail to agree within a chain; blank ones do not count."""
MAX_GAP_S = 10.0
"""Seconds that a chain may pass over, or four sampling steps where those are longer."""
MIN_SHARE = 0.5
"""Share of the samples within a chain that must agree; blank ones do not count."""
EMBEDDING_SAMPLES = 2
"""Samples that must agree in `embedding`, where source and exemplar are long enough to have them:
one frame that looks alike is no copy. One PDQ hash is."""
LONE_SHARE = 0.5
"""Where there is but one sample to compare (a picture, or a very short clip), it must agree in
`embedding` to within this share of the difference at the operating point."""


@dataclass(frozen=True, eq=False)
class SourceSamples:
    """The source's samples: when each begins and ends, and how they are counted."""

    times_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    """(T,) where the next sample begins, at most three usual steps on."""
    rank: NDArray[np.int64]
    """(T,) samples up to and with this one that may agree with anything."""
    step_s: float
    end_s: float

    @classmethod
    def of(cls, track: Track, usable: NDArray[np.bool_], end_s: float) -> SourceSamples:
        times_s = track.times_s
        last = max(end_s, float(times_s[-1])) if len(times_s) else end_s
        ends_s = np.append(times_s[1:], last)[: len(times_s)]
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else last
        ends_s = np.minimum(ends_s, times_s + 3 * step_s)
        return cls(times_s, ends_s, np.cumsum(usable), step_s, last)


@dataclass(frozen=True)
class ExemplarTime:
    """The exemplar's side: how densely it was sampled, and how long it is."""

    step_s: float
    duration_s: float
    still: bool
    """A picture: one sample, shown for as long as somebody likes."""

    @classmethod
    def of(cls, exemplar: Exemplar, rows: SignalRows, position: int) -> ExemplarTime:
        times_s = rows.times_s[rows.exemplar == position]
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.25
        duration_s = exemplar.duration_s
        if duration_s is None:
            duration_s = float(times_s[-1]) + (step_s if len(times_s) > 1 else 0.0)
        return cls(step_s, max(duration_s, float(times_s[-1])), len(times_s) == 1)


@dataclass(frozen=True, eq=False)
class Chain:
    """Samples of the source that agree with the exemplar at one offset."""

    picked: NDArray[np.int64]
    """(n,) the best hit of each sample, positions in the hits, by sample."""
    form: int
    source_span: Interval
    exemplar_span: Interval

    def followed_by(self, later: Chain) -> Chain:
        """This chain and one that goes on with the picture this one ended on."""
        ours, theirs = self.exemplar_span, later.exemplar_span
        return Chain(
            np.concatenate((self.picked, later.picked)),
            self.form,
            Interval(
                self.source_span.start_s, max(self.source_span.end_s, later.source_span.end_s)
            ),
            Interval(min(ours.start_s, theirs.start_s), max(ours.end_s, theirs.end_s)),
        )


class _Candidates:
    """Runs of hits waiting for their turn, the strongest first."""

    def __init__(
        self,
        hit: NDArray[np.int64],
        begins: NDArray[np.int64],
        strength: NDArray[np.float64],
    ) -> None:
        """`hit` falls into runs at `begins`; a run is as strong as its hits together."""
        self._hit, self._begins, self._strength = hit, begins, strength
        self._stops = np.append(begins[1:], len(hit))
        together = np.add.reduceat(strength[hit], begins)
        self._order = np.lexsort((begins, -together))
        self._negative = -together
        self._taken = 0
        self._put_back: list[tuple[float, int, NDArray[np.int64]]] = []
        self._count = 0

    def strongest(self) -> NDArray[np.int64] | None:
        """Takes the strongest run out; None when none is left."""
        waiting = self._taken < len(self._order)
        at = self._order[self._taken] if waiting else -1
        if self._put_back and not (waiting and self._negative[at] <= self._put_back[0][0]):
            return heapq.heappop(self._put_back)[2]
        if not waiting:
            return None
        self._taken += 1
        return self._hit[self._begins[at] : self._stops[at]]

    def put_back(self, hit: NDArray[np.int64]) -> None:
        """Lets a part of a run wait for its turn."""
        if len(hit):
            self._count += 1  # equals go in the order in which they came
            strength = float(self._strength[hit].sum())
            heapq.heappush(self._put_back, (-strength, self._count, hit))


class Alignment:
    """The hits of one source with one exemplar in one signal, and the chains they make."""

    def __init__(
        self,
        source: SourceSamples,
        exemplar: ExemplarTime,
        hits: FrameHits,
        chosen: NDArray[np.int64],
        rows: SignalRows,
        match_similarity: float,
    ) -> None:
        self.source, self.exemplar = source, exemplar
        self.sample, self.row = hits.sample[chosen], hits.row[chosen]
        self.form, self.difference = hits.form[chosen], hits.difference[chosen]
        self.offset_s = source.times_s[self.sample] - rows.times_s[self.row]
        # Half a step to the exemplar's nearest sample on either side, and half as much again for
        # frames that come a little after the time that was asked for.
        self.window_s = max(1.5 * exemplar.step_s, 0.1)
        enough = min(exemplar.duration_s / max(source.step_s, 1e-9), len(source.times_s))
        is_embedding = hits.signal == "embedding"
        self.least = EMBEDDING_SAMPLES if is_embedding and enough >= EMBEDDING_SAMPLES else 1
        self.lone_limit = LONE_SHARE * (1.0 - match_similarity) if is_embedding else np.inf

    def chains(self) -> list[Chain]:
        """Chains in time order, disjoint in the source, those of a held picture joined.

        The strongest is taken first; what overlaps with it loses what it took, and waits again
        for its turn with the rest.
        """
        candidates = self._candidates()
        used = np.zeros(len(self.source.times_s), np.bool_)
        wanted = np.unique(self.sample)
        found: list[Chain] = []
        while not used[wanted].all() and (hit := candidates.strongest()) is not None:
            free = hit[~used[self.sample[hit]]]
            sample = self.sample[free]
            ends = np.flatnonzero(np.diff(np.cumsum(used)[sample]) > 0) + 1
            if len(free) < len(hit) or len(ends):
                for piece in np.split(free, ends) if len(ends) else (free,):
                    candidates.put_back(piece)
            elif not self._is_dense(sample):
                widest = int(np.argmax(np.diff(self.source.rank[sample]))) + 1
                candidates.put_back(hit[:widest])
                candidates.put_back(hit[widest:])
            elif len(hit) >= self.least and self._is_sure(hit):
                found.append(self._chain(hit))
                used[sample[0] : sample[-1] + 1] = True
        return self._joined(sorted(found, key=lambda chain: chain.source_span))

    def _candidates(self) -> _Candidates:
        """The best hit of each sample for every window of offsets, cut at gaps."""
        every = np.arange(len(self.sample))
        half = np.floor(self.offset_s / (self.window_s / 2)).astype(np.int64)
        # Windows overlap by half, so that no offset lies on the edge of every one.
        hit, window = np.concatenate((every, every)), np.concatenate((half, half - 1))
        order = np.lexsort(
            (self.row[hit], self.difference[hit], self.sample[hit], window, self.form[hit])
        )
        hit, window = hit[order], window[order]
        key = np.stack((self.form[hit], window, self.sample[hit]))
        first = np.r_[True, np.any(key[:, 1:] != key[:, :-1], axis=0)]
        hit, key = hit[first], key[:, first]
        other = np.any(key[:2, 1:] != key[:2, :-1], axis=0)
        begins = np.flatnonzero(np.r_[True, other | self._gap(self.sample[hit])])
        worst = float(self.difference.max()) + 1e-9
        return _Candidates(hit, begins, 2 * worst - self.difference)

    def _is_sure(self, hit: NDArray[np.int64]) -> bool:
        """Whether several samples agree, or the only one does so closely."""
        return len(hit) >= EMBEDDING_SAMPLES or bool(self.difference[hit[0]] <= self.lone_limit)

    def _is_dense(self, sample: NDArray[np.int64]) -> bool:
        """Whether enough of the samples from the first to the last agree."""
        within = self.source.rank[sample[-1]] - self.source.rank[sample[0]] + 1
        return bool(len(sample) >= MIN_SHARE * within)

    def _gap(self, sample: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n - 1,) whether too much lies between a sample and the next one."""
        missed = np.diff(self.source.rank[sample]) - 1
        passed_s = np.diff(self.source.times_s[sample])
        allowed_s = max(MAX_GAP_S, 4 * self.source.step_s)
        far: NDArray[np.bool_] = (missed > MAX_MISSED) | (passed_s > allowed_s)
        return far

    def _chain(self, picked: NDArray[np.int64]) -> Chain:
        start_s = float(self.source.times_s[self.sample[picked[0]]])
        end_s = float(self.source.ends_s[self.sample[picked[-1]]])
        offset_s = float(np.median(self.offset_s[picked]))
        lasts_s = self.exemplar.duration_s
        if not self.exemplar.still:
            end_s = max(start_s, min(end_s, offset_s + lasts_s))
        from_s = min(max(start_s - offset_s, 0.0), lasts_s)
        to_s = min(max(end_s - offset_s, from_s), lasts_s)
        form = int(self.form[picked[0]])
        return Chain(picked, form, Interval(start_s, end_s), Interval(from_s, to_s))

    def _joined(self, chains: list[Chain]) -> list[Chain]:
        joined: list[Chain] = []
        for chain in chains:
            if joined and self._is_held(joined[-1], chain):
                joined[-1] = joined[-1].followed_by(chain)
            else:
                joined.append(chain)
        return joined

    def _is_held(self, earlier: Chain, later: Chain) -> bool:
        """Whether `later` begins with the picture on which `earlier` ended: a picture held longer
        than the exemplar holds it, which is one match and not one for every sample."""
        ends, begins = self.sample[earlier.picked[-1]], self.sample[later.picked[0]]
        if earlier.form != later.form or self._gap(np.array([ends, begins]))[0]:
            return False
        same_form = self.form == earlier.form
        of_end = self.row[(self.sample == ends) & same_form]
        of_begin = self.row[(self.sample == begins) & same_form]
        return bool(np.isin(of_end, of_begin).any())
