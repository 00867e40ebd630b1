"""What reading one file may cost: each limit by name, with its default, and how it is written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType

from vscan.errors import SourceError, UsageError

OPEN_TIMEOUT_S = 60.0
"""Seconds allowed for opening a file, and on top of the video's duration for reading it."""
LEAST_MEMORY_BYTES = 256 << 20
"""With less a reader process does not start."""


@dataclass(frozen=True)
class ReadLimits:
    """What reading one file may cost. Beyond a limit that file gets an error, no other does.

    The error's message names the limit that was hit. Raises UsageError for a value that cannot be.
    """

    timeout_s: float | None = None
    """Seconds of waiting for the reader process; None: 60 plus the video's duration."""
    cpu_s: float | None = None
    """Seconds of CPU time of one reading, over all threads; None: timeout_s times the threads."""
    memory_bytes: int = 3 << 30
    """Address space of the reader process, about 0.4 GB of it for code."""
    max_pixels: int = 36_000_000
    """Width x height of a stored frame; 8K is 33 million."""
    max_side: int = 16_384
    """Width or height of a stored frame, the most that AV1 and H.264 level 6.2 allow."""
    max_duration_s: float = 24 * 3600.0
    """Longest video that is read, in seconds of presentation time."""
    max_streams: int = 500
    """Streams of a container; a whole DVB multiplex has about 100."""
    threads: int | None = None
    """Decoding threads of one reader process; None: the machine's cores shared by the pool."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            whole = name in _WHOLE
            if value is None and name in _MAY_BE_NONE:
                continue
            kinds = int if whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise UsageError(f"limit {name} must be a number, not {value!r}")
            if not 0 < value < math.inf:
                raise UsageError(f"limit {name} must be above 0 and finite, not {value}")
        if self.memory_bytes < LEAST_MEMORY_BYTES:
            raise UsageError(
                f"limit memory_bytes must be at least 256 MiB, not {self.memory_bytes}",
                remedy="a reader process needs that much to start: memory_bytes=256M",
            )

    def timeout_for(self, duration_s: float | None) -> float:
        """Seconds that reading a video of that claimed duration may take."""
        if self.timeout_s is not None:
            return self.timeout_s
        claimed = duration_s if duration_s is not None else 0.0
        return OPEN_TIMEOUT_S + min(max(claimed, 0.0), self.max_duration_s)

    def cpu_for(self, duration_s: float | None, threads: int) -> float:
        """Seconds of CPU time that opening (None) or reading it may take with so many threads."""
        if self.cpu_s is not None:
            return self.cpu_s
        # Beside the decoder's threads runs the one that hashes.
        return self.timeout_for(duration_s) * (threads + 1)

    def check_size(self, width: int, height: int) -> None:
        """Raises SourceError `too_large` for a frame of more pixels, or a longer side."""
        size = f"frames of {width} x {height} pixels"
        if max(width, height) > self.max_side:
            raise SourceError("too_large", f"{size}: more than limit max_side = {self.max_side}")
        if width * height > self.max_pixels:
            raise SourceError(
                "too_large", f"{size}: more than limit max_pixels = {self.max_pixels}"
            )

    def check_duration(self, seconds: float | None, *, claimed: bool) -> None:
        """Raises SourceError `too_large` for a longer video; None: nothing is known."""
        if seconds is not None and seconds > self.max_duration_s:
            does = f"claims to last {seconds:.0f} s" if claimed else f"goes on at {seconds:.0f} s"
            most = f"max_duration_s = {self.max_duration_s:g}"
            raise SourceError("too_large", f"the video {does}: more than limit {most}")

    def check_streams(self, count: int) -> None:
        """Raises SourceError `too_large` for a container of more streams."""
        if count > self.max_streams:
            most = f"max_streams = {self.max_streams}"
            raise SourceError("too_large", f"{count} streams: more than limit {most}")

    @property
    def out_of_memory(self) -> str:
        """What to say of a file whose reading needs more memory."""
        return f"reading the file needs more than limit memory_bytes = {self.memory_bytes}"


_MAY_BE_NONE = ("timeout_s", "cpu_s", "threads")
_WHOLE = ("memory_bytes", "max_pixels", "max_side", "max_streams", "threads")
_UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "bytes": {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40},
        "s": {"": 1, "s": 1, "m": 60, "h": 3600},
        "number": {"": 1, "k": 10**3, "m": 10**6, "g": 10**9},
    }
)
_UNITS_SHOWN = {"bytes": "K, M, G, T", "s": "s, m, h", "number": "K, M, G"}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)

LIMIT_NAMES = tuple(field.name for field in fields(ReadLimits))


def parse_limits(written: Iterable[str]) -> ReadLimits:
    """Limits written as NAME=VALUE each, as `memory_bytes=2G` or `timeout_s=30s`; else the default.

    Bytes take K, M, G or T (powers of 1024), seconds s, m or h, other numbers K, M or G (powers of
    1000). Raises UsageError that names the nearest limit or the units.
    """
    import difflib  # a reader process, which is handed the limits, does without

    told: dict[str, float | int] = {}
    for text in written:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in LIMIT_NAMES:
            near = difflib.get_close_matches(name, LIMIT_NAMES, n=1, cutoff=0.4)
            meant = f"do you mean {near[0]}? " if near else ""
            raise UsageError(
                f"limit {name!r} is not known", remedy=f"{meant}limits: {', '.join(LIMIT_NAMES)}"
            )
        if not equals or not value:
            raise UsageError(f"limit {name} has no value", remedy=f"as {_example(name)}")
        if name in told:
            raise UsageError(f"limit {name} is given twice", remedy="give it once")
        told[name] = _number(name, value)
    return replace(ReadLimits(), **told)  # type: ignore[arg-type]  # checked by its own fields


def parse_bytes(option: str, value: str | None) -> int | None:
    """A number of bytes as `64G`, K, M, G and T being powers of 1024; None where none is given.

    Raises UsageError.
    """
    if value is None:
        return None
    return int(_in_units(f"--{option}", "bytes", value, example="64G"))


def _number(name: str, value: str) -> float | int:
    number = _in_units(f"limit {name}", _kind_of(name), value, example=_example(name))
    if name not in _WHOLE:
        return number
    if number != int(number):
        raise UsageError(f"limit {name} must be a whole number, not {value}")
    return int(number)


def _in_units(what: str, kind: str, value: str, *, example: str) -> float:
    match = _WRITTEN.fullmatch(value)
    unit = match[2].lower() if match else ""
    if kind == "bytes":
        unit = re.sub("i?b$", "", unit)
    factor = _UNITS[kind].get(unit)
    if match is None or factor is None:
        raise UsageError(
            f"{what}: {value!r} is not a number with a unit",
            remedy=f"units: {_UNITS_SHOWN[kind]}; as {example}",
        )
    return float(match[1]) * factor


def _kind_of(name: str) -> str:
    return "bytes" if name.endswith("_bytes") else "s" if name.endswith("_s") else "number"


def _example(name: str) -> str:
    value = {"bytes": "2G", "s": "30s", "number": "8"}[_kind_of(name)]
    return f"{name}={'36M' if name == 'max_pixels' else value}"
