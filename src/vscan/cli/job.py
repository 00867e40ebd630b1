"""A command as a batch job: what it tells of itself while it runs, and what ends it early."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vscan.cli.telling import LogFormatName, tell
from vscan.errors import TooManyErrors
from vscan.remote.systems import scheme_of
from vscan.runs import Began, Run, exit_code_of
from vscan.tallies import RunTally
from vscan.verdicts import OUTCOMES

if TYPE_CHECKING:
    from vscan.job_metrics import JobMetrics
    from vscan.policies import PolicyPack

PROGRESS_S = 30.0
"""Between two events `progress`."""


class Job:
    """Within its block metrics are exported and progress is told, as far as they are asked for.

    Raises OutputError where the metrics file cannot be written, UsageError where the port cannot be
    had; both before anything is loaded.
    """

    def __init__(
        self,
        began: Began,
        *,
        log_format: LogFormatName = "text",
        metrics_file: Path | None = None,
        metrics_port: int | None = None,
        metrics_address: str = "127.0.0.1",
        output: str | None = None,
    ) -> None:
        """output: the verdict file, which metrics must not replace."""
        self.tally = RunTally()
        """Of the run: what is counted here is told and exported."""
        self.metrics: JobMetrics | None = None
        """Where counters of others go (`add`); None where none are exported."""
        self._began = began
        self._tells_progress = log_format == "json"
        self._file = metrics_file
        self._output = None if output is None or scheme_of(output) else Path(output)
        self._endpoint = None if metrics_port is None else (metrics_address, metrics_port)
        self._open = ExitStack()
        self._run: Run | None = None

    def __enter__(self) -> Self:
        if self._file is None and self._endpoint is None:
            return self
        from vscan.cli.job_metrics import MetricsEndpoint, MetricsFile
        from vscan.job_metrics import JobMetrics

        self.metrics = JobMetrics(self.tally, started_at=self._began.at)
        with ExitStack() as opened:
            if self._endpoint is not None:
                opened.enter_context(closing(MetricsEndpoint(*self._endpoint, self.metrics)))
            if self._file is not None:
                file = MetricsFile(self._file, self.metrics, output=self._output)
                opened.enter_context(closing(file))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.metrics is not None:
            if error is not None:
                self.metrics.ended(exit_code_of(error), finished=False)
            elif self._run is not None:
                self.metrics.ended(self._run.exit_code, finished=True)
        self._open.close()

    def runs(self, run: Run, pack: PolicyPack) -> None:
        """Take in the run that is about to begin, and say that it does."""
        from vscan.cli.job_metrics import Ticker

        self._run = run
        made_with = run.configuration.provenance
        if self.metrics is not None:
            self.metrics.runs(made_with, [policy.id for policy in pack.policies])
        tell(
            "started",
            f"{run.configuration.command} begins",
            command=run.configuration.command,
            vscan=made_with.vscan,
            pack=made_with.pack,
            model=made_with.model,
            workers=run.configuration.workers,
            output=run.output,
        )
        if self._tells_progress:
            begun_s = time.monotonic()
            self._open.enter_context(
                closing(Ticker(PROGRESS_S, lambda: self._tell_progress(begun_s)))
            )

    def _tell_progress(self, begun_s: float) -> None:
        now = dict(self.tally.outcomes)  # whole, while the main thread goes on counting
        done_before = self.tally.passed_over
        judged = sum(now.values())
        videos_per_s = judged / max(time.monotonic() - begun_s, 1e-9)
        tell(
            "progress",
            f"{judged + done_before} videos done, {videos_per_s:.2f} a second",
            sources=judged + done_before,
            outcomes={word: now.get(word, 0) for word in OUTCOMES},
            done_before=done_before,
            videos_per_s=round(videos_per_s, 3),
            wall_s=round(time.monotonic() - self._began.clock_s, 3),
        )


def refuse_more_errors(tally: RunTally, max_errors: int | None) -> None:
    """Raises TooManyErrors once more videos of this run ended as `error` than that."""
    errors = tally.outcomes["error"]
    if max_errors is None or errors <= max_errors:
        return
    most = ", ".join(f"{count} {code}" for code, count in tally.errors.most_common(3))
    videos = "1 video" if errors == 1 else f"{errors} videos"
    raise TooManyErrors(
        f"{videos} ended as error ({most}), and --max-errors is {max_errors}",
        remedy="what was done is kept; the same command goes on from there",
    )
