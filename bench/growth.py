"""What grows with the number of sources: memory and time of each part that knows every one of them.

Names and lines are made up, of the length that such things have. Every figure is of a process of
its own.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.machine import peak_bytes
from bench.scheduler.reading import PROVENANCE, verdict_of
from vscan.cli.scan_end import Ended
from vscan.cli.writing import known_to
from vscan.digests import Digests
from vscan.flood import FloodGuard
from vscan.sources import SourceFinder
from vscan.store.merging import merge
from vscan.store.records import RecordFile
from vscan.verdicts import verdict_id

SIZES = (100_000, 1_000_000)
FILES = 4
"""That are merged."""
FORK = multiprocessing.get_context("fork")
_URI = "uploads/2026/11/{:02x}/{:09d}.mp4"


def measure() -> Iterator[tuple[str, str]]:
    """Rows by part and number of sources: bytes and microseconds a source."""
    for count in SIZES:
        with tempfile.TemporaryDirectory(prefix="vscan-growth-") as name:
            os.sync()
            yield from rows(Path(name), count)


def rows(folder: Path, count: int) -> Iterator[tuple[str, str]]:
    """The rows of that many sources; everything lies in `folder`."""
    names, files = _write(folder, count)
    size = sum(path.stat().st_size for path in files) / count
    yield f"{count:,} sources: a line, bytes", f"{size:.0f}"
    output = folder / "all.jsonl"
    parts: dict[str, Callable[[], Any]] = {
        "the finder, of a list": lambda: _found(names),
        "merging four files": lambda: merge(files, output),
        "a verdict file, opened": lambda: _opened(output),
        "and every source done": lambda: _resumed(output, count),
        "the flood guard": lambda: _guarded(count),
    }
    for what, work in parts.items():
        grown, took_s = alone(work)
        yield (
            f"{count:,} sources: {what}",
            f"{grown / count:5.0f} bytes, {took_s / count * 1e6:5.1f} us",
        )


def alone(work: Callable[[], Any]) -> tuple[int, float]:
    """Bytes by which a process of its own grows at most that does this, and seconds it takes."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_child, args=(work, theirs))
    process.start()
    theirs.close()
    try:
        grown, took_s = ours.recv()
    finally:
        process.join()
    return int(grown), float(took_s)


def _child(work: Callable[[], Any], out: Any) -> None:
    gc.collect()
    before = peak_bytes(anew=True)
    begun = time.process_time()
    held = work()
    took_s = time.process_time() - begun
    out.send((peak_bytes() - before, took_s))
    del held


def uri_of(number: int) -> str:
    """The name of that source."""
    return _URI.format(number % 256, number)


def _sha256_of(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % (1 << 64):016x}" * 4


def _write(folder: Path, count: int) -> tuple[Path, list[Path]]:
    """A list of names, and verdicts of all of them in FILES files."""
    names = folder / "names.txt"
    digests = Digests(_sha256_of(0), "0" * 32, 5_000_000)
    verdict = verdict_of(uri_of(0), "clear", digests, PROVENANCE)
    line = verdict.to_line()
    old_id, old_uri, old_sha = (
        each.encode() for each in (verdict.id, verdict.source.uri, digests.sha256)
    )
    files = [folder / f"shard-{number}.jsonl" for number in range(FILES)]
    outs = [path.open("wb") for path in files]
    with names.open("w", encoding="utf-8") as listed:
        for number in range(count):
            uri, sha256 = uri_of(number), _sha256_of(number)
            listed.write(f"{uri}\n")
            new = line.replace(old_sha, sha256.encode()).replace(old_uri, uri.encode())
            id_ = verdict_id(uri, sha256, PROVENANCE)
            outs[number % FILES].write(new.replace(old_id, id_.encode()))
    for out in outs:
        out.close()
    return names, files


def _found(names: Path) -> SourceFinder:
    finder = SourceFinder()
    for _ in finder.find([], from_file=str(names)):
        pass
    return finder


def _opened(path: Path) -> RecordFile:
    return RecordFile(path)


def _resumed(path: Path, count: int) -> Ended:
    """As a run that finds all of them done."""
    with closing(RecordFile(path)) as sink:
        ended = Ended(signals=("pdq",), indexed=False)
        is_done = known_to(sink, ended)
        done = (
            is_done(verdict_id(uri_of(number), _sha256_of(number), PROVENANCE))
            for number in range(count)
        )
        if not all(done):
            raise RuntimeError("a line is missing")
        return ended


def _guarded(count: int) -> FloodGuard:
    guard = FloodGuard()
    for number in range(count):
        digests = Digests(_sha256_of(number), "0" * 32, 5_000_000)
        guard.see(verdict_of(uri_of(number), "clear", digests, PROVENANCE))
    return guard
