"""Two verdicts side by side: what counts as a flip, and why it flips, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.metrics.stored import pack
from vscan.metrics.backtest.comparing import Peaks, compare
from vscan.metrics.backtest.flip import Flip
from vscan.policies import PolicyPack, load_pack
from vscan.verdicts import (
    ActionName,
    Evidence,
    ExemplarEvidence,
    Finding,
    Outcome,
    PromptEvidence,
    Provenance,
    Segment,
    SourceRecord,
    Suppressed,
    Verdict,
)

SEGMENT = Segment(start_s=3.0, end_s=7.0, peak_s=4.0, score=0.66)
OUTCOMES: dict[str, Outcome] = {
    "allow": "clear",
    "review": "review",
    "escalate": "violation",
    "remove": "violation",
}


def seen(score: float) -> PromptEvidence:
    """A frame that scores so on the prompt."""
    return PromptEvidence(prompt="a cigarette", time_s=4.0, similarity=0.3, score=score)


def matched(policy: str = "hoax") -> ExemplarEvidence:
    """A match with an exemplar of that policy."""
    return ExemplarEvidence(
        index="known", exemplar="ex_1", exemplar_policy=policy, signal="pdq", score=0.94,
        source_span_s=(3.0, 7.0), exemplar_span_s=(0.0, 4.0),
        source_coverage=0.5, exemplar_coverage=1.0,
    )  # fmt: skip


def found(policy: str, action: ActionName, threshold: float, *evidence: Evidence) -> Finding:
    """A finding of that evidence."""
    return Finding(
        policy=policy, severity="medium", action=action, threshold=threshold,
        score=max(each.score for each in evidence), segments=(SEGMENT,), evidence=evidence,
    )  # fmt: skip


def verdict(*findings: Finding, suppressed: tuple[Suppressed, ...] = ()) -> Verdict:
    """The verdict that the findings make."""
    order: tuple[ActionName, ...] = ("allow", "review", "escalate", "remove")
    action = order[max((order.index(each.action) for each in findings), default=0)]
    return Verdict(
        id="v_1",
        source=SourceRecord(uri="a.mp4", sha256="ab" * 32, duration_s=12.0),
        outcome=OUTCOMES[action],
        action=action,
        findings=findings,
        suppressed=suppressed,
        provenance=Provenance(vscan="0", pack="p", sampling="fps:1"),
    )


@pytest.fixture
def packs(tmp_path: Path) -> tuple[PolicyPack, PolicyPack]:
    """Old and new: tobacco's threshold falls, beer's rises, knives are gone, hoaxes are new."""
    old = pack(
        tmp_path / "old.toml",
        ("tobacco", "a cigarette", "review = 0.7\nremove = 0.9"),
        ("beer", "a beer", "review = 0.6"),
        ("knives", "a knife", "review = 0.6"),
    )
    new = pack(
        tmp_path / "new.toml",
        ("tobacco", "a cigarette", "review = 0.6\nremove = 0.95"),
        ("beer", "a beer", "review = 0.8"),
        ("hoax", "a knife", "review = 0.999"),
        more='indexes = ["known"]\nmatch_action = "escalate"',
    )
    return load_pack(old), load_pack(new)


def flip(
    packs: tuple[PolicyPack, PolicyPack],
    old: Verdict,
    new: Verdict,
    peaks: tuple[dict[str, float], dict[str, float]] = ({}, {}),
) -> Flip | None:
    """What changes between two verdicts. peaks: highest prompt scores under both packs."""
    told: list[Peaks] = [lambda: peaks[0], lambda: peaks[1]]
    return compare(
        old, new, old_pack=packs[0], new_pack=packs[1], old_peaks=told[0], new_peaks=told[1]
    )


def reasons(changed: Flip | None) -> list[tuple[str, str]]:
    """Direction and words of each policy's change."""
    assert changed is not None
    return [(each.change, each.reason) for each in changed.policies]


def test_a_lower_threshold(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """A score that did not change is told once, with both thresholds."""
    new = verdict(found("tobacco", "review", 0.6, seen(0.66)))
    changed = flip(packs, verdict(), new, ({"tobacco": 0.66}, {"tobacco": 0.66}))
    assert [
        ("gained", "tobacco: 0.66 >= review 0.60 and below remove 0.95, was below review 0.70")
    ] == reasons(changed)
    assert changed is not None
    assert ("clear", "allow", "review", "review") == (
        changed.old_outcome, changed.old_action, changed.new_outcome, changed.new_action,
    )  # fmt: skip
    assert (SEGMENT,) == changed.policies[0].new.segments
    assert () == changed.policies[0].old.segments


def test_a_changed_prompt(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """Where the prompts changed, both scores are told."""
    old = verdict(found("beer", "review", 0.6, seen(0.61)))
    changed = flip(packs, old, verdict(), ({"beer": 0.61}, {"beer": 0.4321}))
    assert [("lost", "beer: 0.4321 below review 0.80, was 0.61 >= review 0.60")] == reasons(changed)


def test_a_graver_or_milder_action(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """A policy that fires under both packs, with another action, is raised or lowered."""
    old = verdict(found("tobacco", "remove", 0.9, seen(0.93)))
    new = verdict(found("tobacco", "review", 0.6, seen(0.93)))
    assert [
        ("lowered", "tobacco: 0.93 >= review 0.60 and below remove 0.95, was >= remove 0.90")
    ] == reasons(flip(packs, old, new))


def test_too_short_is_told_from_too_low(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """A score above the threshold that does not fire was up for too short a time."""
    new = verdict(found("tobacco", "review", 0.6, seen(0.75)))
    changed = flip(packs, verdict(), new, ({"tobacco": 0.75}, {"tobacco": 0.75}))
    assert "was >= review 0.70 for too short a time" in reasons(changed)[0][1]


def test_policies_that_come_and_go(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """A policy that one of the packs does not have is said to be missing there."""
    old = verdict(found("knives", "review", 0.6, seen(0.7)))
    assert [("lost", "knives: not in the new pack, was 0.70 >= review 0.60")] == reasons(
        flip(packs, old, verdict())
    )


def test_known_content_that_gets_a_policy(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """A match moves from known-content to its policy: the exemplar is named, the gravest first."""
    old = verdict(found("known-content", "review", 0.5, matched()))
    new = verdict(found("hoax", "escalate", 0.5, matched()))
    assert [
        ("gained", "hoax: escalate by a match with known/ex_1 (pdq 0.94), not in the old pack"),
        (
            "lost",
            "known-content: the match counts under a policy of the pack,"
            " was review by a match with known/ex_1 (pdq 0.94)",
        ),
    ] == reasons(flip(packs, old, new))


def test_what_decided_is_told(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """Of prompt and match in one finding, the one that the action was recommended for."""
    new = verdict(found("tobacco", "escalate", 0.5, seen(0.97), matched("tobacco")))
    old = verdict(found("tobacco", "review", 0.7, seen(0.89)))
    assert "tobacco: escalate by a match" not in reasons(flip(packs, old, new))[0][1]
    new = verdict(found("tobacco", "escalate", 0.5, seen(0.8), matched("tobacco")))
    assert "tobacco: escalate by a match with known/ex_1" in reasons(flip(packs, old, new))[0][1]


def test_set_aside(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """What a benign exemplar sets aside is said to be."""
    aside = Suppressed(
        policy="beer", segments=(SEGMENT,), evidence=(seen(0.9),), by=(matched("beer"),)
    )
    old = verdict(found("beer", "review", 0.6, seen(0.9)))
    changed = flip(packs, old, verdict(suppressed=(aside,)), ({}, {"beer": 0.9}))
    assert "beer: set aside by the benign exemplar known/ex_1" in reasons(changed)[0][1]


def test_what_is_no_flip(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """Another score, and the same actions: nothing flips, and no score is asked for."""
    old = verdict(found("beer", "review", 0.6, seen(0.81)))
    new = verdict(found("beer", "review", 0.8, seen(0.99)))
    assert compare(
        old, new, old_pack=packs[0], new_pack=packs[1], old_peaks=_never, new_peaks=_never
    ) is None  # fmt: skip


def _never() -> dict[str, float]:
    raise AssertionError("asked for scores that nobody needs")


def test_a_policy_may_change_under_the_same_outcome(packs: tuple[PolicyPack, PolicyPack]) -> None:
    """One policy for another leaves outcome and action, and is a flip all the same."""
    old = verdict(found("beer", "review", 0.6, seen(0.7)))
    new = verdict(found("tobacco", "review", 0.6, seen(0.66)))
    changed = flip(packs, old, new, ({"tobacco": 0.66}, {"beer": 0.7}))
    assert {("gained", "tobacco"), ("lost", "beer")} == {
        (change, words.partition(":")[0]) for change, words in reasons(changed)
    }
