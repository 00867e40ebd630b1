"""The packets of one stream, in file order, for one reading: kept ones, or demuxed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream

from vscan.decode.demuxing import Stumbles, packets_of
from vscan.decode.keyframes import Numbered
from vscan.decode.sparing import SKIP, Sparing, Unforeseen
from vscan.decode.survey import Survey


class OwnPackets:
    """What a reading of a stream gives to its decoder."""

    def __init__(self, survey: Survey, index: int, *, keyframes: bool) -> None:
        """index: the stream's place in the container. keyframes: whether no others are wanted."""
        self._survey = survey
        self._index = index
        self.kept: Sequence[Packet[Stream]] | None = survey.kept.of(index, keyframes=keyframes)
        """Those in memory, where they are enough."""
        self.stumbles = Stumbles()
        """Errors that demuxing anew met with."""

    def numbered(self, container: InputContainer) -> Iterator[Numbered]:
        """All of them, with the times that they have where times leapt."""
        surveyed = self._survey.streams.get(self._index)
        ticks = surveyed.ticks if surveyed is not None and surveyed.leapt else None
        for k, packet in enumerate(self._every(container)):
            if ticks is not None and packet.pts is not None and k < len(ticks):
                shift = int(ticks[k]) - packet.pts
                packet.pts += shift
                packet.dts = None if packet.dts is None else packet.dts + shift
            yield k, packet

    def needed(
        self, container: InputContainer, sparing: Sparing
    ) -> Iterator[tuple[int, bool, Packet[Stream]]]:
        """(part, whether the decoder is emptied before, packet) of all that is decoded. Raises
        Unforeseen where the file is not the one that was surveyed."""
        parts, begins, kept = sparing.parts, sparing.begins, self.kept
        if kept is not None and len(kept) == len(parts):
            for k in np.flatnonzero(parts != SKIP).tolist():
                yield int(parts[k]), bool(begins[k]), kept[k]
            return
        plan = zip(parts.tolist(), begins.tolist(), strict=True)
        for planned, packet in zip_longest(plan, self._every(container)):
            if planned is None or packet is None:
                raise Unforeseen
            if planned[0] != SKIP:
                yield *planned, packet

    def _every(self, container: InputContainer) -> Iterator[Packet[Stream]]:
        """All streams' are drawn, as the survey did, where none are kept: demuxing must not give up
        elsewhere."""
        if self.kept is not None:
            return iter(self.kept)
        every = packets_of(container, tuple(container.streams), self.stumbles)
        return (packet for packet in every if packet.stream_index == self._index)
