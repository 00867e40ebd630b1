"""Which inputs there are: files, folders, globs and lists become sources, each once, lazily.

finder = SourceFinder()
for source in finder.find(["clips/", "*.mp4"], from_file="more.txt"):
    ...
finder.skipped_files, finder.empty_folders
"""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from vscan.errors import SourceError, UsageError
from vscan.names import shown, sort_key
from vscan.storage import local_path, open_source, scheme_of

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
LIST_CHUNK = 1 << 16
MAX_LIST_ENTRY = 1 << 20


@dataclass(frozen=True)
class Source:
    """One input: where its bytes are, the name it is recorded under, and what came along."""

    uri: str
    """As the user or the list named it, less `./` and doubled slashes; `os.fsdecode`d. Record it
    through `record_uri`."""
    path: Path
    """Where it can be opened."""
    meta: Mapping[str, object] = field(default_factory=dict)
    """Further keys of its line in a JSONL list, handed on to the record."""


def find_sources(inputs: Iterable[str], *, from_file: str | None = None) -> Iterator[Source]:
    """The sources that the inputs mean, lazily; `SourceFinder` also counts what it passed over."""
    return SourceFinder().find(inputs, from_file=from_file)


class SourceFinder:
    """Finds sources and keeps account. One finder yields a file once, however it is reached."""

    def __init__(self) -> None:
        self.skipped_files = 0
        """Files in folders that are no media, FIFOs and devices among them."""
        self.repeated = 0
        """Inputs that led to a file already found."""
        self.empty_folders: list[str] = []
        """Named folders and patterns in which no media was found."""
        self.unreadable_folders: list[str] = []
        """Folders below a named one that may not be listed."""
        self._seen: set[bytes] = set()

    def find(self, inputs: Iterable[str], *, from_file: str | None = None) -> Iterator[Source]:
        """Every source once, in the order of the inputs, folders sorted by name, the list last.

        `-` among the inputs reads names from stdin, as `from_file="-"` does. A file named outright
        is always yielded, even where it is absent or no media: reading it then gives its error.
        Raises UsageError for a list that cannot be read and for URIs that are not local.
        """
        for name in inputs:
            if name == "-":
                yield from self._listed("-")
            else:
                yield from self._named(name, {})
        if from_file is not None:
            yield from self._listed(from_file)

    def _named(self, name: str, meta: Mapping[str, object]) -> Iterator[Source]:
        path = local_path(name)
        if _is_folder(path):
            yield from self._counted(name, self._folder(path, meta))
        elif scheme_of(name) is None and glob.has_magic(name) and not os.path.lexists(path):
            yield from self._counted(name, self._pattern(name, meta))
        else:
            # `./a.mp4` and `a//b.mp4` are spellings of one name, and a rerun may use the other one.
            uri = str(path) if scheme_of(name) is None else name
            yield from self._once(Source(uri, path, meta))

    def _counted(self, name: str, found: Iterator[Source]) -> Iterator[Source]:
        """Notes a folder or pattern that held nothing, not even something found before."""
        before = self.repeated
        count = 0
        for source in found:
            count += 1
            yield source
        if count == 0 and self.repeated == before:
            self.empty_folders.append(name)

    def _once(self, source: Source) -> Iterator[Source]:
        key = os.fsencode(os.path.realpath(source.path))
        if key in self._seen:
            self.repeated += 1
            return
        self._seen.add(key)
        yield source

    def _pattern(self, pattern: str, meta: Mapping[str, object]) -> Iterator[Source]:
        """A glob that the shell left alone. `**` crosses folders and follows no links."""
        parts = Path(pattern).parts
        fixed = next(k for k, part in enumerate(parts) if glob.has_magic(part))
        try:
            paths = Path(*parts[:fixed]).glob(os.path.join(*parts[fixed:]))  # noqa: PTH118
            found = sorted(map(str, paths), key=sort_key)
        except (OSError, ValueError, NotImplementedError) as error:
            raise UsageError(
                f"{shown(pattern)}: not a pattern that can be used: {error}"
            ) from error
        hidden_asked = any(part.startswith(".") for part in parts[fixed:])
        for name in found:
            path = Path(name)
            hidden = any(part.startswith(".") for part in path.parts[fixed:])
            if _is_folder(path) or (hidden and not hidden_asked):
                continue
            if self._is_media(path):
                yield from self._once(Source(name, path, meta))
            else:
                self.skipped_files += 1

    def _folder(self, top: Path, meta: Mapping[str, object]) -> Iterator[Source]:
        """All media below a folder; a folder met again through a link is not walked again."""
        walked: set[tuple[int, int]] = set()
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                status = folder.stat()
                with os.scandir(folder) as entries:
                    names = sorted((entry.name for entry in entries), key=sort_key)
            except OSError:
                self.unreadable_folders.append(str(folder))
                continue
            if (status.st_dev, status.st_ino) in walked:
                continue
            walked.add((status.st_dev, status.st_ino))
            below = []
            for name in names:
                path = folder / name
                if _is_folder(path):
                    below.append(path)
                elif self._is_media(path):
                    yield from self._once(Source(str(path), path, meta))
                else:
                    self.skipped_files += 1
            waiting.extend(reversed(below))

    def _is_media(self, path: Path) -> bool:
        """Whether a file met in a folder is an input: by its name, else by its first bytes."""
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                return False
        except OSError:
            return False
        if path.suffix.lower() in MEDIA_SUFFIXES:
            return True
        try:
            with open_source(path) as file:
                return looks_like_media(file.read(SNIFF_BYTES))
        except (SourceError, OSError):
            return False

    def _listed(self, name: str) -> Iterator[Source]:
        for uri, meta in read_list(name):
            yield from self._named(uri, meta)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder, as far as this user may know; a name too long is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def read_list(name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The (name, meta) pairs of a list: `-` is stdin.

    A name a line; blank lines and those that begin with `#` are passed over; a line that begins
    with `{` is a JSON object with `uri` and whatever else goes into the record's `source.meta`.
    Names end with NUL instead where the list begins so (`find -print0`). Raises UsageError.
    """
    if name == "-":
        yield from _entries(sys.stdin.buffer, "standard input")
        return
    path = local_path(name)
    try:
        with path.open("rb") as file:
            yield from _entries(file, shown(name))
    except OSError as error:
        raise UsageError(
            f"{shown(name)}: the list cannot be read: {error.strerror}",
            remedy="--from-file takes a text file with a name a line, or - for standard input",
        ) from error


def _entries(file: BinaryIO, where: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    # A name may hold a line end, so one NUL in what comes first settles how names are parted.
    head = file.read1(LIST_CHUNK)  # type: ignore[attr-defined]  # buffered: BufferedReader
    by_line = b"\0" not in head
    for number, text in enumerate(_parted(head, file, b"\n" if by_line else b"\0", where), 1):
        entry = text.removesuffix(b"\r") if by_line else text
        if not entry or (by_line and entry.startswith(b"#")):
            continue
        if by_line and entry.startswith(b"{"):
            yield _object(entry, f"{where}, line {number}")
        else:
            yield os.fsdecode(entry), {}


def _parted(head: bytes, file: BinaryIO, separator: bytes, where: str) -> Iterator[bytes]:
    """The pieces between separators, as they arrive."""
    rest = b""
    part = head
    while part:
        *whole, rest = (rest + part).split(separator)
        yield from whole
        if len(rest) > MAX_LIST_ENTRY:
            raise UsageError(f"{where}: an entry of more than {MAX_LIST_ENTRY} bytes")
        part = file.read1(LIST_CHUNK)  # type: ignore[attr-defined]  # buffered, as above
    if rest:
        yield rest


def _object(text: bytes, where: str) -> tuple[str, Mapping[str, object]]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(
            f"{where}: not a JSON object: {error}",
            remedy='write {"uri": "clips/a.mp4", "market": "DE"}, or plain names without braces',
        ) from error
    uri = data.pop("uri", None)
    if not isinstance(uri, str) or not uri:
        raise UsageError(f'{where}: the object has no "uri"', remedy='add "uri": "path/to/video"')
    return uri, data


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
