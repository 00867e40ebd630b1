"""Progress of long work on stderr: a bar for people, silence where stderr is not a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

    from vscan.verdicts import Verdict

T = TypeVar("T")

TICK_S = 1.0
"""Between two looks at the bar's clock: a long listing, or a long video, is no standstill."""


def all_listed(found: Iterable[T]) -> list[T]:
    """Every input, for a bar that needs to know how many; what takes longer than a second shows.

    A listing of object storage may take minutes, and pass over many objects that are no videos.
    """
    from tqdm import tqdm

    from vscan.cli.job_metrics import Ticker

    with tqdm(
        found,
        unit=" videos",
        desc="listing",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        delay=TICK_S,
        leave=False,
        ncols=shutil.get_terminal_size((80, 24)).columns,
    ) as bar:
        if bar.disable:
            return list(bar)
        with closing(Ticker(TICK_S, lambda: _refresh(bar))):
            return list(bar)


def _refresh(bar: tqdm[Any]) -> None:
    bar.refresh()


class ScanProgress:
    """Videos done, frames a second, time left and videos flagged, while a scan runs."""

    def __init__(self, total: int | None, *, doing: str = "scan") -> None:
        from tqdm import tqdm

        from vscan.cli.job_metrics import Ticker

        self._bar = tqdm(
            total=total,
            unit=" videos",
            desc=doing,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
            ncols=shutil.get_terminal_size((80, 24)).columns,
            smoothing=0.1,
        )
        self._ticker = None if self._bar.disable else Ticker(TICK_S, lambda: _refresh(self._bar))
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
        if self._ticker is not None:
            self._ticker.close()
        self._bar.close()
