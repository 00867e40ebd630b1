"""The plain loop against scans with the same weights, and a scan against the machine's limit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.speed.agreement import agreement, loop_vectors, store_vectors
from bench.speed.clip_set import ClipSet
from bench.speed.model import MODEL, pack_in, weights_in
from bench.speed.processes import measured
from bench.speed.tables import markdown, median_of, ratio, times
from vscan.embeddings.precision import choose_compute
from vscan.errors import UsageError
from vscan.settings import available_cores

LOOP = "loop"
CASES: dict[str, dict[str, Any]] = {
    "exact": {"sampling": "fps:1"},
    "fast": {"sampling": "fps:1", "decode": "fast"},
    "adaptive": {"sampling": "adaptive"},
    "keyframes": {"sampling": "keyframes"},
}
"""Settings of each scan, beside those that all of them have."""
ABOUT = {
    LOOP: "decord + open_clip fp32, one by one",
    "exact": "vscan fps:1",
    "fast": "vscan fps:1, fast decode",
    "adaptive": "vscan adaptive",
    "keyframes": "vscan keyframes",
}


@dataclass(frozen=True)
class Comparison:
    """What to run."""

    clips: ClipSet
    cases: tuple[str, ...]
    repeats: int
    workers: tuple[int, ...]
    """Numbers of reader processes to compare at fps:1; none: not compared."""
    device: str = "auto"

    def __post_init__(self) -> None:
        unknown = [case for case in self.cases if case not in (LOOP, *CASES)]
        if unknown:
            raise UsageError(f"no case {unknown[0]!r}", remedy=f"cases: {', '.join(ABOUT)}")


def compare(comparison: Comparison) -> Iterator[str]:
    """Lines: the table against the loop, the limit, the agreement of vectors, the workers."""
    it = _Runs(comparison)
    ran: dict[str, list[dict[str, Any]]] = {case: [] for case in comparison.cases}
    limits = []
    for _ in range(comparison.repeats):  # interleaved: what else the machine does meets all alike
        for case in comparison.cases:
            ran[case].append(it.loop() if case == LOOP else it.scan(CASES[case]))
        if "exact" in comparison.cases:
            limits.append(it.alone(CASES["exact"]))
    problems = [
        problem for runs in ran.values() for run in runs for problem in run.get("errors", ())
    ]
    yield from problems[:3]
    yield from markdown(*against_loop(ran))
    yield from _started(ran)
    if limits:
        yield ""
        yield from markdown(*against_limit(ran["exact"], limits, available_cores()))
    if LOOP in comparison.cases:
        yield ""
        yield from markdown(*it.agreements())
    if comparison.workers:
        yield ""
        yield from markdown(*it.by_workers())


def against_loop(
    ran: Mapping[str, Sequence[Mapping[str, Any]]],
) -> tuple[list[str], list[list[str]]]:
    """The table of walls; the loop, where it was run, is what the others are divided into."""
    head = ["", "wall s", "CPU s", "frames", "frames/s", "loop / this", "precision"]
    loop_s = median(run["wall_s"] for run in ran[LOOP]) if ran.get(LOOP) else 0.0
    rows = []
    for case, runs in ran.items():
        wall_s = median(run["wall_s"] for run in runs)
        rows.append(
            [
                ABOUT[case],
                median_of([run["wall_s"] for run in runs]),
                median_of([run["cpu_s"] for run in runs]),
                str(runs[0]["frames"]),
                f"{runs[0]['frames'] / wall_s:.1f}",
                times(ratio(loop_s, wall_s)),
                str(runs[0]["precision"]),
            ]
        )
    return head, rows


def against_limit(
    scans: Sequence[Mapping[str, Any]], limits: Sequence[Mapping[str, Any]], cores: int
) -> tuple[list[str], list[list[str]]]:
    """The table of the gate: the wall of a scan over what reading and embedding alone cost."""
    limit_s = [(each["read_cpu_s"] + each["embed_cpu_s"]) / cores for each in limits]
    wall_s = [run["wall_s"] for run in scans]
    # Each against the limit that was measured next to it: a machine shared with others drifts.
    ratios = [ratio(wall, limit) for wall, limit in zip(wall_s, limit_s, strict=True)]
    rows = [
        ["reading alone, CPU s", median_of([each["read_cpu_s"] for each in limits])],
        ["embedding alone in full batches, CPU s", median_of([e["embed_cpu_s"] for e in limits])],
        [f"limit: both over {cores} cores, s", median_of(limit_s)],
        ["vscan fps:1, wall s", median_of(wall_s)],
        ["wall / limit (at most 1.15)", median_of(ratios)],
    ]
    return ["against the machine", "measured"], rows


def _started(ran: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    yield ""
    for case, runs in ran.items():
        start_s = median(run["start_s"] for run in runs)
        readers_s = median(run.get("readers_start_s", 0.0) for run in runs)
        kinds = ", ".join(
            f"{count} by {name}" for name, count in runs[0].get("readers", {}).items()
        )
        yield (
            f"not counted: {ABOUT[case]}: imports and model {start_s:.1f} s"
            + (f", readers {readers_s:.1f} s; clips read: {kinds}" if case != LOOP else "")
        )


class _Runs:
    """Starts the programs with what they share."""

    def __init__(self, comparison: Comparison) -> None:
        self._asked = comparison
        self._paths = [str(path.resolve()) for path in comparison.clips.paths]
        folder = comparison.clips.folder.resolve()
        self._device = choose_compute(comparison.device).device
        self._settings = {
            "policy": str(pack_in(folder)),
            "model": MODEL,
            "weights": str(weights_in(folder)),
            "signals": ["embedding"],
            "device": self._device,
        }

    def loop(self, vectors: Path | None = None) -> dict[str, Any]:
        """The plain loop over every clip."""
        request = {
            "paths": self._paths,
            "model": MODEL,
            "weights": self._settings["weights"],
            "device": self._device,
            "step_s": 1.0,
            "vectors": None if vectors is None else str(vectors),
        }
        return measured("plain_loop", request)

    def scan(self, further: Mapping[str, Any]) -> dict[str, Any]:
        """A scan of every clip."""
        request = {"paths": self._paths, "settings": self._settings | dict(further)}
        return measured("vscan_run", request)

    def alone(self, further: Mapping[str, Any]) -> dict[str, Any]:
        """What the scan's parts cost by themselves."""
        return measured("alone", {"paths": self._paths, "settings": self._settings | dict(further)})

    def agreements(self) -> tuple[list[str], list[list[str]]]:
        """The table of how each scan's frames and vectors agree with the loop's; nothing timed."""
        head = ["same frames as the loop's", "frames", "shared", "cosine, lowest", "median",
                "of other clips"]  # fmt: skip
        rate = max(clip.rate for clip in self._asked.clips.clips)
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "loop.npz"
            self.loop(file)
            paths = [Path(path) for path in self._paths]
            known = loop_vectors(file, paths)
            for case in self._asked.cases:
                if case == LOOP:
                    continue
                store = Path(folder) / case
                self.scan(CASES[case] | {"store": str(store)})
                found = agreement(store_vectors(store, paths), known, rate)
                cosines = (found.lowest, found.median, found.unlike)
                rows.append(
                    [ABOUT[case], str(found.frames), str(found.shared)]
                    + [f"{cosine:.5f}" for cosine in cosines]
                )
        return head, rows

    def by_workers(self) -> tuple[list[str], list[list[str]]]:
        """The table of walls by the number of readers."""
        ran: dict[int, list[dict[str, Any]]] = {count: [] for count in self._asked.workers}
        for _ in range(self._asked.repeats):
            for count, runs in ran.items():
                runs.append(self.scan(CASES["exact"] | {"workers": count}))
        first = median(run["wall_s"] for run in next(iter(ran.values())))
        rows = [
            [
                str(count),
                median_of([run["wall_s"] for run in runs]),
                median_of([run["cpu_s"] for run in runs]),
                times(ratio(first, median(run["wall_s"] for run in runs))),
            ]
            for count, runs in ran.items()
        ]
        return ["vscan fps:1, workers", "wall s", "CPU s", "first / this"], rows
