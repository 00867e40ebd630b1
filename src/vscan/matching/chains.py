"""Chains of frame hits: one sample after another that agrees with an exemplar at one offset.

A copy shows the exemplar's second e at the source's second offset + e / speed. So for each speed
that is likely (speeds.py) every pair of agreeing frames votes for its offset (a Hough transform
over time, as in Douze, Jégou, Schmid: "An image-based approach to video copy detection with
spatio-temporal post-filtering", IEEE Trans. Multimedia 2010), and what lies at one offset without
large gaps is a chain. Each sample of the source belongs to at most one chain of an exemplar, the
strongest first: a picture that stands still agrees at every offset, and would otherwise match over
and over.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.rows import SignalRows
from vscan.intervals import Interval
from vscan.matching.match import OPERATING_INLIERS
from vscan.matching.proof import proves, steady
from vscan.matching.search import FrameHits
from vscan.matching.speeds import fitted_speed, likely_speeds
from vscan.matching.timing import ExemplarTime, SourceSamples

MAX_MISSED = 2
"""Samples in a row that may fail to agree within a chain; blank ones do not count."""
MAX_GAP_S = 10.0
"""Seconds that a chain may pass over, or four sampling steps where those are longer."""
OTHER_SPEED = 0.9
"""How much less a run counts at another speed than 1: where both explain the hits, it is 1."""
MIN_SHARE = 0.5
"""Share of the samples within a chain that must agree; blank ones do not count."""
SEVERAL = 2
"""Samples that must agree in `embedding`, where source and exemplar are long enough to have them:
one frame that looks alike is no copy."""
LONE_BITS = 24
"""Bits to which a PDQ hash must agree where it is the only one of a video that could have more:
shows that share a template agree to hardly less than MATCH_DISTANCE, here and there."""
ALIKE = {"pdq": 6.0, "keypoints": 0.3, "embedding": 0.25}
"""Difference between two chains up to which they show one picture that is held: bits, natural
logarithm of the number of inliers, share of the difference at the operating point."""
LONE_SHARE = 0.5
"""Where there is but one sample to compare (a picture, or a very short clip), it must agree in
`embedding` to within this share of the difference at the operating point."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Samples of the source that agree with the exemplar at one offset."""

    picked: NDArray[np.int64]
    """(n,) the best hit of each sample, positions in the hits, by sample."""
    form: int
    source_span: Interval
    exemplar_span: Interval
    speed: float = 1.0

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
            self.speed,
        )


@dataclass(frozen=True, eq=False)
class _Run:
    """Hits at one speed, form and offset without a gap, the best of each sample."""

    hit: NDArray[np.int64]
    speed: float


class _Candidates:
    """Runs of hits waiting for their turn, the strongest first."""

    def __init__(self, runs: list[_Run], strength: NDArray[np.float64]) -> None:
        """strength: (H,) of every hit; a run is as strong as its hits together."""
        self._strength = strength
        self._waiting: list[tuple[float, int, _Run]] = []
        self._count = 0
        for run in runs:
            self.put_back(run)

    def strongest(self) -> _Run | None:
        """Takes the strongest run out; None when none is left."""
        return heapq.heappop(self._waiting)[2] if self._waiting else None

    def put_back(self, run: _Run) -> None:
        """Lets a run wait for its turn."""
        if len(run.hit):
            self._count += 1  # equals go in the order in which they came
            together = float(self._strength[run.hit].sum())
            together *= 1.0 if run.speed == 1.0 else OTHER_SPEED
            heapq.heappush(self._waiting, (-together, self._count, run))


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
        self.affine = None if hits.affine is None else hits.affine[chosen]
        self.similarity = None if hits.similarity is None else hits.similarity[chosen]
        self.fitting = None if hits.fitting is None else hits.fitting[chosen]
        self.telling = None if hits.telling is None else hits.telling[chosen]
        self.source_s = source.times_s[self.sample]
        self.exemplar_s = rows.times_s[self.row]
        # Half a step to the exemplar's nearest sample on either side, and half as much again for
        # frames that come a little after the time that was asked for.
        self.window_s = max(1.5 * exemplar.step_s, 0.1)
        enough = min(exemplar.duration_s / max(source.step_s, 1e-9), len(source.times_s))
        is_embedding = hits.signal == "embedding"
        self.alike = ALIKE[hits.signal] * (1.0 - match_similarity if is_embedding else 1.0)
        self.least = SEVERAL if is_embedding and enough >= SEVERAL else 1
        self.lone_limit = LONE_SHARE * (1.0 - match_similarity) if is_embedding else np.inf
        if hits.signal == "pdq" and enough >= SEVERAL:
            self.lone_limit = LONE_BITS

    def chains(self) -> list[Chain]:
        """Chains in time order, disjoint in the source, those of a held picture joined.

        The strongest is taken first; what overlaps with it loses what it took, and waits again
        for its turn with the rest.
        """
        candidates = self._candidates()
        used = np.zeros(len(self.source.times_s), np.bool_)
        wanted = np.unique(self.sample)
        found: list[Chain] = []
        while not used[wanted].all() and (run := candidates.strongest()) is not None:
            free = run.hit[~used[self.sample[run.hit]]]
            sample = self.sample[free]
            ends = np.flatnonzero(np.diff(np.cumsum(used)[sample]) > 0) + 1
            if len(free) < len(run.hit) or len(ends):
                for piece in np.split(free, ends) if len(ends) else (free,):
                    candidates.put_back(_Run(piece, run.speed))
            elif not (same := self._steady(free)).all():
                candidates.put_back(_Run(free[same], run.speed))
                candidates.put_back(_Run(free[~same], run.speed))
            elif not self._is_dense(sample):
                widest = int(np.argmax(np.diff(self.source.rank[sample]))) + 1
                candidates.put_back(_Run(free[:widest], run.speed))
                candidates.put_back(_Run(free[widest:], run.speed))
            elif len(free) >= self.least and self._is_sure(free):
                found.append(self._chain(run))
                used[sample[0] : sample[-1] + 1] = True
        return self._joined(sorted(found, key=lambda chain: chain.source_span))

    def _candidates(self) -> _Candidates:
        """The best hit of each sample for every speed and window of offsets, cut at gaps."""
        worst = float(self.difference.max()) + 1e-9
        speeds = likely_speeds(self.source_s, self.exemplar_s, self.difference)
        runs = [run for speed in speeds for run in self._runs(speed)]
        strength = 2 * worst - self.difference
        if self.fitting is not None:
            strength = OPERATING_INLIERS / self.difference
        return _Candidates(runs, strength)

    def _runs(self, speed: float) -> list[_Run]:
        every = np.arange(len(self.sample))
        offset_s = self.source_s - self.exemplar_s / speed
        half = np.floor(offset_s / (self.window_s / speed / 2)).astype(np.int64)
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
        return [_Run(piece, speed) for piece in np.split(hit, begins[1:])]

    def _is_sure(self, hit: NDArray[np.int64]) -> bool:
        """Whether so many samples agree, or the only one so closely, that it is no chance."""
        if self.fitting is not None and self.telling is not None:
            inliers = OPERATING_INLIERS / self.difference[hit]
            return proves(inliers, self.fitting[hit], self.telling[hit])
        return len(hit) >= SEVERAL or bool(self.difference[hit[0]] <= self.lone_limit)

    def _steady(self, hit: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) which hits show the exemplar as large and at the same place as most of them do."""
        if self.affine is None:
            return np.ones(len(hit), np.bool_)
        return steady(self.affine[hit], self.difference[hit])

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

    def _chain(self, run: _Run) -> Chain:
        picked, lasts_s = run.hit, self.exemplar.duration_s
        start_s = float(self.source.times_s[self.sample[picked[0]]])
        end_s = float(self.source.ends_s[self.sample[picked[-1]]])
        source_s, exemplar_s = self.source_s[picked], self.exemplar_s[picked]
        speed = fitted_speed(source_s, exemplar_s, run.speed, self.exemplar.step_s)
        offset_s = float(np.median(source_s - exemplar_s / speed))
        if not self.exemplar.still:
            end_s = max(start_s, min(end_s, offset_s + lasts_s / speed))
        from_s = min(max((start_s - offset_s) * speed, 0.0), lasts_s)
        to_s = min(max((end_s - offset_s) * speed, from_s), lasts_s)
        form = int(self.form[picked[0]])
        return Chain(picked, form, Interval(start_s, end_s), Interval(from_s, to_s), speed)

    def _joined(self, chains: list[Chain]) -> list[Chain]:
        """Chains with those of a held picture as one, and without shadows: a source that shows the
        exemplar's scene longer than it does agrees with its first or last frame for a while."""
        joined: list[Chain] = []
        for chain in chains:
            if not joined or not self._is_held(joined[-1], chain):
                joined.append(chain)
            elif self._stands_still(joined[-1], chain):
                joined[-1] = joined[-1].followed_by(chain)
            elif len(chain.picked) > len(joined[-1].picked):
                joined[-1] = chain
        return joined

    def _stands_still(self, earlier: Chain, later: Chain) -> bool:
        """Whether the source's own picture stands still where one chain follows the other; where
        that is not known, whether both agree with the exemplar about as well."""
        ends, begins = self.sample[earlier.picked[-1]], self.sample[later.picked[0]]
        if self.source.still is not None:
            return bool(self.source.still[ends:begins].all())
        one, other = (float(np.median(self.difference[c.picked])) for c in (earlier, later))
        if self.fitting is not None:
            one, other = float(np.log(one)), float(np.log(other))
        return abs(one - other) <= self.alike

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
