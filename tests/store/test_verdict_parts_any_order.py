"""Whatever runs, kills and reruns come in any order: one line of each source, and the right one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock
from uuid import uuid4

import fsspec
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.parts_made import NOON, kill, merged, parts, stored
from tests.store.test_records import OTHER, PROVENANCE, error_verdict, verdict

from vscan.errors import OutputError
from vscan.folders import write_under
from vscan.shards import Shard
from vscan.storage import location, read_under
from vscan.store import verdict_parts
from vscan.store.records import RecordFile
from vscan.store.verdict_parts import RecordParts
from vscan.verdicts import Verdict

VERDICTS = [
    made
    for uri in "abcd"
    for made in (
        verdict(uri), verdict(uri, provenance=OTHER), verdict(uri, "bb"),
        error_verdict(uri, None, "not_found"), error_verdict(uri, "aa", "deadline"),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run as one worker: when, what it writes, and what becomes of it."""

    shard: Shard | None
    clock_s: int
    """The machine's clock, which may be wrong."""
    verdicts: list[Verdict]
    end: str
    """`finished`, `stopped` (Ctrl-C), `killed`, or `unnamed`: killed before its first manifest."""


shards = st.sampled_from([None, Shard(1, 2), Shard(2, 2), Shard(1, 3), Shard(2, 3), Shard(3, 3)])
runs = st.builds(
    Run,
    shard=shards,
    clock_s=st.integers(0, 3),
    verdicts=st.lists(st.sampled_from(VERDICTS), max_size=6),
    end=st.sampled_from(["finished", "stopped", "killed", "unnamed"]),
)


def moment(clock_s: int) -> datetime:
    """What a machine's clock says."""
    return NOON + timedelta(seconds=clock_s)


def end(sink: RecordParts, how: str) -> None:
    """What becomes of a run in the end."""
    if how == "finished":
        sink.finish()
    if how in ("killed", "unnamed"):
        kill(sink)
    sink.close()


def write(sink: RecordParts, made: Verdict, how: str) -> None:
    """One verdict; a run that is `unnamed` dies before it has put a manifest."""

    def dying(root: Path | str, name: str, data: bytes, **options: bool) -> None:
        if how == "unnamed" and name.startswith("manifests/"):
            raise OutputError("killed")
        write_under(root, name, data, **options)

    if vars(sink)["_broken"]:
        return
    with mock.patch.object(verdict_parts, "write_under", dying):
        try:
            sink.write(made)
        except OutputError:
            assert "unnamed" == how


@settings(max_examples=40, deadline=None, derandomize=True)
@given(batches=st.lists(st.lists(runs, min_size=1, max_size=2), min_size=1, max_size=4))
def test_any_order_of_runs_kills_and_reruns(batches: list[list[Run]]) -> None:
    """Runs of a batch are at work at the same time, of which two may be the same worker. A merge
    has one line of each source: the one that a verdict file would keep, to which the same lines
    had been appended; and the next run knows the same ids to be done."""
    root = location(f"memory://{uuid4().hex}/run/")
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(verdict_parts, "MOST_LINES", 2):
        for batch in batches:
            before = parts(root)
            sinks = [
                RecordParts(root, shard=run.shard, now=partial(moment, run.clock_s))
                for run in batch
            ]
            for step in range(6):
                for run, sink in zip(batch, sinks, strict=True):
                    for made in run.verdicts[step : step + 1]:
                        if run.shard is None or run.shard.holds(made.source.uri):
                            write(sink, made, run.end)
            for run, sink in zip(batch, sinks, strict=True):
                end(sink, run.end)
            # Parts only ever come, and what a later run of the same sources stores comes later.
            assert set(before) <= set(parts(root))
            if all(run.shard is None for run in batch):
                assert before == parts(root)[: len(before)]
        lines = b"".join(read_under(root, name, limit=None) for name in parts(root))
        plain, out = Path(folder, "plain.jsonl"), Path(folder, "out.jsonl")
        plain.write_bytes(lines)
        with RecordFile(plain) as file:
            kept = sorted(plain.read_bytes().splitlines(keepends=True), key=_uri)
            if lines:
                assert kept == merged(root, out)[1]
            assert sorted(set(stored(root))) == [_uri(line) for line in kept]
            again = RecordParts(root)
            for made in VERDICTS:
                assert file.outcome_of(made.id) == again.outcome_of(made.id)
    system = fsspec.filesystem("memory")
    system.store.clear()


def _uri(line: bytes) -> str:
    return str(orjson.loads(line)["source"]["uri"])


def test_made_up_verdicts_differ() -> None:
    """The property is about four sources under two configurations and two contents."""
    assert 4 * 5 == len({each.id + str(each.error) for each in VERDICTS})
    assert OTHER != PROVENANCE
