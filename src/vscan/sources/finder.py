"""Finds the inputs that names, patterns, URIs and lists mean, each once, and keeps account."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from vscan.errors import SourceError, UsageError
from vscan.name_keys import key_of
from vscan.names import shown, sort_key
from vscan.remote.fetching import Fetching
from vscan.remote.objects import RemoteObject, is_remote
from vscan.remote.redacted import redacted
from vscan.remote.systems import EXTRAS
from vscan.sources.behind_uris import listed_media, names_several
from vscan.sources.lists import read_list
from vscan.sources.media_files import MEDIA_SUFFIXES, SNIFF_BYTES, looks_like_media
from vscan.sources.source import Found, RemoteSource, Source
from vscan.storage import local_path, open_source, scheme_of

AnySource = TypeVar("AnySource", Source, RemoteSource)


def find_sources(inputs: Iterable[str], *, from_file: str | None = None) -> Iterator[Found]:
    """The sources that the inputs mean, lazily; `SourceFinder` also counts what it passed over."""
    return SourceFinder().find(inputs, from_file=from_file)


class SourceFinder:
    """Finds sources and keeps account. `find` yields a file once, however it is reached; the names
    that it has met are known by 128-bit numbers (`name_keys.key_of`), never equal by chance.

    fetching: what asks for objects behind URIs; None: one with the strictest rules.
    """

    def __init__(self, fetching: Fetching | None = None) -> None:
        self._fetching = Fetching() if fetching is None else fetching
        self.skipped_files = 0
        """Files in folders that are no media, FIFOs and devices among them."""
        self.repeated = 0
        """Inputs that led to a file already found."""
        self.empty_folders: list[str] = []
        """Named folders and patterns in which no media was found."""
        self.unreadable_folders: list[str] = []
        """Folders below a named one that may not be listed."""
        self.indistinct = 0
        """URLs that were passed over because they differ from another one only in what records
        leave out: user, password, signature, tokens."""
        self._seen: set[int] = set()
        self._whole: dict[int, int] = {}
        """By its name in records, a URL that is more than that."""
        self._repeats = True
        """Whether anything can come twice, so that what was found must be remembered."""

    def find(self, inputs: Iterable[str], *, from_file: str | None = None) -> Iterator[Found]:
        """Every source once, in the order of the inputs, folders sorted by name, the list last.

        `-` among the inputs reads names from stdin, as `from_file="-"` does. A file named outright
        is always yielded, even where it is absent or no media: reading it then gives its error.
        What lies below a URI comes in its service's order. Raises UsageError for a list that cannot
        be read, a URI that cannot be listed, and schemes that nobody knows.
        """
        names = list(inputs)
        # A service lists each of its keys once, and a million of them need not be held.
        self._repeats = from_file is not None or len(names) != 1 or not is_remote(names[0])
        for name in names:
            if name == "-":
                yield from self._listed("-")
            else:
                yield from self._named(name, {})
        if from_file is not None:
            yield from self._listed(from_file)

    def _named(
        self, name: str, meta: Mapping[str, object], *, outright: bool = False
    ) -> Iterator[Found]:
        if is_remote(name):
            yield from self._behind(name, meta, outright)
            return
        path = local_path(name)
        if not outright:
            _refuse_one_slash(name)
        if _is_folder(path):
            yield from self._counted(name, self._folder(path, meta))
        elif scheme_of(name) is None and glob.has_magic(name) and not os.path.lexists(path):
            yield from self._counted(name, self._pattern(name, meta))
        else:
            # `./a.mp4` and `a//b.mp4` are spellings of one name, and a rerun may use the other one.
            uri = str(path) if scheme_of(name) is None else name
            yield from self._once(Source(uri, path, meta))

    def _behind(
        self, uri: str, meta: Mapping[str, object], outright: bool
    ) -> Iterator[RemoteSource]:
        several = names_several(uri, outright=outright)
        found: RemoteObject | None = RemoteObject(uri=uri, bytes=None, version=None)
        if not outright and not uri.endswith("/"):
            # What exists wins over what its name looks like. Else fetching it will say why not, in
            # its own line.
            found = None if several else found
            with contextlib.suppress(OSError):
                found = self._fetching.look(uri)
            several = several and found is None
        if several:
            yield from self._counted(redacted(uri), self._below(uri, meta))
        elif found is None:
            yield from self._counted(redacted(uri), self._below(f"{uri}/", meta))
        else:
            yield from self._remote_once(RemoteSource(redacted(uri), found, meta))

    def _below(self, uri: str, meta: Mapping[str, object]) -> Iterator[RemoteSource]:
        # A key that a service lists gives no access, whatever is in it: it stands whole.
        gives_access = redacted(uri) != uri
        for found in listed_media(uri, self._fetching):
            if found is None:
                self.skipped_files += 1
            else:
                name = redacted(found.uri) if gives_access else found.uri
                yield from self._remote_once(RemoteSource(name, found, meta))

    def _remote_once(self, source: RemoteSource) -> Iterator[RemoteSource]:
        if source.uri == source.found.uri and not self._repeats:
            yield source
            return
        # Of each only what was met first: names are many.
        whole, told = _key(source.found.uri), _key(source.uri)
        if self._is_new(told):
            if whole != told:
                self._whole[told] = whole
            yield source
        elif whole != self._whole.get(told, told):
            self.indistinct += 1

    def _counted(self, name: str, found: Iterator[AnySource]) -> Iterator[AnySource]:
        """Notes a folder or pattern that held nothing, not even something found before."""
        before = self.repeated
        count = 0
        for source in found:
            count += 1
            yield source
        if count == 0 and self.repeated == before:
            self.empty_folders.append(name)

    def _once(self, source: Source) -> Iterator[Source]:
        if self._is_new(key_of(os.fsencode(os.path.realpath(source.path)))):
            yield source

    def _is_new(self, key: int) -> bool:
        if key in self._seen:
            self.repeated += 1
            return False
        self._seen.add(key)
        return True

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

    def _listed(self, name: str) -> Iterator[Found]:
        for uri, meta in read_list(name, self._fetching):
            yield from self._named(uri, meta, outright=True)


def _key(uri: str) -> int:
    return key_of(uri.encode("utf-8", "surrogateescape"))


def _refuse_one_slash(name: str) -> None:
    """Raises UsageError for what was meant as a URI: paths in scripts lose the second slash."""
    scheme, mark, rest = name.partition(":/")
    if mark and scheme.lower() in EXTRAS and not rest.startswith("/") and not os.path.lexists(name):
        raise UsageError(
            f"{shown(name)}: no file of this name, and a URI has two slashes",
            remedy=f"write {scheme}://{shown(rest)}",
        )


def _is_folder(path: Path) -> bool:
    """Whether it is a folder, as far as this user may know; a name too long is none."""
    try:
        return path.is_dir()
    except OSError:
        return False
