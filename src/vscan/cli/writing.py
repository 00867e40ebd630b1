"""Verdicts of a scan or rescan into its output, one by one, and what is set right at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING

from vscan.cli.job import refuse_more_errors
from vscan.cli.telling import tell

if TYPE_CHECKING:
    from vscan.cli.progress import ScanProgress
    from vscan.cli.scan_end import Ended
    from vscan.cli.stopping import StopSignals
    from vscan.flood import Watch
    from vscan.runs import Run
    from vscan.store.records import RecordSink
    from vscan.verdicts import Verdict


def known_to(sink: RecordSink, ended: Ended) -> Callable[[str], bool]:
    """Tells which verdict ids the output holds already, and counts those that were asked for."""

    def is_done(verdict_id: str) -> bool:
        outcome = sink.outcome_of(verdict_id)
        if outcome is not None:
            ended.tally.earlier[verdict_id] = outcome
        return outcome is not None

    return is_done


def write_verdicts(
    verdicts: Generator[Verdict | None, None, None],
    sink: RecordSink,
    ended: Ended,
    *,
    progress: ScanProgress,
    stop: StopSignals,
    max_errors: int | None = None,
) -> None:
    """Write each verdict as it comes; None is one that was there before.

    Raises TooManyErrors once more of them are errors than `max_errors`.
    """
    with stop.graceful(), progress, closing(verdicts):
        for verdict in verdicts:
            with stop.shield():
                if verdict is not None:
                    sink.write(verdict)
                ended.count(verdict)
            progress.advance(verdict)
            if verdict is not None and verdict.error is not None:
                uri, failed = verdict.source.uri, verdict.error
                tell("source_error", failed.message, uri=uri, code=failed.code)
                refuse_more_errors(ended.tally, max_errors)


def settle(
    sink: RecordSink, ended: Ended, *, watch: Watch | None, run: Run, fail_on: str | None
) -> None:
    """Leave the output in its final state, without what flooded the run, and tell `run` how it
    ended."""
    if watch is not None and watch.floods:
        sink.amend_on_close(watch.amend)
    sink.finish()
    if watch is not None:
        ended.tally.settle(watch.amended)
    run.exit_code = ended.exit_code(fail_on)
