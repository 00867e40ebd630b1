"""Folders of verdict parts for tests: made-up verdicts, and what lies in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from tests.store.test_records import verdict

from vscan.folders import list_under
from vscan.storage import read_under
from vscan.store.merging import Merged, merge
from vscan.store.verdict_copies import local_verdicts
from vscan.store.verdict_parts import RecordParts

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def write(root: Path | str, *uris: str, **options: Any) -> None:
    """A run that comes to its end."""
    sink = RecordParts(root, **options)
    for uri in uris:
        sink.write(verdict(uri))
    sink.finish()
    sink.close()


def names(root: Path | str, folder: str = "") -> Iterator[str]:
    """Every file below a folder."""
    for entry in list_under(root, folder):
        path = f"{folder}/{entry.name}".lstrip("/")
        if entry.is_folder:
            yield from names(root, path)
        else:
            yield path


def parts(root: Path | str) -> list[str]:
    """Every part below a folder, the older ones first."""
    found = (name for name in names(root, "parts") if name.endswith(".jsonl"))
    return sorted(found, key=lambda name: name.rpartition("/")[2])


def manifest(root: Path | str, worker: str = "whole") -> dict[str, Any]:
    """A worker's manifest."""
    read: dict[str, Any] = orjson.loads(read_under(root, f"manifests/{worker}.json", limit=None))
    return read


def stored(root: Path | str) -> list[str]:
    """The URIs of all lines in all parts, in order."""
    data = b"".join(read_under(root, name, limit=None) for name in parts(root))
    return [orjson.loads(line)["source"]["uri"] for line in data.splitlines()]


def merged(root: Path | str, out: Path) -> tuple[Merged, list[bytes]]:
    """What a merge of the folder comes to, and its lines."""
    with local_verdicts([f"{root}/"]) as copies:
        done = merge(copies.paths, out, force=True)
    return done, out.read_bytes().splitlines(keepends=True)


def kill(sink: RecordParts) -> None:
    """What SIGKILL does: nothing more is stored."""
    vars(sink)["_broken"] = True


def amended(line: bytes) -> bytes:
    """A line of which a flood was the only finding, say: `a` is to be looked at."""
    record = orjson.loads(line)
    if record["source"]["uri"] != "a":
        return line
    return orjson.dumps({**record, "outcome": "review", "action": "review"}) + b"\n"
