"""Cases that the fuzz harness found: each ended in a traceback once, and never may again."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest
from fuzz.targets.reader_talk import ASKED, Replay

from tests.conftest import Library, Vscan
from vscan.decode.session import VideoSession
from vscan.errors import SourceError, UsageError
from vscan.media import ReadReport, VideoInfo
from vscan.names import shown
from vscan.sampling import GridRequest
from vscan.storage import local_path

# Verdict files that were edited, or come from somebody else


def put(record: dict[str, Any], path: tuple[str | int, ...], value: Any) -> bytes:
    """The line of a record in which one thing is another."""
    changed = copy.deepcopy(record)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return orjson.dumps(changed) + b"\n"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("error",), "died"),
        (("error",), {"code": "deadline"}),
        (("source",), []),
        (("source", "sha256"), 3),
        (("findings",), ["weapons"]),
        (("findings", 0), None),
        (("findings", 0, "score"), "high"),
        (("findings", 0, "action"), "destroy"),
        (("findings", 0, "segments", 0), [0.0, 1.0]),
        (("findings", 0, "evidence"), []),
        (("findings", 0, "evidence", 0, "kind"), "rumour"),
        (("findings", 0, "evidence", 0, "source_span_s"), [1.0]),
        (("suppressed",), {}),
        (("samples",), 3),
        (("samples", "gaps_s"), [3]),
        (("provenance", "indexes"), {"known": None}),
        (("outcome",), "perhaps"),
        (("id",), None),
    ],
    ids=str,
)
def test_a_line_that_is_no_verdict(
    vscan: Vscan, library: Library, tmp_path: Path, path: tuple[str | int, ...], value: Any
) -> None:
    """Everything that reads verdict files names the file and the line, and changes nothing."""
    made = tmp_path / "made.jsonl"
    vscan("scan", library.clips / "deep", *library.rules, "-o", made)
    record = orjson.loads(made.read_bytes())
    forged = tmp_path / "forged.jsonl"
    forged.write_bytes(made.read_bytes() + (line := put(record, path, value)))
    before = forged.read_bytes()
    name = record["source"]["uri"]
    for command in (
        ("show", forged),
        ("explain", forged, name),
        ("verdicts", "diff", made, forged),
        ("verdicts", "merge", forged, "-o", tmp_path / "merged.jsonl"),
        ("scan", library.good, *library.rules, "-o", forged),
    ):
        ran = vscan(*command)
        assert 2 == ran.code, command
        assert f"vscan: error: {forged}: line 2 is not a vscan verdict" in ran.err
    assert before == forged.read_bytes()
    assert line.endswith(b"\n")


# A decoder that was taken over


INFO: dict[str, Any] = {
    "op": "info",
    "info": asdict(VideoInfo("mpegts", "h264", 160, 96, 3.0)),
    "not_decord": "x",
    "spares": False,
}
REPORT = {"op": "report", "report": asdict(ReadReport(0, 0, 3.0, "PyAV 18"))}
CLOSED = {"op": "closed", "resident_bytes": 1}


def pipe(*messages: dict[str, Any]) -> bytes:
    """What a reader process says, as it stands on its pipe."""
    heads = [orjson.dumps({"payload": [], **message}) for message in messages]
    return b"".join(len(head).to_bytes(4, "little") + head for head in heads)


@pytest.mark.parametrize(
    "messages",
    [
        ({"op": "error"},),
        ({"op": "error", "code": "no_such_code", "message": "m", "remedy": ""},),
        ({"op": 3},),
        ({},),
        ({"op": "info", "not_decord": "", "spares": False},),
        ({**INFO, "info": 3},),
        ({**INFO, "info": {**INFO["info"], "width": "wide"}},),
        (INFO, {"op": "report", "report": "good"}),
        (INFO, {"op": "report"}),
        (INFO, {"op": "error", "message": "m"}),
        (INFO, {"op": "reader_failed"}),
        (INFO, {"op": "batch", "shapes": None}),
        (
            INFO,
            {
                "op": "batch",
                "shapes": [[0], [0, 5, 5, 3], [0, 8, 32], [0], [0], [0], [0, 9, 9]],
                "payload": [0] * 7,
            },
        ),
    ],
    ids=str,
)
def test_a_reader_that_speaks_nonsense(
    tmp_path: Path, messages: tuple[dict[str, Any], ...]
) -> None:
    """It is that file's error, and no traceback of the run."""
    (tmp_path / "a.ts").write_bytes(b"video")
    video = VideoSession(Replay(pipe(*messages)), tmp_path / "a.ts")
    with pytest.raises(SourceError, match="nonsense") as caught:
        try:
            video.open()
            list(video.read(GridRequest(1.0), ASKED))
        finally:
            video.close()
    assert caught.value.code == "worker_died"


def test_a_reader_that_ends_badly(tmp_path: Path) -> None:
    """What it says after the last frame costs the process, and not what was read."""
    (tmp_path / "a.ts").write_bytes(b"video")
    video = VideoSession(Replay(pipe(INFO, REPORT, {"op": "closed"})), tmp_path / "a.ts")
    video.open()
    assert [] == list(video.read(GridRequest(1.0), ASKED))
    video.close()
    assert 3.0 == video.report.end_s


# Names


@pytest.mark.parametrize("name", ["file://[x/a.mp4", "file://[1, null]/a.mp4", "file://a]/x"])
def test_a_name_that_is_no_uri(vscan: Vscan, library: Library, name: str) -> None:
    """A mistake of whoever wrote it: usage, and no traceback of a URL parser."""
    with pytest.raises(UsageError, match="not a URI"):
        local_path(name)
    assert 2 == vscan("scan", name, *library.rules).code


def test_a_pattern_below_a_name_that_is_too_long(vscan: Vscan, library: Library) -> None:
    """What no system can look at is a pattern that cannot be used, and no traceback."""
    ran = vscan("scan", "9" * 300 + "/*.mp4", *library.rules)
    assert 2 == ran.code
    assert "not a pattern that can be used" in ran.err


@pytest.mark.parametrize("hidden", ["\u00ad", "\u180e", "\ufff9", "\U000e0041", "\U000e007f"])
def test_what_is_not_to_be_seen(hidden: str) -> None:
    """Characters that a terminal shows as nothing stand escaped, those beyond 16 bits too."""
    escaped = hidden.encode("unicode_escape").decode("ascii")
    assert f"a{escaped}.mp4" == shown(f"a{hidden}.mp4")
