"""What a reader process spends on a file beside its signals: on finding and decoding frames."""

from __future__ import annotations

import time
from collections.abc import Mapping


class Spending:
    """Counts the CPU time of this process, decoder threads and all, from one report to the next."""

    def __init__(self) -> None:
        self._told_s = time.process_time()

    def shared_out(self, cost_s: Mapping[str, float]) -> dict[str, float]:
        """CPU seconds since the last report: those of each signal, and all others as `decode`.

        What a reading cost that failed before is in them, and opening the file in the first.
        """
        now_s = time.process_time()
        spent_s, self._told_s = now_s - self._told_s, now_s
        return {**cost_s, "decode": max(0.0, spent_s - sum(cost_s.values()))}
