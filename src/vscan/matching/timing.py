"""The two time axes of an alignment: the source's samples, and the exemplar's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.rows import SignalRows
from vscan.hashes.pdq import HASH_BYTES, hamming
from vscan.hashes.regions import WHOLE
from vscan.matching.search import SourceTracks

STILL_BITS = 6
"""Bits of PDQ by which a picture that is held may change from one sample to the next."""


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
    still: NDArray[np.bool_] | None = None
    """(T - 1,) whether a sample's picture is that of the next one; None where it was not hashed."""

    @classmethod
    def of(cls, source: SourceTracks) -> SourceSamples:
        """The samples of a source."""
        times_s, usable = source.times_s, source.usable
        last = max(source.end_s, float(times_s[-1])) if len(times_s) else source.end_s
        ends_s = np.append(times_s[1:], last)[: len(times_s)]
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else last
        ends_s = np.minimum(ends_s, times_s + 3 * step_s)
        return cls(times_s, ends_s, np.cumsum(usable), step_s, last, _still(source))


def _still(source: SourceTracks) -> NDArray[np.bool_] | None:
    hashed = source.tracks.get("pdq")
    if hashed is None:
        return None
    whole = slice(None) if hashed.region is None else hashed.region == WHOLE
    hashes = hashed.values[whole, :HASH_BYTES].astype(np.uint8)
    if len(hashes) != len(source.times_s):
        return None
    return np.asarray(hamming(hashes[:-1], hashes[1:]) <= STILL_BITS, np.bool_)


@dataclass(frozen=True)
class ExemplarTime:
    """The exemplar's side: how densely it was sampled, and how long it is."""

    step_s: float
    duration_s: float
    still: bool
    """A picture: one sample, shown for as long as somebody likes."""

    @classmethod
    def of(cls, exemplar: Exemplar, rows: SignalRows, position: int) -> ExemplarTime:
        times_s = np.unique(rows.times_s[rows.exemplar == position])
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.25
        duration_s = exemplar.duration_s
        if duration_s is None:
            duration_s = float(times_s[-1]) + (step_s if len(times_s) > 1 else 0.0)
        return cls(step_s, max(duration_s, float(times_s[-1])), len(times_s) == 1)
