"""The file of an exemplar index's manifest, read from a local folder or a URI."""

from __future__ import annotations

from pathlib import Path

from vscan.errors import ExemplarIndexError
from vscan.exemplars.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, Manifest, decode_manifest
from vscan.storage import read_under


def read_manifest(root: Path | str) -> Manifest:
    """The checked manifest of the index in a folder or at a URI.

    Raises ExemplarIndexError where there is none, it is damaged or it cannot be read.
    """
    where = f"{root}/{MANIFEST_NAME}"
    try:
        data = read_under(root, MANIFEST_NAME, limit=MAX_MANIFEST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ExemplarIndexError(
            f"{root}: no exemplar index here (there is no {MANIFEST_NAME})",
            remedy=f"make one with `vscan index create {root}`"
            if isinstance(root, Path)
            else "check the URI: it is that of the folder that holds the manifest",
        ) from error
    except OSError as error:
        raise ExemplarIndexError(f"{where}: cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise ExemplarIndexError(f"{where}: larger than any manifest may be")
    return decode_manifest(data, where=where)
