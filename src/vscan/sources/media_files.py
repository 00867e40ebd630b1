"""Which files are media: by their names, or by their first bytes."""

from __future__ import annotations

_SUFFIXES = {
    "video": "3g2 3gp amv asf avi divx dv f4v flv gxf h264 hevc ismv ivf m1v m2t m2ts m2v m4v "
    "mjpeg mjpg mkv mov mp4 mpe mpeg mpg mts mxf nut ogm ogv ogx qt rm rmvb swf ts vob webm wmv "
    "wtv y4m",
    "audio": "aac ac3 aif aiff amr caf flac m4a mka mp3 oga ogg opus wav wma",
    "image": "apng avif bmp gif heic heif jpeg jpg jxl png tif tiff webp",
    "playlist": "ffconcat m3u m3u8 mpd pls",
}
MEDIA_SUFFIXES = frozenset(f".{name}" for names in _SUFFIXES.values() for name in names.split())
"""Extensions of what counts as an input in a folder. Sound and playlists are refused by their
records, with a reason, rather than passed over in silence."""


SNIFF_BYTES = 384
"""That are enough to tell."""


def looks_like_media(head: bytes) -> bool:
    """Whether the first bytes (SNIFF_BYTES are enough) are those of a media container or image."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return True
    if head.startswith(_MAGIC) or (head[:4] in (b"RIFF", b"RIFX") and head[8:12] in _RIFF):
        return True
    # MPEG transport streams: a sync byte every 188 bytes (192 with a time code before it)
    return any(
        len(head) > at + step and head[at] == head[at + step] == 0x47
        for at, step in ((0, 188), (4, 192))
    )


_RIFF = (b"AVI ", b"AMV ", b"WAVE", b"WEBP")
_MAGIC = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
    b".RMF",
    b"DKIF",  # IVF
    b"YUV4MPEG2",
    b"nut/multimedia container",
    b"GIF87a",
    b"GIF89a",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"fLaC",
    b"ID3",
    b"#EXTM3U",
    b"ffconcat version",
)
