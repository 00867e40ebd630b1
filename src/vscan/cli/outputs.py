"""Which output `-o` of scan and rescan means, and where the run's summary goes with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vscan.runs import SummaryPlace
    from vscan.store.records import RecordSink


def sink_of(output: str | None, *, fresh: bool, shard: str | None = None) -> RecordSink:
    """Where the verdicts go: stdout, one local file, or parts below a folder.

    output: a URI, or a name that ends in a slash, is a folder of parts. shard: as `2/5`. Raises
    UsageError for a URI that cannot be one, OutputError where it cannot be written to or resumed.
    """
    from vscan.shards import parse_shard
    from vscan.storage import local_path
    from vscan.store.records import RecordFile, RecordStream

    if output is None:
        return RecordStream()
    root = _root(output)
    if root is None:
        return RecordFile(local_path(output), fresh=fresh)
    from vscan.remote.redacted import redacted
    from vscan.store.verdict_parts import RecordParts

    if sys.stderr.isatty():
        print(f"vscan: reading what earlier runs left in {redacted(output)}", file=sys.stderr)
    return RecordParts(root, shard=None if shard is None else parse_shard(shard), fresh=fresh)


def summary_of(
    output: str | None, given: Path | None, *, shard: str | None = None
) -> SummaryPlace | None:
    """Where the run summary goes: as it was given, or else with the output; None for stdout."""
    from vscan.runs import summary_path
    from vscan.shards import parse_shard
    from vscan.storage import local_path
    from vscan.store.verdict_part_names import summary_name, worker_of

    if given is not None or output is None:
        return given
    root = _root(output)
    if root is None:
        return summary_path(local_path(output))
    return root, summary_name(worker_of(None if shard is None else parse_shard(shard)))


def _root(output: str) -> Path | str | None:
    """The folder that takes parts; None where one local file is meant. Raises UsageError."""
    from vscan.errors import UsageError
    from vscan.storage import location, scheme_of
    from vscan.store.verdict_copies import refuse_http
    from vscan.store.verdict_part_names import names_a_file

    if scheme_of(output) in (None, "file"):
        return location(output) if output.endswith("/") else None
    refuse_http(output)
    folder = output.rstrip("/")
    if not folder.partition("://")[2]:
        raise UsageError(f"{output}: names no folder", remedy="-o s3://bucket/run/")
    if names_a_file(output):
        raise UsageError(
            f"{output}: a file in object storage cannot be appended to",
            remedy=f"name a folder: -o {folder.rpartition('.')[0]}/; then `vscan verdicts merge"
            f" {folder.rpartition('.')[0]}/ -o verdicts.jsonl` (a slash at the end: a folder)",
        )
    return location(output)
