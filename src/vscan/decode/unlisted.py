"""Video streams that begin on the way, of which FFmpeg hands out nothing: told by the bytes alone.

A transport stream, an MPEG program stream and an FLV may begin a stream anywhere. FFmpeg looks for
streams at the start of a file, and at the end of some; PyAV passes over packets of later ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from typing import BinaryIO

STRETCH = 1 << 20
PACKET = 188
"""Bytes of a transport stream's packet (ISO/IEC 13818-1, 2.4.3)."""
FEW = 2
"""Starts of a stream below which it is chance."""
_VIDEO_START = re.compile(rb"\x00\x00\x01[\xe0-\xef]")
"""How a packet of a video stream begins in both (ISO/IEC 13818-1, table 2-22)."""


def has_unlisted_video(file: BinaryIO, container: str, ids: Collection[int]) -> bool:
    """Whether a file holds a video stream that is none of those with these ids.

    container: FFmpeg's name. ids: of its video streams, the PIDs of a transport stream, stream ids
    of a program stream; of an FLV their number counts, a stream for each codec.
    """
    match container:
        case "mpegts":
            starts = Counter(pid for pid in _pids(file) if pid not in ids)
        case "mpeg":
            starts = Counter(id_ for id_ in _stream_ids(file) if id_ not in ids)
        case "flv":
            codecs = sum(count >= FEW for count in _flv_codecs(file).values())
            return codecs > max(1, len(ids))
        case _:
            return False
    return any(count >= FEW for count in starts.values())


def _starts(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Stretches of a file, and where in them a packet of video may begin, PACKET bytes in."""
    file.seek(0)
    before = b""
    while piece := file.read(STRETCH):
        data = before + piece
        for found in _VIDEO_START.finditer(data, min(len(before), PACKET)):
            yield data, found.start()
        # The next one begins with as much as a header needs, and three bytes of a start cut in two.
        before = data[-PACKET - 3 :]


def _pids(file: BinaryIO) -> Iterator[int]:
    """The PID of every transport packet in which a packet of video begins."""
    for data, at in _starts(file):
        yield from islice(_headers_before(data, at), 1)


def _headers_before(data: bytes, at: int) -> Iterator[int]:
    """PIDs of the transport packets whose payload begins at `at`, and a unit with it."""
    for header in range(at - 4, max(-1, at - PACKET), -1):
        if data[header] != 0x47 or not data[header + 1] & 0x40:
            continue
        control = data[header + 3] & 0x30
        begins = header + 4 if control == 0x10 else header + 5 + data[header + 4]
        if control & 0x10 and begins == at:
            yield (data[header + 1] & 0x1F) << 8 | data[header + 2]


def _stream_ids(file: BinaryIO) -> Iterator[int]:
    """FFmpeg's id of every packet of video in a program stream."""
    for data, at in _starts(file):
        yield 0x100 | data[at + 3]


def _flv_codecs(file: BinaryIO) -> Counter[bytes]:
    """How many video tags there are of each codec (Adobe FLV, E.4.3.1; enhanced FLV: a FourCC)."""
    found: Counter[bytes] = Counter()
    file.seek(5)
    place = int.from_bytes(file.read(4), "big") + 4
    while True:
        file.seek(place)
        tag = file.read(16)
        if len(tag) < 16 or tag[0] & 0x1F not in (8, 9, 18):
            return found
        if tag[0] & 0x1F == 9:
            found[tag[12:16] if tag[11] & 0x80 else bytes([tag[11] & 0x0F])] += 1
        place += 11 + int.from_bytes(tag[1:4], "big") + 4
