"""Made-up verdict lines for reports and exports: one of each kind, with names that steer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tests.decisions.made import verdict

from vscan.verdicts import (
    ErrorRecord,
    ExemplarEvidence,
    Finding,
    Samples,
    Segment,
    SourceRecord,
    Suppressed,
    Verdict,
)

EVIL = '<script>alert(1)</script>"&\u202egpj.\x1b[2Jmp4'
"""A name that wants to be markup, to turn the direction of writing, and to clear a terminal."""
MATCH = ExemplarEvidence(
    index="known", exemplar="ex_1", exemplar_policy="hoax", signal="pdq", score=0.94, distance=8.0,
    source_span_s=(10.0, 20.0), exemplar_span_s=(0.0, 10.0), transform="mirrored",
    source_coverage=0.25, exemplar_coverage=1.0,
)  # fmt: skip


def long_video(uri: str, *policies: str, sha256: str = "ab" * 32) -> Verdict:
    """A verdict on 40 s of video, fired by each policy from 3 to 7.5 s."""
    source = SourceRecord(
        uri=uri, sha256=sha256, duration_s=40.0, width=320, height=240, codec="h264"
    )
    samples = Samples(plan="fps:1", planned=40, read=40, coverage=1.0, reader="PyAV 18.1.0")
    return replace(verdict(uri, *policies), source=source, samples=samples)


def review(uri: str) -> Verdict:
    """A match that a person should look at, in a video of which a part could not be seen."""
    segment = Segment(start_s=10.0, end_s=20.0, peak_s=12.0, score=0.94)
    finding = Finding(
        policy="hoax", severity="medium", action="review", score=0.94, threshold=0.5,
        segments=(segment,), evidence=(MATCH,),
    )  # fmt: skip
    made = long_video(uri)
    samples = Samples(
        plan="fps:1", planned=40, read=30, coverage=0.75, gaps_s=((25.0, 35.0),),
        reader="PyAV 18.1.0",
    )  # fmt: skip
    return replace(
        made, id="v_hoax", outcome="review", action="review", findings=(finding,), samples=samples,
        reasons=("partial_coverage",), warnings=("packets_skipped",),
    )  # fmt: skip


def clear(uri: str) -> Verdict:
    """Nothing found, and something set aside."""
    aside = Suppressed(
        policy="hoax",
        segments=(Segment(start_s=1.0, end_s=2.0, peak_s=1.0, score=0.7),),
        evidence=(MATCH,),
        by=(replace(MATCH, exemplar="ex_fine"),),
    )
    return replace(long_video(uri), suppressed=(aside,))


def error(uri: str) -> Verdict:
    """A file that could not be read."""
    return replace(
        verdict(uri), outcome="error", action="review", source=SourceRecord(uri=uri),
        error=ErrorRecord(code="decode_failed", message="no frame in it"),
    )  # fmt: skip


EVERY_KIND = (
    long_video("clips/knife.mp4", "weapons", "weapons.knives"),
    review(EVIL),
    clear("clips/pets.mp4"),
    error("clips/broken.mp4"),
)


def written(path: Path, verdicts: Iterable[Verdict] = EVERY_KIND) -> Path:
    """A verdict file."""
    path.write_bytes(b"".join(each.to_line() for each in verdicts))
    return path
