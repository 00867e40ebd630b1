"""Which packets of a stream must be decoded so that the frames wanted come out bit for bit.

Between two access points nothing refers to anything outside, so a decoder that is emptied may begin
at any of them. From there to the last frame wanted all is needed but the frames that none refers
to; what follows, up to the next access point, is not needed at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vscan.decode.bitstreams import Kind, Looker, looker_for
from vscan.decode.ledger import wanted_of
from vscan.sampling import FrameRequest

WORTH_IT = 0.9
"""Share of packets that have to be decoded anyway, from which on all are."""
_CHANGES = frozenset({"new_extradata", "param_change", "palette"})
"""Side data by which a packet changes how those after it are decoded."""
SKIP, REFER, WANT = 0, 1, 2
"""What is done with a packet: nothing; decoded for what refers to it; decoded to be looked at."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """What refers to what in a stream whose every packet was looked into."""

    access: NDArray[np.bool_]
    """(count,) packets from which on nothing refers to what came before, in file order."""
    unused: NDArray[np.bool_]
    """(count,) packets that no other refers to."""


@dataclass
class DependenceNotes:
    """A Dependence in the making; packets are added in file order."""

    looker: Looker | None
    _access: bytearray = field(default_factory=bytearray)
    _unused: bytearray = field(default_factory=bytearray)
    _sets: bytes | None = None

    @classmethod
    def of(cls, stream: Stream) -> DependenceNotes:
        """For the packets of a stream."""
        if not isinstance(stream, VideoStream) or stream.codec_context is None:
            return cls(None)
        context = stream.codec_context
        return cls(looker_for(context.codec.canonical_name, context.extradata))

    def add(self, packet: Packet[Stream]) -> None:
        """Take the next packet; one of another kind ends it all: then everything is decoded."""
        if self.looker is None:
            return
        look = self.looker(memoryview(packet))
        first = not self._access
        if (
            look is None
            or packet.is_corrupt
            or packet.is_discard
            or (not first and _changes(packet))
        ):
            self.looker = None
            return
        access = look.kind is Kind.ACCESS
        if access and self._sets is None:
            self._sets = look.sets
        # A decoder that begins at one access point must know what it would know at any other.
        if look.sets != (self._sets if access else b"") or (first and not access):
            self.looker = None
            return
        self._access.append(access)
        self._unused.append(look.kind is Kind.UNUSED)

    def dependence(self, ticks: NDArray[np.int64] | None) -> Dependence | None:
        """Of all that was added, which is at `ticks` (count,); None where it cannot be told."""
        if self.looker is None or ticks is None or len(ticks) != len(self._access):
            return None
        if not len(ticks) or len(np.unique(ticks)) != len(ticks):
            return None
        # What is shown before an access point must come before it in the file as well.
        later = np.minimum.accumulate(ticks[::-1])[::-1]
        access = np.frombuffer(self._access, np.bool_) & (ticks == later)
        return Dependence(access, np.frombuffer(self._unused, np.bool_).copy())


def _changes(packet: Packet[Stream]) -> bool:
    """Whether a packet changes how those after it are decoded."""
    told = list(packet.iter_sidedata())  # nearly always empty
    return bool(told) and any(each.data_type in _CHANGES for each in told)


@dataclass(frozen=True, eq=False)
class Sparing:
    """What of a stream is decoded for one request."""

    parts: NDArray[np.int8]
    """(count,) SKIP, REFER or WANT, in file order."""
    begins: NDArray[np.bool_]
    """(count,) packets before which the decoder is emptied: others were skipped just before, and
    nothing from here on refers to them."""
    ticks: NDArray[np.int64]
    """Times of the frames wanted, ascending."""

    @property
    def share(self) -> float:
        """Share of the packets that is decoded."""
        return float(np.count_nonzero(self.parts)) / len(self.parts)


class Unforeseen(Exception):  # noqa: N818 - an event within a reading
    """Decoding a part of the packets did not yield just the frames wanted."""


class Due:
    """Holds what a decoder yields against the frames that it was to yield."""

    def __init__(self, sparing: Sparing) -> None:
        self._ticks = deque(sparing.ticks.tolist())
        self._fed: int | None = None

    def fed(self, tick: int) -> None:
        """The decoder was given the packet of a frame that is wanted."""
        self._fed = tick if self._fed is None else max(self._fed, tick)

    def among(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """The same frames. Raises Unforeseen where one is damaged, or one before it is missing."""
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                raise Unforeseen
            reached = self._ticks and frame.pts >= self._ticks[0]
            if reached and frame.pts != self._ticks.popleft():
                raise Unforeseen
            yield frame

    def none_left(self) -> None:
        """The decoder was emptied. Raises Unforeseen where a frame did not come out."""
        if self._ticks and self._fed is not None and self._ticks[0] <= self._fed:
            raise Unforeseen


def sparing_for(
    request: FrameRequest,
    dependence: Dependence,
    ticks: NDArray[np.int64],
    *,
    tick_s: float,
    fast: bool = False,
) -> Sparing | None:
    """The least to decode for the frames that `request` wants; None where that is nearly all.

    ticks: (count,) times of the packets in file order, each once. fast: frames that none refers to
    are never wanted; the one after them stands in.
    """
    order = np.argsort(ticks)
    if fast:
        order = order[~dependence.unused[order]]
    times_s = (ticks[order] - ticks.min()) * tick_s
    wanted = wanted_of(request, times_s, tick_s)
    if wanted is None or not wanted.any():
        return None
    chosen = order[wanted]
    run = np.cumsum(dependence.access)
    last = np.full(int(run[-1]) + 1, -1)
    np.maximum.at(last, run[chosen], chosen)
    needed = (np.arange(len(ticks)) <= last[run]) & ~dependence.unused
    parts = np.where(needed, REFER, SKIP).astype(np.int8)
    parts[chosen] = WANT
    skipped_before = np.append(False, parts[:-1] == SKIP)
    begins = dependence.access & needed & skipped_before
    sparing = Sparing(parts, begins, ticks[chosen])
    return sparing if sparing.share <= WORTH_IT else None
