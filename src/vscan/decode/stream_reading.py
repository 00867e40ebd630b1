"""One video stream read with PyAV: its packets decoded one by one, its account kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.codec.context import Flags
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vscan.decode.clock import Clock
from vscan.decode.container import open_media
from vscan.decode.demuxing import Stumbles
from vscan.decode.keyframes import keyframes_of
from vscan.decode.ledger import Ledger
from vscan.decode.opened import Opened
from vscan.decode.own_packets import OwnPackets
from vscan.decode.probe import StreamProbe, missing_until
from vscan.decode.reader import Picture
from vscan.decode.rgb import Converter
from vscan.decode.sparing import WANT, Due, Sparing, Unforeseen, sparing_for
from vscan.errors import SourceError
from vscan.media import DecodeMode, ReadReport
from vscan.sampling import FrameRequest, KeyframesRequest

SHOWN_INCOMPLETE = ("hevc",)
"""Codecs whose decoder keeps frames back where one that they refer to is missing. Players show such
frames, mended or not, and so they are looked at; H.264's decoder shows them by itself."""


class _Damaged(Exception):  # noqa: N818 - an event within a reading
    """A packet does not decode, and several threads decode, or only a part of the packets."""


class StreamReading:
    """One request answered by one stream."""

    def __init__(
        self,
        opened: Opened,
        stream: StreamProbe,
        request: FrameRequest,
        start_s: float,
        mode: DecodeMode,
    ) -> None:
        self.stream = stream
        self.start_s = start_s
        """Where the stream stands on the file's timeline."""
        self.to_its_end = False
        """Whether it was read as far as it goes."""
        self._opened = opened
        self._request = request
        self._surveyed = opened.survey.streams.get(stream.index)
        self._keyframes = isinstance(request, KeyframesRequest)
        self._fast = mode == "fast"
        self._spared = False
        """Whether packets were left out that no frame wanted refers to."""
        # Of this reading alone: a graph holds on to frames, and in a damaged picture a decoder may
        # leave what the memory held that it was given.
        self._converter = Converter(opened.limits)
        self._report: ReadReport | None = None
        self._begin()

    @property
    def stumbles(self) -> Stumbles:
        """What demuxing met with."""
        return self._packets.stumbles

    def _begin(self) -> None:
        self.ledger = Ledger(self._request, self.stream.tick_s)
        self._packets = OwnPackets(
            self._opened.survey, self.stream.index, keyframes=self._keyframes
        )
        self._clock = Clock(
            tick_s=self.stream.tick_s,
            frame_s=self.stream.frame_s,
            from_first_packet=self._opened.container == "avi",
            longest_s=self._opened.limits.max_duration_s,
            in_order=self._surveyed is not None and self._surveyed.in_order,
        )

    def frames(self, threads: int) -> Iterator[tuple[float, Picture]]:
        """The frames wanted, as (time in seconds on the file's timeline, picture).

        Only what they refer to is decoded, where packets tell what that is. If that does not yield
        just those frames, the stream is begun anew and decoded from end to end; what was handed out
        is passed over. Several threads decode a damaged stream otherwise than one does: frames
        around the damage are lost, which ones depends on how many they are. So at the first packet
        that fails the stream is begun anew with one.
        """
        after_s: float | None = None
        for threads_now, sparing in self._attempts(threads):
            self._spared = sparing is not None
            try:
                for time_s, picture in self._read(threads_now, after_s, sparing):
                    after_s = time_s
                    yield self.start_s + time_s, picture
                break
            except (_Damaged, Unforeseen):
                self._begin()
        self.to_its_end = not self.ledger.satisfied

    def _attempts(self, threads: int) -> Iterator[tuple[int, Sparing | None]]:
        """Ways to read it, each where the one before it failed."""
        sparing = self._sparing()
        if sparing is not None:
            yield threads, sparing
        yield threads, None
        yield 1, None

    def _sparing(self) -> Sparing | None:
        """What is enough to decode; None where that is everything, or nobody can tell."""
        surveyed, start = self._surveyed, self.stream.start
        if surveyed is None or surveyed.dependence is None or surveyed.ticks is None:
            return None
        if not self._opened.survey.whole or int(surveyed.ticks.min()) != start:
            return None
        return sparing_for(
            self._request,
            surveyed.dependence,
            surveyed.ticks,
            tick_s=self.stream.tick_s,
            fast=self._fast,
        )

    def report(self, reader: str) -> ReadReport:
        """The account, in the stream's own times; asked for at the end, and the same ever after."""
        if self._report is None:
            self._report = self._reported(reader)
        return self._report

    def _reported(self, reader: str) -> ReadReport:
        warnings = []
        ledger, missing = self.ledger, missing_until(self._opened.survey, self.stream)
        if not ledger.frames_seen and self.to_its_end:
            warnings.append("stream_not_decoded")
            length_s = self._surveyed.length_s if self._surveyed is not None else 0.0
            missing = missing or length_s or self.stream.frame_s
        elif missing is not None:
            warnings.append("shorter_than_claimed")
        if self._clock.jumped or (self._surveyed is not None and self._surveyed.leapt):
            warnings.append("timestamps_jump_back")
        if ledger.skipped_packets:
            warnings.append("packets_skipped")
        if self._packets.stumbles.gave_up:
            warnings.append("ended_by_errors")
        if self._surveyed is not None and self._surveyed.hidden:
            warnings.append("hidden_by_edit_list")
        if self._opened.survey.unread:
            warnings.append("content_not_read")
        partly = self._keyframes or self._spared
        if partly and self._surveyed is not None and self.to_its_end:
            ledger.last_until(self._surveyed.length_s)
        if missing is None and ledger.skipped_packets:
            missing = self._missing_without_times()
        until_s = missing if self.to_its_end else None
        return ledger.report(reader, tuple(warnings), claimed_end_s=until_s)

    def _missing_without_times(self) -> float | None:
        """Where the stream would end if its packets, which tell no times, had all decoded."""
        surveyed = self._surveyed
        if surveyed is None or surveyed.ticks is not None:
            return None
        decoded = max(1, surveyed.count - self.ledger.skipped_packets)
        return self.ledger.end_s * surveyed.count / decoded

    def _read(
        self, threads: int, after_s: float | None, sparing: Sparing | None
    ) -> Iterator[tuple[float, Picture]]:
        """The frames wanted that come after `after_s`, in the stream's own times."""
        limits = self._opened.limits
        with self._decoder(threads, sparing) as (container, stream):
            if sparing is None:
                decoded = self._decoded(container, stream, threads)
            else:
                decoded = self._decoded_in_part(container, stream, sparing)
            for frame in decoded:
                time_s, duration_s = self._clock.time_of(frame, self.ledger)
                limits.check_duration(time_s, claimed=False)
                if self.ledger.offer(time_s, duration_s):
                    if after_s is None or time_s > after_s:
                        yield time_s, self._converter.picture(frame)
                    if self.ledger.satisfied:
                        return

    @contextmanager
    def _decoder(
        self, threads: int, sparing: Sparing | None
    ) -> Iterator[tuple[InputContainer, VideoStream]]:
        """An open container and its stream, whose decoder holds nothing and is set for it all."""
        opened, index, ready = self._opened, self.stream.index, self._opened.ready
        told = self._keyframes or sparing is not None  # which frames must come out
        same = ready.is_there and ready.index == index and threads == 1 and not self._fast
        fresh = not (told and same and self._packets.kept is not None)
        if fresh:
            ready.close()  # nobody takes it any more
            container = open_media(opened.file, max_pixels=opened.limits.max_pixels)
        else:
            container = ready.take()
        with container:
            stream = container.streams[index]
            assert isinstance(stream, VideoStream)  # noqa: S101 - as the probe found it
            if fresh:
                self._prepare(stream.codec_context, threads)
            self._set(stream.codec_context)
            yield container, stream

    def _prepare(self, context: VideoCodecContext, threads: int) -> None:
        """What cannot be set any more once it has decoded."""
        context.options = {"max_pixels": str(self._opened.limits.max_pixels)}
        if self._fast and self._surveyed is not None and self._surveyed.renews_soon:
            context.options |= {"skip_loop_filter": "nokey"}
        context.thread_count = threads
        context.thread_type = "AUTO"

    def _set(self, context: VideoCodecContext) -> None:
        if context.codec.canonical_name in SHOWN_INCOMPLETE:
            context.flags |= Flags.output_corrupt
        context.skip_frame = "NONKEY" if self._keyframes else "DEFAULT"

    def _decoded(
        self, container: InputContainer, stream: VideoStream, threads: int
    ) -> Iterator[VideoFrame]:
        """Every frame that decodes, in presentation order; what does not is counted."""
        surveyed = self._surveyed
        holes = surveyed.holes if surveyed is not None else frozenset()
        start = self.stream.start  # packets may have set the container's since
        if surveyed is not None and surveyed.leapt and surveyed.ticks is not None:
            start = int(surveyed.ticks.min())
        packets = self._packets.numbered(container)
        if isinstance(self._request, KeyframesRequest):
            packets = keyframes_of(packets, self._request.max_gap_s / (self.stream.tick_s or 1.0))
        for k, packet in packets:
            if not packet.is_discard:
                self._clock.promise(packet, start, self.ledger, after_hole=k in holes)
            yield from self._decode(stream, packet, threads)
        self.ledger.skipped_packets += self._packets.stumbles.errors
        yield from self._decode(stream, None, threads)

    def _decoded_in_part(
        self, container: InputContainer, stream: VideoStream, sparing: Sparing
    ) -> Iterator[VideoFrame]:
        """The frames wanted, and those that they refer to. Raises Unforeseen, _Damaged."""
        due = Due(sparing)
        self._clock.starts_at(self.stream.start or 0)
        for part, begins, packet in self._packets.needed(container, sparing):
            if packet.pts is None:
                raise Unforeseen
            if begins:
                yield from due.among(self._decode(stream, None, 0))
                due.none_left()
                stream.codec_context.flush_buffers()
            if part == WANT:
                due.fed(packet.pts)
                self._clock.promise(packet, self.stream.start, self.ledger, after_hole=False)
            yield from due.among(self._decode(stream, packet, 0))
        if self._packets.stumbles.errors:
            raise Unforeseen
        yield from due.among(self._decode(stream, None, 0))
        due.none_left()

    def _decode(
        self, stream: VideoStream, packet: Packet[Stream] | None, threads: int
    ) -> list[VideoFrame]:
        """The frames that a packet yields, or with None what the decoder still holds.

        threads: that decode; 0 where a packet that fails ends the attempt however many they are.
        """
        try:
            return list(stream.decode(packet))
        except av.error.EOFError:
            return []
        except MemoryError as error:  # every picture is within the limits: it is full
            raise SourceError("memory_limit", self._opened.limits.out_of_memory) from error
        except (av.error.FFmpegError, ValueError) as error:
            if isinstance(error, av.error.BlockingIOError) and not stream.codec_context.is_open:
                # No room for the threads that it would decode with.
                raise SourceError("memory_limit", self._opened.limits.out_of_memory) from error
            if threads != 1:
                raise _Damaged from error
            self.ledger.skipped_packets += 1
            return []
