"""Reads every file of a hostile corpus through a pool, and holds it against `ffmpeg`."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.hostile.reference import FIRST_VIDEO, frame_times, planned, sampled
from vscan.decode.workers import ReaderPool, ReadLimits, VideoSession
from vscan.errors import SourceError
from vscan.media import ImageSpec, Measure, ReadReport
from vscan.sampling import GridRequest

STEP_S = 1.0
SLACK_S = 0.11
"""A frame of the slowest clips, by which two readers may differ on a damaged file."""
BOMBS = "special.bomb"
"""How the names of files begin that a limit must refuse."""
MEASURE = Measure(ImageSpec(224, 224), pdq=True)


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    code: str
    """Error code; empty where the file was read."""
    wall_s: float
    resident_mib: float
    """Most memory that its reader process has held so far; 0 where it is gone."""
    wanted: int
    """Planned times for which the `ffmpeg` program shows a frame."""
    sampled: int
    """Those of them that were sampled."""
    planned: int
    read: int
    coverage: float
    reader: str
    warnings: tuple[str, ...]
    crash: str = ""
    """What was raised beside SourceError: a defect."""


def run_corpus(
    paths: Iterable[Path], *, timeout_s: float, compare: bool, say: Callable[[str], None] = print
) -> list[Outcome]:
    """One outcome for each file, read one after the other by one reader process."""
    outcomes = []
    with ReaderPool(1, ReadLimits(timeout_s=timeout_s)) as pool:
        for k, path in enumerate(paths):
            outcomes.append(_outcome(pool, path, compare))
            if k % 100 == 99:
                say(f"{k + 1} files")
    return outcomes


def _outcome(pool: ReaderPool, path: Path, compare: bool) -> Outcome:
    code = crash = ""
    times = np.empty(0)
    report: ReadReport | None = None
    resident, begun = 0.0, time.perf_counter()
    try:
        with pool.session(path) as video:
            try:
                times = _read(video)
                report = video.report
            finally:
                resident = peak_mib(video.process_id)
    except SourceError as error:
        code = error.code
    except Exception as error:  # noqa: BLE001 -- a crash of the parent is what is looked for
        crash = f"{type(error).__name__}: {error}"
    wall_s = time.perf_counter() - begun
    wanted, found = _compared(path, times, report) if compare else (0, 0)
    return Outcome(
        path.name,
        code,
        round(wall_s, 3),
        round(resident, 1),
        wanted,
        found,
        report.planned if report else 0,
        report.read if report else 0,
        round(report.coverage, 4) if report else 0.0,
        report.reader if report else "",
        report.warnings if report else (),
        crash,
    )


def _read(video: VideoSession) -> NDArray[np.float64]:
    batches = [batch.times_s for batch in video.read(GridRequest(STEP_S), MEASURE)]
    return np.concatenate([np.empty(0), *batches])


def _compared(path: Path, times: NDArray[np.float64], report: ReadReport | None) -> tuple[int, int]:
    """(planned times for which `ffmpeg` shows a frame, those sampled), over all video streams."""
    parts = report.parts if report else ()
    spans = [(f"0:{part.stream}", part.start_s, part.end_s) for part in parts]
    count = found = 0
    for stream, start_s, end_s in spans or [(FIRST_VIDEO, 0.0, np.inf)]:
        wanted = planned(frame_times(path, stream), STEP_S)
        own = times[(times >= start_s - 1e-6) & (times <= end_s)] - start_s
        count += len(wanted)
        found += int(sampled(wanted, own, STEP_S, SLACK_S).sum())
    return count, found


def peak_mib(pid: int | None) -> float:
    """The most memory that a process has held, in MiB (`VmHWM` of proc(5)); 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> None:
    """One JSON line for each outcome."""
    path.write_text("".join(json.dumps(asdict(each)) + "\n" for each in outcomes), "utf-8")


def summary(outcomes: list[Outcome], *, timeout_s: float) -> list[str]:
    """Lines that say how it went, the gates first."""
    bombs = [each for each in outcomes if each.name.startswith(BOMBS)]
    # What a limit refuses is refused whole, and that is meant.
    others = [each for each in outcomes if each not in bombs]
    wanted = sum(each.wanted for each in others)
    found = sum(each.sampled for each in others)
    share = found / wanted if wanted else 1.0
    lines = [
        f"files                      {len(outcomes)}",
        f"crashes of the parent      {sum(bool(each.crash) for each in outcomes)}",
        f"read / error               {sum(not e.code for e in outcomes)} / "
        f"{sum(bool(e.code) for e in outcomes)}",
        f"longest                    {max(e.wall_s for e in outcomes):.2f} s "
        f"(deadline {timeout_s:g} s)",
        f"ffmpeg's times sampled     {found} of {wanted}, {share:.2%} (gate 98 %)",
        f"bombs refused              {sum(bool(b.code) for b in bombs)} of {len(bombs)}, "
        f"slowest {max((b.wall_s for b in bombs), default=0.0):.2f} s (gate 2 s)",
        f"peak memory of a worker    {max(e.resident_mib for e in outcomes):.0f} MiB",
    ]
    codes = Counter(each.code for each in outcomes if each.code)
    lines += [f"  {code:<24} {count}" for code, count in sorted(codes.items())]
    lost = sorted(others, key=lambda each: each.sampled - each.wanted)
    for each in lost[:25]:
        if each.sampled < each.wanted:
            told = each.code or ", ".join(each.warnings)
            lines.append(
                f"  lost {each.wanted - each.sampled} of {each.wanted}: {each.name} {told}"
            )
    lines += [f"  CRASH {each.name}: {each.crash}" for each in outcomes if each.crash]
    return lines
