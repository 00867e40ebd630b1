"""What `vscan scan --timings` prints on stderr when a scan has ended: where its time went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vscan.cli.telling import tell_table
from vscan.timings import Spent, Timings

NAMES = {
    "digests": "file digests",
    "decode": "decode",
    "embedding": "model pictures",
    "pdq": "hashing (pdq)",
    "keypoints": "keypoints",
    "loading": "load the model",
    "model": "embed (model)",
    "judge": "judge",
    "readers": "start readers",
    "other": "other",
}


@contextmanager
def timed(wanted: bool) -> Iterator[Timings | None]:
    """A block that collects timings where they are wanted, and prints them when it ends, however it
    ends, unless no scan began in it."""
    timings = Timings() if wanted else None
    try:
        yield timings
    finally:
        spent = None if timings is None else timings.spent()
        if spent is not None:
            from vscan.settings import available_cores

            tell_table(
                "timings",
                list(table(spent, available_cores())),
                f"{spent.videos} videos, {spent.samples} samples in {spent.run.wall_s:.2f} s",
                videos=spent.videos,
                samples=spent.samples,
                wall_s=round(spent.run.wall_s, 3),
                cpu_s={step: round(cpu_s, 3) for step, cpu_s in spent.cpu_s.items()},
                model_wall_s=round(spent.model_wall_s, 3),
                loading_wall_s=round(spent.start.wall_s, 3),
            )


def table(spent: Spent, cores: int) -> Iterator[str]:
    """The lines: a row of CPU seconds and their share for each step, then what they were for."""
    run, start = spent.run, spent.start
    yield f"{'step':<16}{'CPU s':>10}{'share':>9}"
    for step, cpu_s in spent.cpu_s.items():
        yield _row(NAMES[step], cpu_s, spent.all_s)
    yield _row("all", spent.all_s, spent.all_s)
    videos = "1 video" if spent.videos == 1 else f"{spent.videos} videos"
    samples = "1 sample" if spent.samples == 1 else f"{spent.samples} samples"
    rate = _over(spent.samples, run.wall_s)
    yield f"vscan: timings: {videos}, {samples} in {run.wall_s:.2f} s: {rate:.1f} samples/s"
    busy, of = _over(spent.all_s, run.wall_s), "1 core" if cores == 1 else f"{cores} cores"
    share = 100 * _over(busy, cores)
    yield f"vscan: timings: {busy:.2f} of {of} busy ({share:.0f} %){_model(spent)}"
    yield f"vscan: timings: before that, loading: {start.wall_s:.2f} s, {start.cpu_s:.2f} of CPU"


def _row(name: str, cpu_s: float, all_s: float) -> str:
    return f"{name:<16}{cpu_s:>10.2f}{100 * _over(cpu_s, all_s):>7.1f} %"


def _model(spent: Spent) -> str:
    if not spent.model_wall_s:
        return ""
    share = 100 * _over(spent.model_wall_s, spent.run.wall_s)
    return f"; the model worked for {spent.model_wall_s:.2f} s ({share:.0f} %)"


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
