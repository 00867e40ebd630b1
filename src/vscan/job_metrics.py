"""What a batch job exports while it runs, in Prometheus's text format, read from its tally.

Names follow Prometheus's own practice (https://prometheus.io/docs/practices/naming/): base units,
`_total` on what only grows. Nothing is counted twice: every number is the tally's.

    metrics = JobMetrics(tally, extra={"vscan_sent_bytes_total": lambda: sent.bytes})
    metrics.write(Path("vscan.prom"))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from vscan.errors import ERROR_CODES
from vscan.scratch import Scratch
from vscan.tallies import RunTally
from vscan.verdicts import OUTCOMES, Provenance

METRICS: dict[str, str] = {
    "vscan_videos_total": "videos that this run judged, by outcome",
    "vscan_errors_total": "videos of this run that ended as error, by error.code",
    "vscan_videos_passed_over_total": "videos for which the output held a final line already",
    "vscan_samples_planned_total": "samples that were planned",
    "vscan_samples_read_total": "samples that could be read",
    "vscan_video_seconds_total": "seconds of video that was judged",
    "vscan_findings_total": "findings of this run's verdicts, by policy",
    "vscan_fetched_objects_total": "objects behind URIs that were fetched whole",
    "vscan_fetched_bytes_total": "bytes that were fetched, those of broken fetches included",
    "vscan_fetch_retries_total": "requests that were sent again",
    "vscan_scratch_bytes": "bytes of the scratch space that are taken now",
    "vscan_run_start_time_seconds": "when the run began, in Unix time",
    "vscan_last_verdict_time_seconds": "when the last verdict came, in Unix time",
    "vscan_run_finished": "1 once every input had its turn, else 0",
    "vscan_run_exit_code": "exit code of the run; absent while it runs",
    "vscan_info": "what the run was made with",
}
"""By name, what each one means; docs/jobs.md has a row for each, which a test checks."""
_NAME = re.compile(r"vscan(_[a-z][a-z0-9]*)+")


class JobMetrics(Collector):
    """The metrics of one run. Reading them is safe while another thread counts."""

    def __init__(
        self,
        tally: RunTally,
        *,
        started_at: datetime | None = None,
        extra: Mapping[str, Callable[[], float]] | None = None,
    ) -> None:
        """extra: see `add`."""
        self._tally = tally
        self._started_at = datetime.now(UTC) if started_at is None else started_at
        self._extra: dict[str, Callable[[], float]] = {}
        self._provenance: Provenance | None = None
        self._policies: tuple[str, ...] = ()
        self._scratch: Scratch | None = None
        self._exit_code: int | None = None
        self._finished = False
        for name, value in (extra or {}).items():
            self.add(name, value)
        self.registry = CollectorRegistry()
        """Holds these metrics and nothing of the process."""
        self.registry.register(self)

    def add(self, name: str, value: Callable[[], float]) -> None:
        """Export one more number, that somebody else counts.

        name: `vscan_…_total` for what only grows, else a gauge. value: asked at every reading, from
        any thread; its docstring explains it. One that raises is left out of that reading. Raises
        ValueError for a name that is taken or is none.
        """
        if _NAME.fullmatch(name) is None or name in METRICS or name in self._extra:
            raise ValueError(f"{name!r} is taken, or no name of a metric of vscan's")
        self._extra[name] = value

    def runs(self, provenance: Provenance, policies: Iterable[str] = ()) -> None:
        """Take in what is known once everything is loaded. policies: told as 0 from the start."""
        self._provenance, self._policies = provenance, tuple(policies)

    def fetches(self, scratch: Scratch) -> None:
        """Take in where objects behind URIs are fetched to; exported from then on."""
        self._scratch = scratch

    def ended(self, exit_code: int, *, finished: bool) -> None:
        """Take in how the run ended."""
        self._exit_code, self._finished = exit_code, finished

    def write(self, path: Path) -> None:
        """Write them to a file, which is replaced whole. Raises OSError."""
        write_to_textfile(str(path), self.registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics as of now."""
        tally = self._tally
        yield _by("vscan_videos_total", "outcome", OUTCOMES, tally.outcomes)
        yield _by("vscan_errors_total", "code", ERROR_CODES, tally.errors)
        yield _by("vscan_findings_total", "policy", self._policies, tally.findings)
        for name, value in (
            ("vscan_videos_passed_over_total", tally.passed_over),
            ("vscan_samples_planned_total", tally.planned),
            ("vscan_samples_read_total", tally.read),
            ("vscan_video_seconds_total", tally.video_s),
        ):
            yield CounterMetricFamily(name, METRICS[name], value=value)
        for name, known in (
            ("vscan_run_start_time_seconds", self._started_at.timestamp()),
            ("vscan_last_verdict_time_seconds", tally.last_verdict_at),
            ("vscan_run_finished", float(self._finished)),
            ("vscan_run_exit_code", self._exit_code),
        ):
            if known is not None:
                yield GaugeMetricFamily(name, METRICS[name], value=known)
        yield from self._fetched()
        if (made_with := self._provenance) is not None:
            told = {"version": made_with.vscan, "pack": made_with.pack}
            told["model"] = made_with.model or ""
            yield InfoMetricFamily("vscan", METRICS["vscan_info"], value=told)
        for name, ask in self._extra.items():
            yield from _asked(name, ask)

    def _fetched(self) -> Iterator[Metric]:
        if self._scratch is None:
            return
        fetching = self._scratch.fetching
        for name, value in (
            ("vscan_fetched_objects_total", fetching.fetched),
            ("vscan_fetched_bytes_total", fetching.fetched_bytes),
            ("vscan_fetch_retries_total", fetching.retries),
        ):
            yield CounterMetricFamily(name, METRICS[name], value=value)
        name = "vscan_scratch_bytes"
        yield GaugeMetricFamily(name, METRICS[name], value=self._scratch.used_bytes)


def _by(name: str, label: str, known: Iterable[str], counts: Mapping[str, int]) -> Metric:
    """A counter with a label; those that are known beforehand stand there from the start."""
    family = CounterMetricFamily(name, METRICS[name], labels=[label])
    now = dict(counts)
    for value in dict.fromkeys((*known, *sorted(now))):
        family.add_metric([value], now.get(value, 0))
    return family


def _asked(name: str, ask: Callable[[], float]) -> Iterator[Metric]:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    try:
        value = float(ask())
    except Exception:  # noqa: BLE001 -- a number that cannot be had must not cost the others
        return
    yield kind(name, " ".join((ask.__doc__ or name).split()), value=value)
