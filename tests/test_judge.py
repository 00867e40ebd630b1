"""Evidence and a pack into a judgement: a table of cases, and the rules around exemplars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vscan.findings import KNOWN_CONTENT, Judgement
from vscan.intervals import Interval
from vscan.judge import judge
from vscan.matching.match import Match
from vscan.matching.prompt_scores import PolicyScores
from vscan.policies import PolicyPack, parse_pack
from vscan.verdicts import ExemplarEvidence, PromptEvidence

PACK = b"""
schema = "vscan.pack/1"
name = "test"
version = "1"
title = "test"
description = "test"
model = "builtin"
templates = ["{}"]
neutral = ["nothing"]

[[policy]]
id = "weapons"
title = "Weapons"
description = "w"
severity = "high"
prompts = ["a knife", "a gun"]
contrast = ["a spoon"]
min_duration_s = 1.0
match_action = "escalate"
[policy.thresholds]
review = 0.5
remove = 0.9

[[policy]]
id = "alcohol"
title = "Alcohol"
description = "a"
severity = "low"
prompts = ["beer"]
contrast = ["juice"]
[policy.thresholds]
review = 0.6
"""


@pytest.fixture(scope="module")
def pack() -> PolicyPack:
    """Two policies: weapons (review, remove; matches escalate) and alcohol (review)."""
    return parse_pack(PACK, file="test.toml")


def scores(policy: str, values: list[float]) -> PolicyScores:
    """One score a second; the second prompt is the nearer one on every sample."""
    prompts = ("a knife", "a gun") if policy == "weapons" else ("beer", "wine")
    return PolicyScores(
        policy,
        prompts,
        np.arange(len(values), dtype=np.float64),
        np.array(values),
        np.tile([0.1, 0.3], (len(values), 1)),
    )


def match(policy: str = "weapons", opinion: str = "violating", **changes: Any) -> Match:
    """A match of 2..5 s with an exemplar's 10..13 s."""
    fields: dict[str, Any] = {
        "index": "known",
        "exemplar": "ex_1",
        "policy": policy,
        "opinion": opinion,
        "signal": "pdq",
        "score": 0.8,
        "source_span": Interval(2.0, 5.0),
        "exemplar_span": Interval(10.0, 13.0),
        "speed": 1.0,
        "transform": "mirrored",
        "distance": 6.0,
        "similarity": None,
        "source_coverage": 0.3,
        "exemplar_coverage": 0.5,
        "peak_s": 3.0,
        "samples": 3,
    }
    return Match(**(fields | changes))


def judged(
    pack: PolicyPack,
    *found: PolicyScores | Match,
    coverage: float = 1.0,
    parts: tuple[Interval, ...] = (),
) -> Judgement:
    """The judgement of a 10 s video."""
    return judge(
        pack,
        scores=[each for each in found if isinstance(each, PolicyScores)],
        matches=[each for each in found if isinstance(each, Match)],
        end_s=10.0,
        coverage=coverage,
        parts=parts,
    )


@pytest.mark.parametrize(
    ("values", "outcome", "action", "threshold"),
    [
        ([0.1, 0.2, 0.1], "clear", "allow", None),
        ([0.1, 0.5, 0.1], "review", "review", 0.5),
        ([0.1, 0.8999, 0.1], "review", "review", 0.5),
        ([0.1, 0.9, 0.1], "violation", "remove", 0.9),
        ([0.1, 0.49996, 0.1], "review", "review", 0.5),  # 0.5 in the record's four decimals
        ([0.1, 0.49994, 0.1], "clear", "allow", None),
    ],
)
def test_thresholds(
    pack: PolicyPack, values: list[float], outcome: str, action: str, threshold: float | None
) -> None:
    """A finding recommends the most severe action whose threshold its score reaches."""
    result = judged(pack, scores("weapons", values))
    assert (outcome, action) == (result.outcome, result.action)
    assert [threshold] * (threshold is not None) == [f.threshold for f in result.findings]


def test_a_finding_says_when_and_why(pack: PolicyPack) -> None:
    """Segment, peak, and the prompt nearest to the peak's frame."""
    (finding,) = judged(pack, scores("weapons", [0.1, 0.6, 0.95, 0.45, 0.1])).findings
    (segment,) = finding.segments
    assert (1.0, 4.0, 2.0, 0.95) == (
        segment.start_s, segment.end_s, segment.peak_s, segment.score
    )  # fmt: skip
    (evidence,) = finding.evidence
    assert evidence == PromptEvidence(prompt="a gun", time_s=2.0, similarity=0.3, score=0.95)


def test_findings_come_most_severe_first(pack: PolicyPack) -> None:
    """Two policies fire: the graver action stands first and decides the outcome."""
    result = judged(pack, scores("alcohol", [0.99, 0.99]), scores("weapons", [0.92, 0.92]))
    assert [("weapons", "remove"), ("alcohol", "review")] == [
        (finding.policy, finding.action) for finding in result.findings
    ]
    assert ("violation", "remove") == (result.outcome, result.action)


def test_a_match_fires_its_policy(pack: PolicyPack) -> None:
    """A violating exemplar's policy recommends its match action, with both intervals."""
    result = judged(pack, match())
    (finding,) = result.findings
    assert ("violation", "weapons", "escalate", 0.8) == (
        result.outcome, finding.policy, finding.action, finding.score
    )  # fmt: skip
    (evidence,) = finding.evidence
    assert isinstance(evidence, ExemplarEvidence)
    assert ((2.0, 5.0), (10.0, 13.0), "mirrored", 6.0) == (
        evidence.source_span_s, evidence.exemplar_span_s, evidence.transform, evidence.distance
    )  # fmt: skip


def test_keypoints_evidence(pack: PolicyPack) -> None:
    """Inliers, speed and transform of a match stand in its evidence, and a suppressed piece says
    nothing of a quarantine."""
    found = match(
        signal="keypoints", distance=None, inliers=31, speed=1.25002, transform="inverted_mirrored"
    )
    (finding,) = judged(pack, found).findings
    (evidence,) = finding.evidence
    assert isinstance(evidence, ExemplarEvidence)
    assert ("keypoints", 31, 1.25, "inverted_mirrored", None, None) == (
        evidence.signal, evidence.inliers, evidence.speed, evidence.transform,
        evidence.distance, evidence.similarity,
    )  # fmt: skip
    (aside,) = judged(pack, found, match(opinion="benign")).suppressed
    assert None is aside.reason


def test_a_match_of_a_policy_that_is_not_in_the_pack(pack: PolicyPack) -> None:
    """It is known content, for review."""
    (finding,) = judged(pack, match("elsewhere")).findings
    assert (KNOWN_CONTENT, "review", "medium") == (
        finding.policy, finding.action, finding.severity
    )  # fmt: skip
    (grave,) = judged(pack, match("elsewhere"), match("else", severity="critical")).findings
    assert "critical" == grave.severity


def test_prompt_and_match_of_one_policy_are_one_finding(pack: PolicyPack) -> None:
    """Overlapping segments join; all evidence stands, the strongest first."""
    (finding,) = judged(pack, scores("weapons", [0.1, 0.6, 0.7, 0.1]), match()).findings
    assert [(1.0, 5.0)] == [(s.start_s, s.end_s) for s in finding.segments]
    assert ["exemplar", "prompt"] == [evidence.kind for evidence in finding.evidence]


def test_a_benign_match_sets_prompts_aside_where_it_lies(pack: PolicyPack) -> None:
    """Outside the benign interval the policy still fires; inside stands under suppressed."""
    result = judged(
        pack, scores("weapons", [0.7] * 8 + [0.1]), match(opinion="benign", signal="embedding")
    )
    (finding,) = result.findings
    assert [(0.0, 2.0), (5.0, 8.0)] == [(s.start_s, s.end_s) for s in finding.segments]
    (aside,) = result.suppressed
    assert [(2.0, 5.0)] == [(s.start_s, s.end_s) for s in aside.segments]
    assert ["ex_1"] == [each.exemplar for each in aside.by]


def test_a_benign_match_of_another_policy_changes_nothing(pack: PolicyPack) -> None:
    """What is benign as alcohol may still be a weapon."""
    result = judged(pack, scores("weapons", [0.7] * 4), match("alcohol", "benign"))
    assert ["weapons"] == [finding.policy for finding in result.findings]
    assert () == result.suppressed


@pytest.mark.parametrize(("benign_score", "outcome"), [(0.8, "clear"), (0.79, "violation")])
def test_the_stronger_of_two_matches_wins(
    pack: PolicyPack, benign_score: float, outcome: str
) -> None:
    """A benign match sets a violating one aside only if it scores at least as high."""
    result = judged(pack, match(), match(opinion="benign", score=benign_score, exemplar="ex_2"))
    assert outcome == result.outcome
    assert (outcome == "clear") == bool(result.suppressed)


def test_what_was_not_looked_at_is_never_clear(pack: PolicyPack) -> None:
    """Below the set coverage the outcome is review, with the reason; a finding outranks it."""
    partial = judged(pack, scores("weapons", [0.1]), coverage=0.94)
    assert ("review", "review", ("partial_coverage",)) == (
        partial.outcome, partial.action, partial.reasons
    )  # fmt: skip
    assert "clear" == judged(pack, scores("weapons", [0.1]), coverage=0.95).outcome
    assert "violation" == judged(pack, scores("weapons", [0.95] * 3), coverage=0.5).outcome


def test_minimum_duration(pack: PolicyPack) -> None:
    """A segment shorter than the policy asks for is none, unless the whole video is shorter."""
    half_a_second = PolicyScores(
        "weapons", ("a knife", "a gun"), np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.7, 0.1]),
        np.zeros((3, 2)),
    )  # fmt: skip
    assert () == judged(pack, half_a_second).findings
    whole = judge(pack, scores=[scores("weapons", [0.7])], matches=[], end_s=0.4, coverage=1.0)
    assert [(0.0, 0.4)] == [(s.start_s, s.end_s) for s in whole.findings[0].segments]


def test_no_segment_across_two_streams(pack: PolicyPack) -> None:
    """What ends one stream of a file and begins the next is seen in each of them."""
    values = [0.1, 0.1, 0.8, 0.8, 0.7, 0.7, 0.1, 0.1]
    parts = (Interval(0.0, 3.5), Interval(4.0, 8.0))
    (whole,) = judged(pack, scores("weapons", values)).findings
    (apart,) = judged(pack, scores("weapons", values), parts=parts).findings
    assert [(2.0, 6.0)] == [(each.start_s, each.end_s) for each in whole.segments]
    assert [(2.0, 3.5), (4.0, 6.0)] == [(each.start_s, each.end_s) for each in apart.segments]


@pytest.mark.parametrize(
    ("line", "coverage", "outcome"),
    [
        ("", 0.95, "clear"),
        ("", 0.9499, "review"),
        ("min_coverage = 0.5", 0.5, "clear"),
        ("min_coverage = 0.5", 0.49, "review"),
        ("min_coverage = 1.0", 0.999, "review"),
        ("min_coverage = 0.0", 0.0, "clear"),
    ],
)
def test_coverage_that_is_too_low(line: str, coverage: float, outcome: str) -> None:
    """Below the pack's least coverage nothing is clear, and the reason says so."""
    content = PACK.replace(b'model = "builtin"', b'model = "builtin"\n' + line.encode())
    result = judged(parse_pack(content, file="test.toml"), coverage=coverage)
    assert outcome == result.outcome
    assert (("partial_coverage",) if outcome == "review" else ()) == result.reasons
