"""Presentation times of one stream's frames, from its start, made to ascend."""

from __future__ import annotations

from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from vscan.decode.ledger import Ledger

MAX_LATE = 16
"""Frames in a row that may come late: decoders reorder no more."""
LATE_S = 1.0
"""Seconds that a frame's own time may lie behind the frame before, and the clock be still right."""


class Clock:
    """The times of one reading of one stream.

    A frame that is not later than the one before it comes half a frame after that one, until the
    file's times have caught up; where they lie behind by more than LATE_S, and the packets do not
    say otherwise, or MAX_LATE frames in a row do, they have begun anew, and go on from where they
    were.
    """

    def __init__(
        self,
        *,
        tick_s: float,
        frame_s: float,
        from_first_packet: bool,
        longest_s: float,
        in_order: bool,
    ) -> None:
        """in_order: the packets' times never leap back."""
        self._tick_s = tick_s
        self._frame_s = frame_s
        self._from_first_packet = from_first_packet
        self._longest_s = longest_s
        self._in_order = in_order
        self._start: int | None = None
        self._offset_s = 0.0
        self._last_s: float | None = None
        self._last_duration_s = frame_s
        self._late = 0
        self.jumped = False
        """Whether times did not ascend."""

    def starts_at(self, tick: int) -> None:
        """The stream starts there, whichever of its packets comes first."""
        self._start = tick

    def promise(
        self, packet: Packet[Stream], start: int | None, ledger: Ledger, *, after_hole: bool
    ) -> None:
        """Notes the time that a packet promises, if it has one.

        start: the stream's start, ticks. after_hole: content before it was lost.
        """
        if self._start is None:
            # AVI has no presentation times: those that FFmpeg makes up begin after the stream does.
            self._start = packet.pts if self._from_first_packet or start is None else start
        if packet.pts is None or self._start is None:
            return
        time_s = (packet.pts - self._start) * self._tick_s + self._offset_s
        if not 0 <= time_s <= self._longest_s:
            return
        if after_hole:
            # Whatever stood there lasted until the frame before this one, as far as one can tell.
            ledger.promise(max(0.0, time_s - 3 * self._frame_s))
        ledger.promise(time_s)

    def time_of(self, frame: VideoFrame, ledger: Ledger) -> tuple[float, float]:
        """(time_s, duration_s) of the next frame in presentation order."""
        duration_s = float(frame.duration * self._tick_s) if frame.duration else self._frame_s
        if frame.pts is None:
            time_s = 0.0 if self._last_s is None else self._last_s + self._last_duration_s
        else:
            if self._start is None or (self._last_s is None and frame.pts < self._start):
                self._start = frame.pts
            time_s = (frame.pts - self._start) * self._tick_s + self._offset_s
        if self._last_s is not None and time_s <= self._last_s:
            self.jumped = True
            self._late += 1
            anew = self._last_s - time_s > LATE_S and not self._in_order
            if anew or self._late > MAX_LATE:
                self._offset_s += self._last_s + self._frame_s - time_s
                time_s = self._last_s + self._frame_s
                self._late = 0
                ledger.forget_promises()
            else:
                time_s = self._last_s + self._frame_s / 2
        else:
            self._late = 0
        if time_s + duration_s > self._longest_s:  # no more than a video may be long
            duration_s = self._frame_s
        self._last_s, self._last_duration_s = time_s, duration_s
        return time_s, duration_s
