"""Small videos with their verdicts, and the page that serves them in a thread of this process."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from tests.decisions.made import verdict
from tests.media_factory import scene_frames, write_video
from vscan.review.materials import Materials
from vscan.review.opening import Wanted, open_session
from vscan.review.web import PageSettings, make_app
from vscan.verdicts import ExemplarEvidence, Finding, PromptEvidence, Segment, Verdict

TOKEN = "the-token-of-the-test"  # noqa: S105 -- it opens nothing else


def clip(path: Path, seed: int = 1, *, seconds: int = 6, codec: str = "libx264") -> Path:
    """A video of ten frames a second, 160 x 120."""
    frames = scene_frames(seed=seed, count=seconds * 10, width=160, height=120)
    return write_video(path, frames, fps=10, codec=codec, options={"g": "10"})


def finding(policy: str, severity: str = "high", score: float = 0.9, **other: Any) -> Finding:
    """A finding with a segment from 2 to 3 s, threshold 0.8."""
    segment = Segment(start_s=2.0, end_s=3.0, peak_s=2.5, score=score)
    evidence = PromptEvidence(prompt="a knife", time_s=2.5, similarity=0.3, score=score)
    usual: dict[str, Any] = {
        "action": "remove", "threshold": 0.8, "segments": (segment,), "evidence": (evidence,),
    }  # fmt: skip
    return Finding(policy=policy, severity=severity, score=score, **{**usual, **other})


def judged(path: Path, *findings: Finding, name: str | None = None) -> Verdict:
    """The verdict `v_…` on a file that is there, with its own SHA-256."""
    made = verdict(str(path) if name is None else name)
    source = replace(
        made.source, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), duration_s=6.0,
        width=160, height=120, codec="h264",
    )  # fmt: skip
    outcome: Any = "violation" if findings else "clear"
    return replace(made, source=source, findings=findings, outcome=outcome)


def match(exemplar: str) -> ExemplarEvidence:
    """A match of 2 to 3 s with the beginning of an exemplar of the index `known`."""
    return ExemplarEvidence(
        index="known", exemplar=exemplar, exemplar_policy="weapons", signal="pdq", score=0.97,
        distance=4.0, source_span_s=(2.0, 3.0), exemplar_span_s=(0.0, 1.0),
        source_coverage=0.2, exemplar_coverage=0.3,
    )  # fmt: skip


def write(path: Path, *verdicts: Verdict) -> Path:
    """A verdict file."""
    path.write_bytes(b"".join(each.to_line() for each in verdicts))
    return path


@contextmanager
def page(wanted: Wanted, *, indexes: tuple[Path, ...] = (), **settings: Any) -> Iterator[str]:
    """The address, with its token, of a server that runs until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    port = listener.getsockname()[1]
    materials = Materials(indexes, context_s=0.5)
    app = make_app(open_session(wanted).session, materials, TOKEN, port, PageSettings(**settings))
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/?token={TOKEN}"
    finally:
        server.should_exit = True
        thread.join(10)
        materials.close()
        listener.close()
