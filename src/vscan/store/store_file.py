"""The file that says of a folder that it is a frame store."""

from __future__ import annotations

from pathlib import Path

import orjson

from vscan.errors import StoreError
from vscan.folders import list_under, make_private_folder, write_under
from vscan.storage import read_under
from vscan.store.layout import STORE_FILE

STORE_SCHEMA = "vscan.store/1"
_MAX_BYTES = 4096


def is_store(root: Path | str) -> bool:
    """Whether there is a frame store of this version in a folder or at a URI.

    Raises StoreError where there is one of another version, or where that cannot be told.
    """
    where = f"{root}/{STORE_FILE}"
    try:
        data = read_under(root, STORE_FILE, limit=_MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(where, error) from error
    try:
        schema = orjson.loads(data)["schema"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise StoreError(
            f"{where}: not the file of a frame store",
            remedy="give another folder; a store's own file can be restored from a copy",
        ) from error
    if schema != STORE_SCHEMA:
        raise StoreError(
            f"{where}: a store of another version: {schema!r}, not {STORE_SCHEMA!r}",
            remedy="use the vscan that made it, or scan into another folder",
        )
    return True


def make_store(root: Path | str) -> None:
    """Makes an empty or new folder a frame store; harmless where another writer is doing the same.

    Raises StoreError where the folder holds something else, OutputError where it cannot be written.
    """
    if isinstance(root, Path):
        make_private_folder(root)
    try:
        held = [each.name for each in list_under(root)]
    except OSError as error:
        raise _unreadable(str(root), error) from error
    if any(not name.startswith(f".{STORE_FILE}.") for name in held) and not is_store(root):
        raise StoreError(
            f"{root}: not a frame store, and not empty",
            remedy="give a new or empty folder to --store",
        )
    data = orjson.dumps({"schema": STORE_SCHEMA}, option=orjson.OPT_APPEND_NEWLINE)
    write_under(root, STORE_FILE, data, sync=True)


def _unreadable(where: str, error: OSError) -> StoreError:
    return StoreError(
        f"{where}: cannot be read: {error.strerror or error}",
        remedy="check its name, that it may be read, and that its disk or service is well",
    )
