"""The chance that an event falls between the samples, exactly, from the times of the samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SampleTimes:
    """When one video was looked at, as far as its reading went."""

    times_s: NDArray[np.float64]
    """(N,) presentation times of the samples, ascending, N >= 1."""
    length_s: float
    """Seconds that the whole video lasts."""
    whole: bool
    """Whether it was read to its end; else only as far as the last sample."""

    @property
    def seen_s(self) -> float:
        """Seconds from the start that the samples speak for."""
        return self.length_s if self.whole else float(self.times_s[-1])

    @property
    def samples(self) -> float:
        """Samples of the whole video; beyond where it was read as many in a second as before."""
        if self.whole:
            return float(len(self.times_s))
        return 1.0 + (len(self.times_s) - 1) * self.length_s / self.seen_s

    def starts_s(self, event_s: float) -> float:
        """Seconds of moments at which an event of `event_s` seconds may begin and lie within."""
        return max(0.0, self.length_s - event_s)

    def missed_starts_s(self, event_s: float) -> float:
        """Seconds among `starts_s` from which on no sample shows an event of `event_s` seconds.

        An event lies wholly within the video of T seconds, so its beginning s is one of [0, T - d],
        each as likely as the other. It is seen where a sample has a time t with s <= t <= s + d:
        a frame shows what is there at its presentation time. Between two neighbouring samples
        a < b it is missed where a < s and s + d < b, which is max(0, b - a - d) seconds of
        beginnings; before the first sample a the same holds of [0, a), after the last one b of
        (b, T]. These do not overlap, so that

            chance = sum over all gaps g of max(0, g - d) / (T - d)

        Of a video that was read in part, the gaps between its samples stand for those of the rest.
        """
        starts_s = self.starts_s(event_s)
        if starts_s == 0.0:
            return 0.0
        times_s = np.clip(self.times_s, 0.0, self.length_s)
        first_s, between_s = max(0.0, times_s[0] - event_s), np.diff(times_s) - event_s
        missed_s = float(np.maximum(0.0, between_s).sum())
        if self.whole:
            last_s = max(0.0, self.length_s - times_s[-1] - event_s)
        else:
            last_s = 0.0
            spanned_s = float(times_s[-1] - times_s[0])
            missed_s *= (self.length_s - times_s[0]) / spanned_s if spanned_s else 1.0
        return float(min(starts_s, first_s + missed_s + last_s))
