"""Which packets are decoded for a request for keyframes."""

from __future__ import annotations

import math

from av.packet import Packet
from av.stream import Stream

from vscan.sampling import FrameRequest, KeyframesRequest


class Keyframes:
    """Goes through a stream's packets in file order."""

    def __init__(self, min_gap: int) -> None:
        """min_gap: ticks between one that is taken and the next, at least."""
        self._min_gap = min_gap
        self._last: int | None = None

    def take(self, packet: Packet[Stream]) -> bool:
        """Whether it is a keyframe that does not follow closely on the last one taken.

        Where times leap back, they begin anew.
        """
        pts = packet.pts
        if not packet.is_keyframe:
            return False
        if pts is not None and self._last is not None and 0 <= pts - self._last < self._min_gap:
            return False
        self._last = pts
        return True


def keyframes_of(request: FrameRequest, tick_s: float) -> Keyframes | None:
    """What goes through the packets for a request for keyframes; None for any other."""
    if not isinstance(request, KeyframesRequest):
        return None
    return Keyframes(math.floor(request.min_gap_s / tick_s) if tick_s else 0)
