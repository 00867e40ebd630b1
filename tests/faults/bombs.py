"""Files that cost little to make and much to read, and files that name what they are not."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from tests.media_factory import write_video

SIDE = 16_000
"""Pixels: 256 million of them, 768 MB as RGB."""


def png_bomb(path: Path, *, side: int = SIDE) -> Path:
    """A black one-bit picture of side x side pixels (PNG, ISO/IEC 15948) in some 30 KB."""
    row = b"\0" * (1 + -(-side // 8))
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks))
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def video_bomb(path: Path, *, claimed: int, side: int = SIDE, count: int = 3) -> Path:
    """A film of such pictures, whose header claims frames of `claimed` x `claimed` pixels."""
    still = png_bomb(path.with_suffix(".png"), side=side)
    data = still.read_bytes()
    still.unlink()
    with av.open(str(path), "w") as output:
        stream = output.add_stream("png", rate=1)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = claimed
        stream.pix_fmt = "rgb24"
        stream.codec_context.time_base = Fraction(1)
        for number in range(count):
            packet = av.Packet(data)
            packet.stream = stream
            packet.time_base = Fraction(1)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            output.mux(packet)
    return path


def long_video(path: Path, *, hours: int) -> Path:
    """A video of so many hours, with a picture every half hour."""
    frames = [np.full((64, 64, 3), 9 * k % 256, np.uint8) for k in range(2 * hours + 1)]
    return write_video(path, frames, fps=Fraction(1, 1800))


def names_others(kind: str, *, url: str, path: str) -> bytes:
    """A text that tells a player to open something else: at a URL, and in a file."""
    texts = {
        "hls": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n"
        f"#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{path}'\nfile '{url}'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="9"><BaseURL>{url}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "url": f"{url}\n",
        "shortcut": f"[InternetShortcut]\nURL={url}\n",
        "pls": f"[playlist]\nFile1={url}\nFile2={path}\nNumberOfEntries=2\n",
        "smil": f'<smil><body><video src="{url}"/></body></smil>\n',
    }
    return texts[kind].encode()


KINDS = ("hls", "ffconcat", "dash", "sdp", "url", "shortcut", "pls", "smil")
