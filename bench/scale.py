"""`python -m bench.scale`: what a collection of any size comes to, from measured figures.

Nothing is measured here. Every figure is quoted from the page that has it with its machine and
command; a test holds the quotations against the pages, and what this prints against docs/scale.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.speed.tables import Row, markdown
from vscan.remote.fetching import BLOCK_BYTES
from vscan.store.verdict_parts import INTERVAL_S, MOST_LINES

CLIPS_S = 250.0
"""Seconds of video in the set that the tables of speed were measured on: 20 clips of 12.5 s."""
LIST_KEYS = 1000
"""Names that a listing of S3 gives for each request at most."""
PREFIX_GETS = 5500
"""GET requests a second that a prefix of S3 bears at least, by its provider's page."""


@dataclass(frozen=True)
class Figure:
    """A measured figure."""

    about: str
    value: float
    page: str
    quote: str
    """The line of the page that has it."""


SPEED = "benchmarks.md"
CPU: dict[str, Figure] = {
    "ViT-B/32 in fp32, fps:1": Figure(
        "CPU s of the clips", 48.6, SPEED, "| vscan fps:1 | 25.9 (24.7–28.8) | 48.6 (46.3–53.2) |"
    ),
    "ViT-B/32 in fp32, keyframes": Figure(
        "CPU s of the clips", 26.7, SPEED,
        "| vscan keyframes | 14.4 (14.4–14.5) | 26.7 (26.6–27.3) |",
    ),
    "ViT-B/32 in bf16, fps:1": Figure(
        "CPU s of the clips", 8.64, SPEED, "| vscan fps:1 | 4.44 (4.41–4.60) | 8.64 (8.33–8.68) |"
    ),
    "ViT-B/32 in bf16, keyframes": Figure(
        "CPU s of the clips", 3.61, SPEED,
        "| vscan keyframes | 1.97 (1.91–2.10) | 3.61 (3.54–3.78) |",
    ),
    "hashes alone, fps:1": Figure(
        "CPU s of the clips", 3.94, SPEED, "| vscan fps:1 | 2.03 (1.99–2.38) | 3.94 (3.79–4.50) |"
    ),
    "hashes alone, keyframes": Figure(
        "CPU s of the clips", 1.29, SPEED,
        "| vscan keyframes | 0.69 (0.64–0.72) | 1.29 (1.20–1.35) |",
    ),
}  # fmt: skip
STORED: dict[str, Figure] = {
    "`pdq`": Figure("MB an hour", 1.0, "frame-store.md", "| 285, 560 with borders | 1.0 MB |"),
    "`embedding`": Figure("MB an hour", 3.8, "frame-store.md", "| 1 050 | 3.8 MB |"),
    "`keypoints`": Figure("MB an hour", 235.0, "frame-store.md", "| 65 300 | 235 MB |"),
}
RECORD = Figure("bytes a source record", 650, "frame-store.md", "for each URI, 650 bytes")
_FINDER = "| `SourceFinder`: names of a list or of folders | 116 | 26.9 |"
_FILE = "| `RecordFile`: every line of the output | 270 | 14.3 |"
_MERGE = "| `vscan verdicts merge` | 341 | 28.3 |"
GROWTH: dict[str, Figure] = {
    "line": Figure("bytes", 731, "scale.md", "| a clear verdict's line | 731 | |"),
    "finder": Figure("bytes", 116, "scale.md", _FINDER),
    "finder_us": Figure("CPU microseconds", 26.9, "scale.md", _FINDER),
    "file": Figure("bytes", 270, "scale.md", _FILE),
    "file_us": Figure("CPU microseconds", 14.3, "scale.md", _FILE),
    "merge": Figure("bytes", 341, "scale.md", _MERGE),
    "merge_us": Figure("CPU microseconds", 28.3, "scale.md", _MERGE),
}
FIGURES: tuple[Figure, ...] = (*CPU.values(), *STORED.values(), RECORD, *GROWTH.values())


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a collection and its run are taken to be."""

    videos: int
    short_s: float = 60.0
    """Mean length of the short ones, seconds."""
    long_share: float = 0.05
    """Share 0..1 of long ones."""
    long_s: float = 1200.0
    """Mean length of those, seconds."""
    mbit_s: float = 4.0
    """Bits of a video for each of its seconds, in millions."""
    shards: int = 100
    days: float = 7.0
    """In which the run should end."""

    @property
    def hours(self) -> float:
        """Hours of video."""
        return self.videos * self._mean(self.short_s, self.long_s) / 3600

    @property
    def blocks(self) -> float:
        """Ranges of a video, each of BLOCK_BYTES at most, on average."""
        short, long = (
            math.ceil(length_s * self.mbit_s * 1e6 / 8 / BLOCK_BYTES)
            for length_s in (self.short_s, self.long_s)
        )
        return self._mean(short, long)

    def _mean(self, short: float, long: float) -> float:
        return (1 - self.long_share) * short + self.long_share * long

    def __str__(self) -> str:
        return (
            f"{self.videos:,} videos, {1 - self.long_share:.0%} of {self.short_s:g} s and"
            f" {self.long_share:.0%} of {self.long_s:g} s, {self.mbit_s:g} Mbit/s;"
            f" {self.shards:,} shards"
        )


MILLION = Inputs(videos=1_000_000)
BILLION = Inputs(videos=1_000_000_000, shards=10_000)


def lines(of: Sequence[Inputs]) -> Iterator[str]:
    """Tables in Markdown, a column for each of the inputs."""
    for number, each in enumerate(of):
        yield f"{chr(ord('A') + number)}: {each}."
    yield ""
    head = ("what", *(chr(ord("A") + number) for number in range(len(of))))
    columns = [dict(_rows(each)) for each in of]
    rows: list[Row] = [(what, *(column[what] for column in columns)) for what in columns[0]]
    yield from markdown(head, rows)


def _rows(of: Inputs) -> Iterator[tuple[str, str]]:
    yield "hours of video", _count(of.hours)
    yield "samples at fps:1", _count(of.hours * 3600)
    for what, figure in CPU.items():
        core_hours = figure.value / CLIPS_S * of.hours
        yield f"core-hours, {what}", _count(core_hours)
    week = CPU["ViT-B/32 in bf16, fps:1"].value / CLIPS_S * of.hours / (24 * of.days)
    yield f"cores that are busy for {of.days:g} days, bf16, fps:1", _count(math.ceil(week))
    yield "GPU-hours", f"{_count(of.hours)} / g"
    yield from _objects(of)
    yield from _kept(of)
    yield from _known(of)


def _objects(of: Inputs) -> Iterator[tuple[str, str]]:
    """What reading from object storage asks for."""
    pages = math.ceil(of.videos / LIST_KEYS)
    yield "bytes fetched, if each is fetched once", _bytes(of.hours * 3600 * of.mbit_s * 1e6 / 8)
    yield "LIST requests of one pass", _count(pages)
    yield "LIST requests, where every shard lists", _count(pages * of.shards)
    yield "HEAD requests, where names come from a list", _count(of.videos)
    gets = of.videos * of.blocks
    yield f"GET requests, of {BLOCK_BYTES >> 20} MiB each", _count(gets)
    yield "least hours for them on one prefix", _small(gets / PREFIX_GETS / 3600)


def _kept(of: Inputs) -> Iterator[tuple[str, str]]:
    """What is written."""
    yield "verdicts", _bytes(of.videos * GROWTH["line"].value)
    full = math.ceil(of.videos / MOST_LINES)
    minutes = math.ceil(of.shards * of.days * 86400 / INTERVAL_S)
    yield "PUT requests for them as parts, if all are full", _count(2 * full)
    yield (
        f"at most, if every shard takes all {of.days:g} days",
        _count(2 * min(of.videos, full + minutes)),
    )
    for what, figure in STORED.items():
        yield f"frame store, {what} at fps:1", _bytes(figure.value * 1e6 * of.hours)
    yield "frame store, source records", _bytes(of.videos * RECORD.value)


def _known(of: Inputs) -> Iterator[tuple[str, str]]:
    """What a process holds that knows every source, and how long it takes to learn it."""
    own = of.videos / of.shards
    finder, file, merge = (GROWTH[name].value for name in ("finder", "file", "merge"))
    listing_s = GROWTH["finder_us"].value * of.videos / 1e6
    yield "names of a list in memory, in each shard", _bytes(finder * of.videos)
    yield "CPU hours of looking names over, in each shard", _small(listing_s / 3600)
    yield "the same in all shards", _count(listing_s / 3600 * of.shards)
    yield "lines known in memory, in each shard", _bytes(file * own)
    yield "CPU seconds to read them back", _count(GROWTH["file_us"].value * own / 1e6)
    yield "memory of a merge", _bytes(merge * of.videos)
    yield "CPU hours of a merge", _small(GROWTH["merge_us"].value * of.videos / 3.6e9)


def _count(number: float) -> str:
    if number >= 1e9:
        return f"{number / 1e9:,.2f} bn"
    return f"{number:,.0f}" if number < 1e6 else f"{number / 1e6:,.2f} M"


def _small(number: float) -> str:
    return f"{number:,.2f}" if number < 10 else f"{number:,.0f}"


def _bytes(number: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number / 1e3:,.1f} kB"


def parser() -> argparse.ArgumentParser:
    """What the program takes: the inputs, each with what docs/scale.md takes it to be."""
    made = argparse.ArgumentParser(
        prog="python -m bench.scale", description="What a collection comes to; see docs/scale.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    usual = MILLION

    def add(name: str, kind: Any, about: str, default: Any) -> None:
        made.add_argument(f"--{name}", type=kind, default=default, help=about)

    add("videos", int, "how many; without it, a million and a billion side by side", None)
    add("short-s", float, "mean seconds of the short ones", usual.short_s)
    add("long-share", float, "share 0..1 of long ones", usual.long_share)
    add("long-s", float, "mean seconds of the long ones", usual.long_s)
    add("mbit-s", float, "megabits of a video for each of its seconds", usual.mbit_s)
    add("shards", int, "of the array job, with --videos", usual.shards)
    add("days", float, "in which the run should end", usual.days)
    return made


def main() -> int:
    """Print the tables."""
    told = vars(parser().parse_args())
    videos, shards = told.pop("videos"), told.pop("shards")
    if videos is not None:
        of = [Inputs(videos=videos, shards=shards, **told)]
    else:
        of = [Inputs(videos=each.videos, shards=each.shards, **told) for each in (MILLION, BILLION)]
    for line in lines(of):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
