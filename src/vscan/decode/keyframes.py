"""Which packets are decoded for a request for keyframes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from av.packet import Packet
from av.stream import Stream

Numbered: TypeAlias = "tuple[int, Packet[Stream]]"
"""A packet, and its place among those of its stream."""


def keyframes_of(packets: Iterable[Numbered], max_gap: float) -> Iterator[Numbered]:
    """The keyframes among a stream's packets in file order; of those that lie densely the fewest
    that leave no more than `max_gap` ticks between two where there are any in between.

    Which those are is known when the next one comes: one is passed over where that is near enough
    to the last one taken. The first and the last are always taken; where times leap back or are
    not told, so is the next.
    """
    last: float | None = None
    held: Numbered | None = None
    for number, packet in packets:
        if not packet.is_keyframe:
            continue
        pts = packet.pts
        latest = last if held is None else held[1].pts
        if last is None or latest is None or pts is None or pts <= latest or max_gap <= 0:
            if held is not None:
                yield held
            last, held = pts, None
            yield number, packet
            continue
        if held is not None and pts - last > max_gap:
            yield held
            last = held[1].pts or pts
        held = number, packet
        if pts - last > max_gap:
            yield held
            last, held = pts, None
    if held is not None:
        yield held
