"""Chains of frame hits: one sample after another that agrees with an exemplar at one offset.

A copy played at its own speed shows the exemplar's second e at the source's second e + offset, for
one offset. So every pair of agreeing frames votes for its offset (a Hough transform over time, as
in Douze, Jégou, Schmid: "An image-based approach to video copy detection with spatio-temporal
post-filtering", IEEE Trans. Multimedia 2010), and what lies at one offset without large gaps is a
chain. Each sample of the source belongs to at most one chain of an exemplar, the strongest first:
a picture that stands still agrees at every offset, and would otherwise match over and over.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class Alignment:
    """The hits of one source with one exemplar in one signal, and the chains they make."""

    def __init__(
        self,
        source: SourceSamples,
        exemplar: ExemplarTime,
        hits: FrameHits,
        chosen: NDArray[np.int64],
        rows: SignalRows,
    ) -> None:
        self.source, self.exemplar = source, exemplar
        self.sample, self.row = hits.sample[chosen], hits.row[chosen]
        self.form, self.difference = hits.form[chosen], hits.difference[chosen]
        self.offset_s = source.times_s[self.sample] - rows.times_s[self.row]
        # Half a step to the exemplar's nearest sample on either side, and half as much again for
        # frames that come a little after the time that was asked for.
        self.window_s = max(1.5 * exemplar.step_s, 0.1)
        enough = min(exemplar.duration_s / max(source.step_s, 1e-9), len(source.times_s))
        self.used = np.zeros(len(source.times_s), np.bool_)
        self.least = EMBEDDING_SAMPLES if hits.signal == "embedding" and enough >= 2 else 1

    def chains(self) -> list[Chain]:
        """Chains in time order, disjoint in the source, those of a held picture joined."""
        used = self.used
        found: list[Chain] = []
        left = np.arange(len(self.sample))
        while len(left):
            before, contested = len(found), used.copy()
            remaining = np.unique(self.sample[left])
            for picked in self._candidates(left):
                span = slice(self.sample[picked[0]], self.sample[picked[-1]] + 1)
                if not contested[span].any():
                    found.append(self._chain(picked))
                    used[span] = True
                # What a stronger chain wanted is left for the next round, cut to what is free.
                contested[span] = True
                if contested[remaining].all():
                    break
            if len(found) == before:
                break
            left = left[~used[self.sample[left]]]
        return self._joined(sorted(found, key=lambda chain: chain.source_span))

    def _candidates(self, left: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Best hit of each sample for every window of offsets, cut at gaps; strongest first."""
        half = np.floor(self.offset_s[left] / (self.window_s / 2)).astype(np.int64)
        # Windows overlap by half, so that no offset lies on the edge of every one.
        hit, window = np.concatenate((left, left)), np.concatenate((half, half - 1))
        order = np.lexsort(
            (self.row[hit], self.difference[hit], self.sample[hit], window, self.form[hit])
        )
        hit, window = hit[order], window[order]
        key = np.stack((self.form[hit], window, self.sample[hit]))
        first = np.r_[True, np.any(key[:, 1:] != key[:, :-1], axis=0)]
        hit, key = hit[first], key[:, first]
        sample = self.sample[hit]
        taken = np.diff(np.cumsum(self.used)[sample]) > 0
        other = np.any(key[:2, 1:] != key[:2, :-1], axis=0)
        begins = np.flatnonzero(np.r_[True, other | taken | self._gap(sample)])
        stops = np.append(begins[1:], len(hit))
        count = stops - begins
        within = self.source.rank[sample[stops - 1]] - self.source.rank[sample[begins]] + 1
        holds = (count >= self.least) & (count >= MIN_SHARE * within)
        worst = float(self.difference.max()) + 1e-9
        strength = np.add.reduceat(2 * worst - self.difference[hit], begins)
        for at in np.lexsort((begins, -strength)):
            if holds[at]:
                yield hit[begins[at] : stops[at]]

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
