"""A long run stays small: descriptors, threads and memory do not grow with the files it reads."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import Library
from tests.faults.dying import descriptors
from vscan.decode import workers
from vscan.scanning import Prepared, prepare, run_scan
from vscan.settings import ScanSettings
from vscan.sources import Source

PAGE_KB = 4
MOST_GROWTH_KB = 24 << 10
"""Of memory, between the first part of a run and its end: what allocators keep for themselves."""


def resident_kb() -> int:
    """Memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KB


def children() -> int:
    """How many processes this one has started that are there, as zombies too."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            count += int(entry.read_text().rsplit(")", 1)[1].split()[1]) == os.getpid()
    return count


def held() -> tuple[int, int, int]:
    """Descriptors, threads and children."""
    gc.collect()
    return descriptors(), threading.active_count(), children()


def settled(expected: tuple[int, int, int]) -> tuple[int, int, int]:
    """What is held once it is that, or for good: what drains a dead process's stderr ends soon."""
    for _ in range(100):
        if held() == expected:
            break
        time.sleep(0.1)
    return held()


@pytest.fixture
def prepared(library: Library) -> Prepared:
    """A scan against the known clip, two videos at a time."""
    pack, index = str(library.folder / "known.toml"), str(library.folder / "index")
    return prepare(ScanSettings(policy=pack, indexes=(index,), workers=2))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("scans", "each_process"),
    [(60, 7), pytest.param(2000, workers.FILES_PER_PROCESS, marks=pytest.mark.soak)],
    ids=["some", "many"],
)
def test_a_long_run_stays_small(
    prepared: Prepared, library: Library, monkeypatch: pytest.MonkeyPatch, scans: int,
    each_process: int,
) -> None:  # fmt: skip
    """Sound, matching, broken and absent videos in turn, processes replaced on the way: half-way
    and at the end there are as many descriptors, threads and children as after the first part."""
    monkeypatch.setattr(workers, "FILES_PER_PROCESS", each_process)
    paths = [
        library.good, library.clips / "deep" / "copy.mp4", library.clips / "broken.mp4",
        library.folder / "absent.mp4",
    ]  # fmt: skip

    def run(count: int) -> list[str]:
        sources = (Source(f"{k}.mp4", paths[k % len(paths)]) for k in range(count))
        return [verdict.outcome for verdict in run_scan(prepared, sources) if verdict is not None]

    before = held()
    run(20)
    first, first_kb = settled(before), resident_kb()
    for _ in range(2):
        outcomes = run(scans // 2)
        errors = sum(k % 4 > 1 for k in range(scans // 2))
        assert (scans // 2, errors) == (len(outcomes), outcomes.count("error"))
        assert first == settled(first)
    assert resident_kb() - first_kb < MOST_GROWTH_KB
