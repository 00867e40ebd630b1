"""Opening a media file with PyAV so that it can do no harm, and PyAV's errors made ours.

The file is handed over as an open file, never by name: FFmpeg then judges by content alone, can
open no second file, and no name can be taken for a URL or a pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
from av.container.input import InputContainer
from av.video.stream import VideoStream

from vscan.errors import SourceError

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,ogg,asf,mxf,gxf,"
    "nut,ivf,dv,rm,wtv,m4v,h264,hevc,obu,h263,mjpeg,vc1,yuv4mpegpipe,amv,swf,"
    "gif,apng,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegxl_pipe,"
    "mp3,wav,flac,aac,aiff,amr,caf,w64,ac3"
)
"""Demuxers that may run. Audio ones are there to say `no_video_stream`; playlists are not there."""

BUFFER_BYTES = 1 << 20


def open_media(file: BinaryIO, *, max_pixels: int) -> InputContainer:
    """An open container; the caller closes it.

    Raises SourceError: `unsupported_format`, `memory_limit` or `decode_failed`.
    """
    file.seek(0)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        "max_pixels": str(max_pixels),
    }
    with translated("opened"):
        return av.open(
            file, "r", options=options, metadata_errors="replace", buffer_size=BUFFER_BYTES
        )


def video_stream(container: InputContainer) -> VideoStream:
    """The stream that a player would show. Raises SourceError `no_video_stream`."""
    picture = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & picture]
    if not streams:
        raise SourceError(
            "no_video_stream",
            "the file holds no video stream",
            remedy="vscan looks at pictures; sound alone is not scanned",
        )
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.codec_context is None:
        raise SourceError(
            "unsupported_format", "no decoder for the codec of the file's video stream"
        )
    return stream


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
