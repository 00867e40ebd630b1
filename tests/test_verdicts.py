"""The verdict's line: same bytes for the same verdict, an id that knows the configuration."""

from __future__ import annotations

import dataclasses

import orjson
import pytest

from tests.verdict_schema import check
from vscan.verdicts import (
    ErrorRecord,
    ExemplarEvidence,
    Finding,
    PromptEvidence,
    Provenance,
    Samples,
    Segment,
    SourceRecord,
    Suppressed,
    Verdict,
    parse_verdict,
    verdict_id,
)

PROVENANCE = Provenance(
    vscan="0.1.0", pack="p@1#sha256:0", model="m#sha256:1", precision="fp32 on cpu",
    sampling="fps:1", signals=("embedding", "pdq"), indexes={"known": "sha256:2"},
)  # fmt: skip
MATCH = ExemplarEvidence(
    index="known", exemplar="ex_1", exemplar_policy="hoax", signal="pdq", score=0.97, distance=8.0,
    source_span_s=(3.0, 7.5), exemplar_span_s=(0.0, 4.5), source_coverage=0.24,
    exemplar_coverage=0.98, transform="mirrored",
)  # fmt: skip
PROMPT = PromptEvidence(prompt="a knife", time_s=4.5, similarity=0.31, score=0.94)
SEGMENT = Segment(start_s=3.0, end_s=7.5, peak_s=4.5, score=0.97)
FULL = Verdict(
    id="v_1",
    source=SourceRecord(uri="a.mp4", sha256="aa", md5="bb", bytes=9, duration_s=18.8,
                        width=480, height=720, codec="h264", meta={"market": "DE"}),
    outcome="violation",
    action="remove",
    reasons=("partial_coverage",),
    warnings=("packets_skipped",),
    findings=(
        Finding(policy="weapons", severity="high", action="remove", score=0.97, threshold=0.85,
                segments=(SEGMENT,), evidence=(MATCH, PROMPT)),
    ),
    suppressed=(
        Suppressed(policy="fire", segments=(SEGMENT,), evidence=(PROMPT,),
                   by=(dataclasses.replace(MATCH, distance=None, similarity=0.93,
                                           signal="embedding"),)),
    ),
    samples=Samples(plan="fps:1", planned=19, read=18, coverage=0.9474, gaps_s=((9.0, 10.0),),
                    reader="PyAV 18.1.0", skipped_packets=3),
    provenance=PROVENANCE,
)  # fmt: skip
ERROR = Verdict(
    id="v_2", source=SourceRecord(uri="gone.mp4"), outcome="error", action="review",
    provenance=PROVENANCE, error=ErrorRecord(code="not_found", message="no file of that name"),
)  # fmt: skip


@pytest.mark.parametrize("verdict", [FULL, ERROR], ids=["full", "error"])
def test_a_line_is_the_verdict(verdict: Verdict) -> None:
    """One line that the schema accepts and that holds everything the verdict does."""
    line = verdict.to_line()
    assert line.endswith(b"\n")
    assert 1 == line.count(b"\n")
    assert [] == check(orjson.loads(line))
    assert orjson.loads(orjson.dumps(verdict.as_dict())) == orjson.loads(line)
    assert line == dataclasses.replace(verdict).to_line()


def test_what_says_nothing_is_left_out() -> None:
    """No `error` where there is none; of distance, similarity and inliers what the signal has; a
    reason only where it is not a benign exemplar."""
    full = orjson.loads(FULL.to_line())
    assert "error" not in full
    assert "not_found" == orjson.loads(ERROR.to_line())["error"]["code"]
    by_hash, by_prompt = full["findings"][0]["evidence"]
    (by_model,) = full["suppressed"][0]["by"]
    assert (True, False) == ("distance" in by_hash, "similarity" in by_hash)
    assert (False, True) == ("distance" in by_model, "similarity" in by_model)
    assert not any("inliers" in each for each in (by_hash, by_model))
    assert "reason" not in full["suppressed"][0]
    assert "similarity" in by_prompt


ASIDE = dataclasses.replace(
    FULL,
    findings=(),
    suppressed=(
        *FULL.suppressed,
        Suppressed(policy="hoax", segments=(SEGMENT,), by=(), reason="exemplar_quarantined",
                   evidence=(dataclasses.replace(MATCH, signal="keypoints", distance=None,
                                                 inliers=31, speed=1.25),)),
    ),
)  # fmt: skip


@pytest.mark.parametrize("verdict", [FULL, ERROR, ASIDE], ids=["full", "error", "aside"])
def test_a_line_is_read_again(verdict: Verdict) -> None:
    """What was written is the same verdict, and writes the same line; the schema knows it."""
    line = verdict.to_line()
    assert [] == check(orjson.loads(line))
    assert verdict == parse_verdict(line)
    assert line == parse_verdict(line).to_line()


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", FULL.to_line()[:-3], b'{"schema":"other/1"}'])
def test_what_is_no_verdict(line: bytes) -> None:
    """Anything else is a ValueError."""
    with pytest.raises(ValueError, match="validation error"):
        parse_verdict(line)


def test_names_of_any_kind_survive() -> None:
    """Line ends and marks in a name stay within the one line."""
    name = 'a\n"b\u2028\u202ec\x1b.mp4'
    verdict = dataclasses.replace(FULL, source=dataclasses.replace(FULL.source, uri=name))
    line = verdict.to_line()
    assert 1 == line.count(b"\n")
    assert name == orjson.loads(line)["source"]["uri"]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Provenance)])
def test_the_id_knows_the_configuration(field: str) -> None:
    """Whatever the verdict depends on changes its id."""
    other = dataclasses.replace(PROVENANCE, **{field: "another"})  # type: ignore[arg-type]  # any change
    assert verdict_id("a", "aa", PROVENANCE) != verdict_id("a", "aa", other)


def test_the_id_knows_source_and_content() -> None:
    """Another name or other bytes: another id; the same of both: the same one."""
    ids = {verdict_id(uri, digest, PROVENANCE) for uri in "ab" for digest in ("aa", "bb", None)}
    assert 6 == len(ids)
    assert verdict_id("a", "aa", PROVENANCE) in ids
    assert all(each.startswith("v_") and len(each) == 22 for each in ids)
