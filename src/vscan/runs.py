"""The run summary (`vscan.run/1`): how a run was set up, how it ended, what it came to and took.

It stands beside the verdicts and holds what no verdict may: times, durations, shards, counts.

    began, tally = Began(), RunTally()
    ...
    with Run(path, configuration, tally, began=began, output="verdicts.jsonl") as run:
        ...
        tally.count(verdict)
        run.exit_code = 0
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import orjson

from vscan.errors import InterruptedRunError, OutputError, TooManyErrors, VscanError
from vscan.folders import write_under
from vscan.names import shown
from vscan.remote.redacted import redacted, with_uris_redacted
from vscan.store.replaced import replacing
from vscan.tallies import RunCounts, RunSamples, RunTally
from vscan.verdicts import Provenance

Reason = Literal["running", "interrupted", "terminated", "too_many_errors", "failed"]
SummaryPlace = Path | tuple[Path | str, str]
"""Where a summary goes: a file, or a name below a folder as `storage.location` gives it."""
MOST_NAMES = 20
"""Of a list of inputs, in the settings."""
_OUTPUT_SUFFIXES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, kw_only=True)
class RunConfiguration:
    """What a run was told, and what it used."""

    command: str
    """As it is typed, without its options: `vscan scan`."""
    provenance: Provenance
    """As in every verdict of the run: version, pack, model, sampling, signals, indexes."""
    readers: tuple[str, ...]
    """Those that are installed, as `decord2 3.4.0`; which one served stands in each verdict."""
    workers: int
    shard: str | None
    """`2/5` for the second of five shares; null for a whole run."""
    settings: Mapping[str, Any]
    """The options that the command was given, and their defaults; no credentials of URIs."""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run of a command that writes verdicts."""

    schema: Literal["vscan.run/1"] = "vscan.run/1"
    output: str | None
    """The verdict file, as it was named; null for standard output."""
    finished: bool
    """Whether every input had its turn."""
    reason: Reason | None
    """Why it is not: `running` (at work, or killed before it could say more), `interrupted`
    (SIGINT), `terminated` (SIGTERM), `too_many_errors` (`--max-errors`), `failed`; null where it
    is."""
    message: str | None
    """What failed, or how many errors there were; else null."""
    exit_code: int | None
    """That the command ended with; null while it runs."""
    started_at: str
    """UTC, as `2026-11-25T02:33:10Z`."""
    ended_at: str | None
    wall_s: float
    """Seconds from start to end, loading of model and indexes included."""
    cpu_s: float
    """CPU seconds of all processes in that time."""
    configuration: RunConfiguration
    counts: RunCounts
    samples: RunSamples

    def to_json(self) -> bytes:
        """The document, indented, with a line end."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def summary_path(output: Path) -> Path:
    """Where the summary of a verdict file stands: `verdicts.run.json` beside `verdicts.jsonl`."""
    name = output.name
    for suffix in _OUTPUT_SUFFIXES:
        name = name.removesuffix(suffix) or name
    return output.with_name(f"{name}.run.json")


@dataclass(frozen=True)
class Began:
    """When a run began, by three clocks."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock_s: float = field(default_factory=time.monotonic)
    cpu_s: float = field(default_factory=lambda: cpu_seconds())


@dataclass
class Run:
    """One run from start to end, in whatever way it ends, with its summary kept up to date.

    On entry the summary says `running`; on exit it says how the run ended. Raises OutputError
    where it cannot be written, unless another error is under way.
    """

    path: SummaryPlace | None
    """None: no summary is written."""
    configuration: RunConfiguration
    tally: RunTally
    output: str | None = None
    damaged_tracks: Callable[[], int] | None = None
    """Asked at the end: tracks of the frame store that were found damaged."""
    exit_code: int = 0
    """Of a run that finishes; set it before the block ends."""
    began: Began = field(default_factory=Began)

    def summary(
        self, reason: Reason | None, *, message: str | None = None, exit_code: int | None = None
    ) -> RunSummary:
        """The summary as of now."""
        damaged = None if self.damaged_tracks is None else self.damaged_tracks()
        return RunSummary(
            output=self.output,
            finished=reason is None,
            reason=reason,
            message=message,
            exit_code=exit_code,
            started_at=_utc(self.began.at),
            ended_at=None if reason == "running" else _utc(datetime.now(UTC)),
            wall_s=round(time.monotonic() - self.began.clock_s, 3),
            cpu_s=round(cpu_seconds() - self.began.cpu_s, 3),
            configuration=self.configuration,
            counts=self.tally.counts(damaged_tracks=damaged),
            samples=self.tally.samples(),
        )

    def __enter__(self) -> Self:
        self._write(self.summary("running"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._write(self.summary(None, exit_code=self.exit_code))
            return
        with contextlib.suppress(OutputError):
            self._write(self._broken_off(error))

    def _broken_off(self, error: BaseException) -> RunSummary:
        code = exit_code_of(error)
        if isinstance(error, KeyboardInterrupt | InterruptedRunError):
            reason: Reason = "terminated" if code == 128 + 15 else "interrupted"
            return self.summary(reason, exit_code=code)
        said = error.message if isinstance(error, VscanError) else str(error)
        return self.summary(
            "too_many_errors" if isinstance(error, TooManyErrors) else "failed",
            message=_one_line(with_uris_redacted(said) or type(error).__name__),
            exit_code=code,
        )

    def _write(self, summary: RunSummary) -> None:
        if self.path is None:
            return
        if isinstance(self.path, tuple):
            write_under(*self.path, summary.to_json(), sync=True)
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path) as out:
                out.write(summary.to_json())
            out.close()
        except OSError as error:
            raise OutputError(
                f"{self.path}: the run summary cannot be written ({error.strerror})",
                remedy="free space, or name another place: --summary FILE",
            ) from error


def exit_code_of(error: BaseException) -> int:
    """The exit code of a command that this error ends."""
    if isinstance(error, BrokenPipeError):
        return 0  # whoever read the output has seen enough
    if isinstance(error, OSError):
        return VscanError.exit_code
    interrupted = isinstance(error, KeyboardInterrupt)
    return int(getattr(error, "exit_code", 128 + 2 if interrupted else 1))


def settings_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A command's options as they may stand in a summary: plain values, long lists cut short.

    Of a URI, user, password and what signs it are left out.
    """
    return {name: _plain(value) for name, value in sorted(parameters.items())}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        more = len(value) - MOST_NAMES
        cut = [f"and {more} more"] if more > 0 else []
        return [*(_plain(each) for each in value[:MOST_NAMES]), *cut]
    return without_secrets(str(value))


def without_secrets(name: str) -> str:
    """A path, or a URI without what gives access (`redacted`), as it may stand in a report."""
    return shown(redacted(name))


def installed_readers() -> tuple[str, ...]:
    """Name and version of each reader that is installed; nothing is imported."""
    found = []
    for distribution, name in (("decord2", "decord2"), ("decord", "decord"), ("av", "PyAV")):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(distribution)}")
    return tuple(found)


def cpu_seconds() -> float:
    """CPU seconds so far of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _one_line(text: str) -> str:
    # What cannot be written as UTF-8 (bytes of a file's name) must not cost the summary.
    return " ".join(text.encode("utf-8", "backslashreplace").decode().split())
