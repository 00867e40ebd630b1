"""Progress of long work on stderr: a bar for people, silence where stderr is not a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from vscan.verdicts import Verdict


class ScanProgress:
    """Videos done, frames a second, time left and videos flagged, while a scan runs."""

    def __init__(self, total: int | None, *, doing: str = "scan") -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=total,
            unit=" videos",
            desc=doing,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
            ncols=shutil.get_terminal_size((80, 24)).columns,
            smoothing=0.1,
        )
        self._begun = time.monotonic()
        self._frames = 0
        self._flagged = 0

    def advance(self, verdict: Verdict | None) -> None:
        """Count one more video; None for one that was done before."""
        if verdict is not None:
            self._frames += verdict.samples.read if verdict.samples else 0
            self._flagged += verdict.outcome in ("review", "violation")
        seconds = max(time.monotonic() - self._begun, 1e-9)
        self._bar.set_postfix_str(
            f"{self._frames / seconds:.1f} frames/s, {self._flagged} flagged", refresh=False
        )
        self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()
