"""Opening hostile files: nothing else is opened, and nothing large is allocated."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tests.media_factory import barcode_clip
from vscan import storage
from vscan.decode.probe import probe
from vscan.decode.sandbox import ReadLimits
from vscan.errors import SourceError


def code_of(path: Path) -> str:
    """The error code that probing a file gives."""
    with pytest.raises(SourceError) as caught, storage.open_source(path) as file:
        probe(file, ReadLimits())
    return caught.value.code


def test_a_picture_bomb(tmp_path: Path) -> None:
    """A PNG that claims 30000 x 30000 pixels is refused from its header."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(90001)))
        + chunk(b"IEND", b"")
    )
    assert code_of(path) == "too_large"


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {neighbour}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{neighbour}\n#EXT-X-ENDLIST\n",
        "v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        '<?xml version="1.0"?><MPD><BaseURL>{neighbour}</BaseURL></MPD>',
    ],
    ids=["concat", "hls", "sdp", "dash"],
)
def test_playlists_open_nothing(text: str, tmp_path: Path) -> None:
    """A text that names a real video beside it is refused, whatever its extension."""
    neighbour = barcode_clip(tmp_path / "real.ts", count=5).path
    path = tmp_path / "list.mp4"
    path.write_text(text.format(neighbour=neighbour.name))
    assert code_of(path) == "unsupported_format"


def test_metadata_of_any_bytes(tmp_path: Path) -> None:
    """Tags that are not UTF-8 do not hide a video."""
    clip = barcode_clip(tmp_path / "a.mkv", count=5)
    data = clip.path.read_bytes()
    assert b"Lavf" in data
    clip.path.write_bytes(data.replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
    with storage.open_source(clip.path) as file:
        assert probe(file, ReadLimits()).info.codec == "h264"
