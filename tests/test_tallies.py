"""What a run comes to: outcomes, failures, samples, and lines that changed afterwards."""

from __future__ import annotations

from vscan.tallies import RunTally
from vscan.verdicts import (
    ErrorRecord,
    Finding,
    Outcome,
    Provenance,
    Samples,
    SourceRecord,
    Verdict,
)

PROVENANCE = Provenance(vscan="0.1.0", pack="p@1#sha256:0", sampling="fps:1")


def verdict(
    name: str, outcome: Outcome, *, planned: int = 10, read: int = 10, duration_s: float = 10.0
) -> Verdict:
    """A verdict of a video of that many samples; with a finding where the outcome says so."""
    finding = Finding(
        policy="a", severity="low", action="review", score=0.9, threshold=0.5, segments=(),
        evidence=(),
    )  # fmt: skip
    return Verdict(
        id=f"v_{name}",
        source=SourceRecord(uri=name, sha256="aa", duration_s=duration_s),
        outcome=outcome,
        action="review",
        findings=(finding,) if outcome in ("review", "violation") else (),
        samples=Samples(plan="fps:1", planned=planned, read=read, coverage=read / planned,
                        reader="PyAV 1"),
        provenance=PROVENANCE,
    )  # fmt: skip


def error(name: str, code: str) -> Verdict:
    """A source that could not be read."""
    return Verdict(
        id=f"v_{name}", source=SourceRecord(uri=name), outcome="error", action="review",
        provenance=PROVENANCE, error=ErrorRecord(code=code, message="m"),
    )  # fmt: skip


def test_counts() -> None:
    """Every outcome has its number, each failure its code; half-read videos are counted."""
    tally = RunTally()
    for each in (
        verdict("a", "clear"),
        verdict("b", "violation", read=4, duration_s=2.5),
        error("c", "not_found"),
        error("d", "deadline"),
        error("e", "not_found"),
        None,
    ):
        tally.count(each)
    tally.earlier["v_f"] = "review"
    tally.leave_to_others()
    counts, samples = tally.counts(damaged_tracks=2), tally.samples()
    assert {"clear": 1, "review": 0, "violation": 1, "error": 3} == counts.outcomes
    assert {"clear": 0, "review": 1, "violation": 0, "error": 0} == counts.done_before
    assert {"not_found": 2, "deadline": 1} == counts.errors
    assert (6, 1, 1, 2) == (
        counts.sources, counts.partial, counts.other_shards, counts.damaged_tracks
    )  # fmt: skip
    assert (12.5, 20, 14, 0.7) == (
        samples.video_s, samples.planned, samples.read, samples.coverage
    )  # fmt: skip


def test_nothing_yet() -> None:
    """A run that looked at nothing has no coverage, rather than one of 0 or 1."""
    assert None is RunTally().samples().coverage
    assert (0, None) == (RunTally().counts().sources, RunTally().counts().damaged_tracks)


def test_lines_that_were_written_anew() -> None:
    """What the flood guard changed counts as it stands in the end, of this run and of before."""
    tally = RunTally()
    tally.count(verdict("a", "violation"))
    tally.count(verdict("b", "review"))
    tally.count(None)
    tally.earlier["v_old"] = "violation"
    tally.settle({"v_a": ("violation", "clear"), "v_old": ("violation", "clear"),
                  "v_of_nobody": ("violation", "clear")})  # fmt: skip
    assert {"clear": 1, "review": 1, "violation": 0, "error": 0} == tally.counts().outcomes
    assert {"clear", "review"} == tally.all_outcomes()
