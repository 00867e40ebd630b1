"""The run summary: valid whatever happens to the run, and free of what is nobody's business."""

from __future__ import annotations

import re
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.test_tallies import PROVENANCE, verdict
from tests.verdict_schema import check_run
from vscan.errors import InterruptedRunError, OutputError
from vscan.runs import (
    Began,
    Run,
    RunConfiguration,
    installed_readers,
    settings_of,
    summary_path,
)
from vscan.tallies import RunTally

CONFIGURATION = RunConfiguration(
    command="vscan scan", provenance=PROVENANCE, readers=installed_readers(), workers=2,
    shard="2/5", settings={"policy": "demo"},
)  # fmt: skip


def run(path: Path | None, **options: Any) -> Run:
    """A run that has judged one video."""
    tally = RunTally()
    tally.count(verdict("a", "clear"))
    return Run(path, CONFIGURATION, tally, output="v.jsonl", **options)


def read(path: Path) -> dict[str, Any]:
    """A summary, held against its schema."""
    summary: dict[str, Any] = orjson.loads(path.read_bytes())
    assert [] == check_run(summary)
    return summary


def test_from_start_to_end(tmp_path: Path) -> None:
    """While it runs the summary says so; in the end it says what came of it, and what it took."""
    path = tmp_path / "new" / "v.run.json"
    began = Began()
    with run(path, began=began, damaged_tracks=lambda: 3) as running:
        first = read(path)
        assert (False, "running", None, None) == tuple(
            first[key] for key in ("finished", "reason", "exit_code", "ended_at")
        )
        sum(range(10**6))
        running.exit_code = 1
    last = read(path)
    assert (True, None, None, 1) == tuple(
        last[key] for key in ("finished", "reason", "message", "exit_code")
    )
    assert 1 == last["counts"]["outcomes"]["clear"]
    assert 3 == last["counts"]["damaged_tracks"]
    assert ("2/5", "p@1#sha256:0") == (
        last["configuration"]["shard"], last["configuration"]["provenance"]["pack"]
    )  # fmt: skip
    start, end = (datetime.fromisoformat(last[key]) for key in ("started_at", "ended_at"))
    assert start <= end
    assert start.utcoffset() is not None
    assert 0 < last["cpu_s"]
    assert 0 < last["wall_s"]
    assert ["v.run.json"] == [entry.name for entry in path.parent.iterdir()]


@pytest.mark.parametrize(
    ("error", "reason", "message", "code"),
    [
        (KeyboardInterrupt(), "interrupted", None, 130),
        (InterruptedRunError(signal.SIGINT), "interrupted", None, 130),
        (InterruptedRunError(signal.SIGTERM), "terminated", None, 143),
        (OutputError("v.jsonl: cannot write", remedy="free space"), "failed",
         "v.jsonl: cannot write", 2),
        (OSError(5, "Input/output error"), "failed", "[Errno 5] Input/output error", 2),
        (BrokenPipeError(32, "Broken pipe"), "failed", "[Errno 32] Broken pipe", 0),
        (RuntimeError("b\udcff\nc"), "failed", "b\\udcff c", 1),
        (RuntimeError(), "failed", "RuntimeError", 1),
    ],
)  # fmt: skip
def test_a_run_that_breaks_off(
    tmp_path: Path, error: BaseException, reason: str, message: str | None, code: int
) -> None:
    """Whatever ends it, the summary says what and how far it came, and the error goes on."""
    with pytest.raises(type(error)) as raised, run(tmp_path / "v.run.json"):
        raise error
    assert raised.value is error
    summary = read(tmp_path / "v.run.json")
    assert (False, reason, message, code) == tuple(
        summary[key] for key in ("finished", "reason", "message", "exit_code")
    )
    assert 1 == summary["counts"]["sources"]


def test_without_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run to stdout leaves no summary anywhere."""
    monkeypatch.chdir(tmp_path)
    with run(None):
        pass
    assert [] == list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told before any work, with the way out."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="run summary cannot be written") as told:
        run(tmp_path / "file" / "v.run.json").__enter__()
    assert "--summary FILE" in told.value.remedy


def test_what_broke_the_run_is_told_rather_than_the_summary(tmp_path: Path) -> None:
    """Where the disk is gone altogether, the first error is the one that a person sees."""
    (tmp_path / "deep").mkdir()
    with pytest.raises(RuntimeError, match="first"), run(tmp_path / "deep" / "v.run.json"):
        (tmp_path / "deep" / "v.run.json").unlink()
        (tmp_path / "deep").rmdir()
        (tmp_path / "deep").touch()
        raise RuntimeError("first")


@pytest.mark.parametrize(
    ("output", "summary"),
    [
        ("verdicts.jsonl", "verdicts.run.json"),
        ("a/v.2026.jsonl", "a/v.2026.run.json"),
        ("v.ndjson", "v.run.json"),
        ("verdicts", "verdicts.run.json"),
        ("v1.2", "v1.2.run.json"),
        (".jsonl", ".jsonl.run.json"),
    ],
)
def test_where_it_stands(output: str, summary: str) -> None:
    """Beside the verdicts, under a name that follows from theirs and never is theirs."""
    assert Path(summary) == summary_path(Path(output))


def test_the_documented_summary_is_one() -> None:
    """The summary that docs/runs.md shows is what the schema says."""
    page = (Path(__file__).parents[1] / "docs" / "runs.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert [] == check_run(orjson.loads(example))


def test_settings_hold_no_credentials() -> None:
    """User, password and query of a URI stay out; names that steer a terminal are escaped."""
    settings = settings_of(
        {
            "index": ["https://me:secret@host.org/known?sig=secret#secret", "s3://bucket/known"],
            "store": "https://host.org?token=secret",
            "inputs": [f"{number}.mp4" for number in range(25)],
            "output": Path("v.jsonl"),
            "from_file": "b\udcff\x1b.txt",
            "workers": 3, "fresh": False, "model": None, "flood_share": 0.05,
        }
    )  # fmt: skip
    assert b"secret" not in orjson.dumps(settings)
    assert ["https://host.org/known", "s3://bucket/known"] == settings["index"]
    assert "https://host.org" == settings["store"]
    assert 21 == len(settings["inputs"])
    assert "and 5 more" == settings["inputs"][-1]
    assert ("v.jsonl", "b\\xff\\x1b.txt", 3, False, None, 0.05) == tuple(
        settings[key] for key in ("output", "from_file", "workers", "fresh", "model", "flood_share")
    )
