"""Opening a media file with PyAV so that it can do no harm, and PyAV's errors made ours.

The file is handed over as an open file, never by name: FFmpeg then judges by content alone, can
open no second file, and no name can be taken for a URL or a pattern.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
from av.container.input import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vscan.errors import SourceError

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,ogg,asf,mxf,gxf,"
    "nut,ivf,dv,rm,wtv,m4v,h264,hevc,obu,h263,mjpeg,vc1,yuv4mpegpipe,amv,swf,"
    "gif,apng,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegxl_pipe,"
    "mp3,wav,flac,aac,aiff,amr,caf,w64,ac3"
)
"""Demuxers that may run. Audio ones are there to say `no_video_stream`; playlists are not there."""

BUFFER_BYTES = 256 << 10
"""Read at once. Opening a short file costs less than with more, reading a long one hardly more."""


def open_media(file: BinaryIO, *, max_pixels: int, without_edits: bool = False) -> InputContainer:
    """An open container; the caller closes it.

    Raises SourceError: `unsupported_format`, `memory_limit` or `decode_failed`.
    """
    file.seek(0)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        "max_pixels": str(max_pixels),
    }
    if without_edits:
        options["ignore_editlist"] = "1"
    with translated("opened"):
        return av.open(
            _Seekable(file),
            "r",
            options=options,
            metadata_errors="replace",
            buffer_size=BUFFER_BYTES,
        )


class _Seekable:
    """A file in which a demuxer may seek anywhere: where there is nothing, it is told so.

    An exception would end the reading, and a damaged offset is no reason for that.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The place reached, or -1, by which FFmpeg knows that it failed."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


def video_streams(container: InputContainer) -> list[VideoStream]:
    """Every stream of pictures: first the one that a player would show, the attached ones last.

    Streams that FFmpeg has no decoder for are among them (their `codec_context` is None). Raises
    SourceError `no_video_stream`, and `unsupported_format` for a picture that is stored in tiles.
    """
    streams = list(container.streams.video)
    if not streams:
        raise SourceError(
            "no_video_stream",
            "the file holds no video stream",
            remedy="vscan looks at pictures; sound alone is not scanned",
        )
    if any(stream.disposition & Disposition.dependent for stream in streams):
        raise SourceError(
            "unsupported_format",
            "the picture is stored in tiles (HEIF grid), which are not put together here",
            remedy="save it as JPEG or PNG",
        )
    best = container.streams.best("video")
    return sorted(streams, key=lambda s: (is_attached(s), s is not best, s.index))


def is_attached(stream: VideoStream) -> bool:
    """Whether the stream is one picture that goes with the file, as cover art."""
    # Whatever another track calls its chapters has both marks, and may be the film itself.
    return (
        bool(stream.disposition & Disposition.attached_pic)
        and not stream.disposition & Disposition.timed_thumbnails
    )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turns what PyAV raises into SourceError; `doing` completes "the file could not be …"."""
    try:
        yield
    except (av.error.DemuxerNotFoundError, av.error.ProtocolNotFoundError) as error:
        raise _unsupported() from error
    except MemoryError as error:
        raise SourceError(
            "memory_limit",
            "reading the file needs more memory than allowed",
            remedy="the file needs more than a reader may take; look at it with care",
        ) from error
    except (av.error.InvalidDataError, av.error.ArgumentError) as error:
        raise _unsupported() from error
    except (av.error.DecoderNotFoundError, av.error.PatchWelcomeError) as error:
        raise SourceError(
            "unsupported_format", f"no decoder for the file's video: {error.strerror}"
        ) from error
    except av.error.FFmpegError as error:
        raise SourceError(
            "decode_failed", f"the file could not be {doing}: {error.strerror}"
        ) from error


def _unsupported() -> SourceError:
    return SourceError(
        "unsupported_format",
        "the file is not in a video format that the readers know, is damaged at its start, "
        "or is a playlist",
        remedy="check that it plays; playlists are refused because they name other files",
    )
