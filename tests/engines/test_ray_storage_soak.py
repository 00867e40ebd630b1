"""Ray over object storage on real videos: the local engine's lines, also with an actor killed."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from tests.cli.test_kills import whole_lines
from tests.engines.test_ray_soak import CORPUS, READING, RULES, below, has_lines, start, until
from tests.remote.emulators import Bucket
from tests.remote.emulators import s3 as s3
from tests.remote.emulators import s3_server as s3_server

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="VSCAN_CORPUS names no folder of real videos"),
]


def test_the_corpus_in_a_bucket(s3: Bucket, tmp_path: Path) -> None:
    """Videos, and the parts that verdicts become, lie in the bucket; merged they are the lines
    of the local engine over the same objects. A reading actor is killed on the way. A rerun has
    nothing to do."""
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file():
            s3.put(f"corpus/{path.relative_to(CORPUS).as_posix()}", path.read_bytes())
    scan = ("scan", f"{s3.uri}/corpus/", *RULES)
    local = tmp_path / "local.jsonl"
    with start([*scan, "-o", local]) as child:
        child.communicate()
    assert child.returncode in (0, 3)

    seen = tmp_path / "seen.jsonl"
    with start([*scan, "--engine", "ray", "-o", seen]) as child:
        until(partial(has_lines, child, seen, 4))
        for pid in below(child.pid, READING)[:1]:
            os.kill(pid, signal.SIGKILL)
        _, err = child.communicate()
    assert child.returncode in (0, 3), err
    assert whole_lines(local) == whole_lines(seen)

    run = f"{s3.uri}/run/"
    for expected in ("videos", "done before"):
        with start([*scan, "--engine", "ray", "-o", run]) as child:
            _, err = child.communicate()
        assert child.returncode in (0, 3), err
        assert expected in err
    merged = tmp_path / "merged.jsonl"
    with start(["verdicts", "merge", run, "-o", merged]) as child:
        _, err = child.communicate()
    assert child.returncode == 0, err
    assert whole_lines(local) == whole_lines(merged)
