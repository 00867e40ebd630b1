"""Special files that are pictures: stills, animations, and bombs that claim more than they hold."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from bench.hostile.bases import pictures

_SIZE = (160, 96)
_HUGE = 30_000


def _images(count: int = 1) -> list[Image.Image]:
    return [Image.fromarray(rgb) for rgb in pictures(5, count, _SIZE)]


def _still(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        _images()[0].save(path, kind)

    return make


def _animation(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        first, *rest = _images(30)
        options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
        first.save(path, kind, save_all=True, append_images=rest, duration=100, loop=0, **options)

    return make


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file with its checksum."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_bomb(side: int) -> bytes:
    """A PNG that claims `side` x `side` pixels and holds one row of them."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(side * 3 + 1))
    parts = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", rows), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def deep_png_bomb(path: Path) -> None:
    """A PNG of 12000 x 12000 pixels that holds them all, in half a megabyte."""
    side, packer = 12_000, zlib.compressobj(6)
    row = bytes(side * 3 + 1)
    packed = b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", packed), png_chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header claims that size and whose data is a small picture's."""
    buffer = io.BytesIO()
    _images()[0].save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _gif_bomb(path: Path) -> None:
    buffer = io.BytesIO()
    _images()[0].quantize(16).save(buffer, "GIF")
    data = bytearray(buffer.getvalue())
    data[6:10] = struct.pack("<HH", 65535, 65535)
    at = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
    data[at + 5 : at + 9] = struct.pack("<HH", 65535, 65535)
    path.write_bytes(data)


def _webp_bomb(path: Path) -> None:
    Image.new("RGB", (16383, 16383)).save(path, "WEBP", lossless=True, method=0)


def _bmp_bomb(path: Path) -> None:
    buffer = io.BytesIO()
    _images()[0].save(buffer, "BMP")
    data = bytearray(buffer.getvalue())
    data[18:26] = struct.pack("<ii", _HUGE, _HUGE)
    path.write_bytes(data)


def _tiff_bomb(path: Path) -> None:
    buffer = io.BytesIO()
    _images()[0].save(buffer, "TIFF")
    data = buffer.getvalue()
    for tag, value in ((256, _SIZE[0]), (257, _SIZE[1])):
        for kind, shape in ((3, "<HHIHH"), (4, "<HHII")):
            entry = (tag, kind, 1, value, 0) if kind == 3 else (tag, kind, 1, value)
            bomb = struct.pack("<HHII", tag, 4, 1, _HUGE)
            data = data.replace(struct.pack(shape, *entry), bomb)
    path.write_bytes(data)


def _y4m_bomb(path: Path) -> None:
    path.write_bytes(b"YUV4MPEG2 W30000 H30000 F25:1 C420\nFRAME\n" + bytes(100_000))


def _tile_still(path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, "AVIF", quality=40)


def _written(data: Callable[[], bytes]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data())

    return make


PICTURES: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "still-jpeg": (".jpg", _still("JPEG")),
    "still-png": (".png", _still("PNG")),
    "still-webp": (".webp", _still("WEBP")),
    "still-tiff": (".tiff", _still("TIFF")),
    "still-bmp": (".bmp", _still("BMP")),
    "still-gif": (".gif", _still("GIF")),
    "still-avif": (".avif", _tile_still),
    "animated-gif": (".gif", _animation("GIF")),
    "animated-png": (".png", _animation("PNG")),
    "animated-webp": (".webp", _animation("WEBP")),
    "animated-avif": (".avif", _animation("AVIF")),
    "jpeg-named-mp4": (".mp4", _still("JPEG")),
    "cut-jpeg": (".jpg", _written(lambda: jpeg_of(*_SIZE)[:2500])),
    "bomb-png": (".png", _written(lambda: png_bomb(_HUGE))),
    "bomb-png-deep": (".png", deep_png_bomb),
    "bomb-jpeg": (".jpg", _written(lambda: jpeg_of(65_000, 65_000))),
    "bomb-gif": (".gif", _gif_bomb),
    "bomb-webp": (".webp", _webp_bomb),
    "bomb-bmp": (".bmp", _bmp_bomb),
    "bomb-tiff": (".tiff", _tiff_bomb),
    "bomb-y4m": (".y4m", _y4m_bomb),
}
"""Name of a special picture: its suffix and what makes it. Those named bomb must be refused."""
