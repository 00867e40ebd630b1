"""Folders that are written into, listed and cleared, on this machine or behind a URI.

The counterpart of `storage.read_under`: `root` is what `storage.location` gave.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vscan.remote.answers import remote_error
from vscan.remote.systems import file_system, path_of
from vscan.storage import atomic_write_bytes, output_error

PRIVATE_FOLDER = 0o700
_TIMES = (
    "mtime",
    "LastModified",
    "last_modified",
    "updated",
    "timeModified",
    "modified",
    "created",
)
"""What services call the time at which a file was last written."""


@dataclass(frozen=True)
class Entry:
    """A file or a folder within a folder."""

    name: str
    """Its own name, without those of the folders above it."""
    is_folder: bool
    bytes: int
    """Size of a file; 0 for a folder."""
    modified_s: float | None
    """Seconds since 1970 at which a file was last written; None where the service does not say."""


def write_under(
    root: Path | str, name: str, data: bytes, *, mode: int = 0o600, sync: bool = False
) -> None:
    """Writes the file `name` below a folder whole or not at all, with the folders above it.

    Folders are made for this user alone; behind a URI both modes are the service's affair. What is
    not synced survives any kill, but a power cut may tear it: see `storage.atomic_write_bytes`.
    Raises OutputError where the system or the service refuses or has no room, and UsageError where
    the scheme's extra of vscan is not installed.
    """
    if isinstance(root, Path):
        path = root / name
        if not path.parent.is_dir():
            _make_folders(root, Path(name).parent)
        atomic_write_bytes(path, data, mode=mode, sync=sync)
        return
    uri = f"{root}/{name}"
    system = file_system(uri)
    try:
        system.pipe_file(path_of(system, uri), data)
    except Exception as error:
        raise output_error(uri, remote_error(error)) from error


def put_under(root: str, name: str, file: Path) -> None:
    """Stores a local file of any size under a URI, whole or not at all. Raises as `write_under`."""
    uri = f"{root}/{name}"
    system = file_system(uri)
    try:
        system.put_file(str(file), path_of(system, uri))
    except Exception as error:
        raise output_error(uri, remote_error(error)) from error


def make_private_folder(path: Path) -> None:
    """Makes a folder, for this user alone, and those above it. Raises OutputError."""
    try:
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def _make_folders(root: Path, below: Path) -> None:
    make_private_folder(root)
    for step in (*reversed(below.parents), below):
        make_private_folder(root / step)


def exists_under(root: Path | str, name: str) -> bool:
    """Whether there is a file `name` below a folder. Raises OSError where that cannot be told."""
    if isinstance(root, Path):
        try:
            return stat.S_ISREG(os.stat(f"{root}/{name}").st_mode)  # noqa: PTH116 -- in bulk
        except (FileNotFoundError, NotADirectoryError):
            return False
    uri = f"{root}/{name}"
    system = file_system(uri)
    try:
        return str(system.info(path_of(system, uri))["type"]) == "file"
    except Exception as error:
        told = remote_error(error)
        if isinstance(told, FileNotFoundError):
            return False
        raise told from error


def list_under(root: Path | str, folder: str = "") -> list[Entry]:
    """The files and folders within one folder, by name; none where there is no such folder.

    folder: below root; empty for root itself. Links are followed. What is neither file nor folder
    is left out, and so is what goes while it is looked at. Raises OSError as read_under does.
    """
    if isinstance(root, Path):
        entries = _local_entries(root / folder)
    else:
        entries = _remote_entries(f"{root}/{folder}".rstrip("/"))
    return sorted(entries, key=lambda entry: entry.name)


def _local_entries(folder: Path) -> list[Entry]:
    entries = []
    try:
        with os.scandir(folder) as found:
            for each in found:
                with contextlib.suppress(FileNotFoundError):
                    status = each.stat()
                    if stat.S_ISREG(status.st_mode):
                        entries.append(Entry(each.name, False, status.st_size, status.st_mtime))
                    elif stat.S_ISDIR(status.st_mode):
                        entries.append(Entry(each.name, True, 0, None))
    except FileNotFoundError:
        return []
    return entries


def _remote_entries(uri: str) -> list[Entry]:
    system = file_system(uri)
    path = path_of(system, uri)
    try:
        # What was listed once is remembered for ever by some file systems.
        system.invalidate_cache()
        found = system.ls(path, detail=True)
        system.invalidate_cache()
    except Exception as error:
        told = remote_error(error)
        if isinstance(told, FileNotFoundError):
            return []
        raise told from error
    entries = []
    for each in found:
        name = str(each["name"]).rstrip("/")
        if name.strip("/") == path.strip("/"):
            continue  # some services list a folder as an empty file within itself
        is_folder = each["type"] == "directory"
        size = 0 if is_folder else int(each.get("size") or 0)
        entries.append(Entry(name.rpartition("/")[2], is_folder, size, _modified_s(each)))
    return entries


def _modified_s(told: Mapping[str, Any]) -> float | None:
    for name in _TIMES:
        value = told.get(name)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        if isinstance(value, int | float):
            return float(value)
    return None


def remove_under(root: Path | str, name: str) -> None:
    """Removes the file `name` below a folder; all is well where it is gone already.

    Raises OutputError where the system or the service refuses.
    """
    if isinstance(root, Path):
        try:
            (root / name).unlink(missing_ok=True)
        except OSError as error:
            raise output_error(root / name, error) from error
        return
    uri = f"{root}/{name}"
    system = file_system(uri)
    try:
        system.rm_file(path_of(system, uri))
    except Exception as error:
        told = remote_error(error)
        if not isinstance(told, FileNotFoundError):
            raise output_error(uri, told) from error
