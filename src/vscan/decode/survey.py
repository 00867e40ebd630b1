"""A file's packets looked over before they are decoded: their times, what is missing, how it ends.

Costs a reading of the file and no decoding. What it finds is the same each time.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

import numpy as np
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from numpy.typing import NDArray

from vscan.decode.container import open_media
from vscan.decode.demuxing import Stumbles, packets_of
from vscan.decode.kept import Kept, kept_bytes
from vscan.decode.limits import ReadLimits
from vscan.decode.sparing import Dependence, DependenceNotes
from vscan.decode.steadying import steadied
from vscan.decode.unlisted import has_unlisted_video

SLACK_SHARE = 0.05
SLACK_FRAMES = 2
"""How far what is there may fall short of what is claimed."""
HAS_EDITS = ("mov,mp4,m4a,3gp,3g2,mj2",)
"""Containers with edit lists (ISO/IEC 14496-12, 8.6.6): what they leave out no player shows."""
MAX_PACKETS = 8_000_000
"""Packets of a file beyond which no more are looked over: 24 hours at 60 a second, and sound."""
RENEWED_S = 2.5
"""Between access points, up to which what a decoder leaves out does no harm that adds up."""
LEAP_S = 1.0
LEAP_FRAMES = 16
"""Timestamps that stray by more than both have leapt; decoders reorder 16 frames at most."""
BRIDGE_S = 10.0
CLOCKS_RESTART = ("mpegts", "mpeg")
"""Containers whose clock may start anew on the way (ISO/IEC 13818-1, discontinuity_indicator);
leaps forward of more than BRIDGE_S are closed there, as the `ffmpeg` program does."""
LOST_BYTES = 4096
"""Bytes between packets that no stream accounts for, beyond an eighth for the container's own: with
a leap forward in time they are content that was lost. Without them a leap is a pause."""


@dataclass(frozen=True, eq=False)
class StreamSurvey:
    """What the packets of one stream say."""

    count: int
    """Packets with data."""
    ticks: NDArray[np.int64] | None
    """(count,) presentation times in file order, steadied; None where some packet has none."""
    leapt: bool
    """Whether times leapt and were set in order: `ticks` are not those of the file."""
    in_order: bool
    """Whether no time leaps back: then a frame whose time does has it from a decoder that erred."""
    holes: frozenset[int]
    """Packets before which content was lost."""
    hidden: int
    """Packets beside them that an edit list leaves out."""
    length_s: float
    """Seconds from its start to the end of its last frame; 0 where no packet has a time."""
    flaw: str
    """What keeps its frames from being told by their packets alone; empty where nothing does."""
    dependence: Dependence | None
    """Which packets refer to which; None where it cannot be told, or anything is amiss."""
    renews_soon: bool
    """Whether nothing refers to anything more than RENEWED_S before it, as far as can be told."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is amiss with its packets."""
        return not (self.flaw or self.leapt or self.holes or self.hidden)


@dataclass(frozen=True, eq=False)
class Survey:
    """What the packets of a file say."""

    streams: Mapping[int, StreamSurvey]
    """By index, video streams only."""
    heard_until_s: float
    """Highest end of any packet of any stream, in seconds on the file's own clock."""
    whole: bool
    """Whether the file was read to its end without an error."""
    unread: bool
    """Whether it holds a video stream that is none of the container's."""
    kept: Kept
    """Packets of its plain streams, for readings of the same file."""


@dataclass
class _Notes:
    """A stream in the making."""

    tick_s: float
    start: int | None
    leap: int
    frame: int
    bridge: int | None
    ceiling: int
    ticks: array[int] = field(default_factory=lambda: array("q"))
    count: int = 0
    high: int | None = None
    end: int | None = None
    holes: set[int] = field(default_factory=set)
    hidden: int = 0
    cut_by_edits: bool = False
    flaw: str = ""
    dependence: DependenceNotes = field(default_factory=lambda: DependenceNotes(None))

    def add(self, packet: Packet[Stream], unaccounted: int) -> None:
        """Take the next packet; unaccounted: bytes since the last one that belong to no stream."""
        pts, hidden, high = packet.pts, packet.is_discard, self.high
        if hidden:
            self.cut_by_edits = True
        if not self.count and not packet.is_keyframe:
            self.flaw = "does not begin with a keyframe"
        if pts is None or hidden or packet.is_corrupt:
            self.flaw = self.flaw or "packets without a time, discarded or corrupt"
        if pts is not None:
            if high is not None and pts - high > self.leap and unaccounted > LOST_BYTES:
                self.holes.add(self.count)
            # Against the run so far: what comes after a leap back is measured from there.
            if high is None or pts > high or high - pts > self.leap:
                self.high = pts
            if not hidden:
                end = pts + (packet.duration or self.frame)
                if self.end is None or end > self.end:
                    self.end = end
            self.ticks.append(pts)
        self.dependence.add(packet)
        self.count += 1

    def surveyed(self) -> StreamSurvey:
        """All that was added."""
        told = len(self.ticks) == self.count
        ticks = np.array(self.ticks, np.int64)
        steady = None
        if told and not self.cut_by_edits:  # edits lead back and forth, as they are meant to
            steady = steadied(
                ticks,
                leap=self.leap,
                frame=self.frame,
                ceiling=self.ceiling,
                bridge=self.bridge,
                kept=self.holes,
            )
        first, end = self.start, self.end
        if steady is not None:
            first, end = int(steady.min()), int(steady.max()) + self.frame
        elif first is None and self.ticks:
            first = min(self.ticks)
        dependence = self._dependence(ticks) if told and steady is None else None
        return StreamSurvey(
            count=self.count,
            ticks=(ticks if steady is None else steady) if told else None,
            leapt=steady is not None,
            in_order=told and _ascend(ticks if steady is None else steady, self.leap),
            holes=frozenset(self.holes),
            hidden=self.hidden,
            length_s=0.0 if end is None or first is None else (end - first) * self.tick_s,
            flaw=self.flaw or ("timestamps leap" if steady is not None else ""),
            dependence=dependence,
            renews_soon=dependence is not None and self._renews_soon(ticks[dependence.access]),
        )

    def _renews_soon(self, access: NDArray[np.int64]) -> bool:
        gaps = np.diff(np.append(access, self.end or access[-1]))
        return bool((gaps * self.tick_s <= RENEWED_S).all())

    def _dependence(self, ticks: NDArray[np.int64]) -> Dependence | None:
        plain = not (self.flaw or self.holes or self.hidden or self.cut_by_edits)
        return self.dependence.dependence(ticks) if plain and _ascend(ticks, self.leap) else None


def _ascend(ticks: NDArray[np.int64], leap: int) -> bool:
    """Whether none lies further behind those before it than decoders reorder."""
    return not (np.maximum.accumulate(ticks) - ticks > leap).any()


@dataclass(frozen=True)
class Wanted:
    """A video stream that is looked at."""

    index: int
    frame_s: float
    """Seconds that a frame usually lasts."""
    start: int | None
    """Tick at which it starts, as far as the container tells."""


Begun: TypeAlias = "tuple[InputContainer, Iterator[Packet[Stream]] | None]"
"""A container that is open already, and `demux` of all its streams from the first packet on; None:
that cannot be had, and the file is opened anew."""


def survey(
    file: BinaryIO, wanted: Sequence[Wanted], limits: ReadLimits, begun: Begun | None = None
) -> Survey:
    """Looks at every packet of a file, and keeps as many as `kept` has room for.

    Raises SourceError as `open_media` does.
    """
    if begun is not None and begun[1] is not None:
        return _survey(file, wanted, limits, *begun)
    with open_media(file, max_pixels=limits.max_pixels) as container:
        return _survey(file, wanted, limits, container, None)


def _survey(
    file: BinaryIO,
    wanted: Sequence[Wanted],
    limits: ReadLimits,
    container: InputContainer,
    packets: Iterator[Packet[Stream]] | None,
) -> Survey:
    name = container.format.name
    notes = {
        each.index: _notes(container.streams[each.index], each, limits, name in CLOCKS_RESTART)
        for each in wanted
    }
    stumbles, kept = Stumbles(), Kept(kept_bytes(limits.memory_bytes), container.size)
    every = packets_of(container, tuple(container.streams), stumbles, packets)
    heard_s, complete = _look(every, notes, kept)
    listed = {index: stream.frames for index, stream in enumerate(container.streams)}
    if name in HAS_EDITS and any(
        is_short(each.count, listed[index]) for index, each in notes.items()
    ):
        counts = _counts_without_edits(file, limits.max_pixels)
        for index, each in notes.items():
            each.hidden = max(0, counts[index] - each.count)
    streams = {index: each.surveyed() for index, each in notes.items()}
    if not complete:
        streams = {}
    whole = complete and not stumbles.errors
    kept.keep_only([index for index, each in streams.items() if whole and each.is_plain])
    ids = {stream.id for stream in container.streams.video}
    return Survey(streams, heard_s, whole, has_unlisted_video(file, name, ids), kept)


def _notes(stream: Stream, wanted: Wanted, limits: ReadLimits, bridges: bool) -> _Notes:
    tick_s = float(stream.time_base or 1)
    return _Notes(
        tick_s=tick_s,
        start=wanted.start,  # the stream's own may have been set by packets since it was opened
        leap=max(1, round(max(LEAP_S, LEAP_FRAMES * wanted.frame_s) / tick_s)),
        frame=max(1, round(wanted.frame_s / tick_s)),
        bridge=round(BRIDGE_S / tick_s) if bridges else None,
        ceiling=round(limits.max_duration_s / tick_s),
        dependence=DependenceNotes.of(stream),
    )


def is_short(count: int, listed: int) -> bool:
    """Whether clearly fewer packets were there than a table lists; 0: it lists none."""
    return count < (1 - SLACK_SHARE) * listed - SLACK_FRAMES


def _counts_without_edits(file: BinaryIO, max_pixels: int) -> Counter[int]:
    """Packets of every stream, those among them that an edit list leaves out."""
    with open_media(file, max_pixels=max_pixels, without_edits=True) as container:
        every = packets_of(container, tuple(container.streams), Stumbles())
        return Counter(packet.stream_index for packet in every)


def _look(
    packets: Iterable[Packet[Stream]], notes: Mapping[int, _Notes], kept: Kept
) -> tuple[float, bool]:
    """(highest end of any packet in seconds, whether every packet was looked at)."""
    furthest: int | None = None
    overhead = 0
    ends: dict[int, int] = {}
    bases: dict[int, float] = {}
    for seen, packet in enumerate(packets):
        if seen >= MAX_PACKETS:
            return float("inf"), False
        index, position, pts, size = packet.stream_index, packet.pos, packet.pts, packet.size
        if pts is not None:
            end = pts + (packet.duration or 0)
            if index not in ends:
                bases[index] = float(packet.time_base or 0)
                ends[index] = end
            elif end > ends[index]:
                ends[index] = end
        each = notes.get(index)
        if each is not None:
            told = position is not None and furthest is not None
            gap = position - furthest - overhead if told else 0  # type: ignore[operator]
            each.add(packet, gap)
            kept.add(packet)
        if position is not None and position >= 0:
            if furthest is None or position + size > furthest:
                furthest = position + size
            overhead = size // 8
    return max((end * bases[index] for index, end in ends.items()), default=0.0), True
