"""What changed for a source between two of its verdicts: outcome, findings, segments, content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Record = Mapping[str, Any]
Span = tuple[float, float]
DETAILS = ("action", "reasons", "warnings", "suppressed", "samples", "error")
"""Further fields of a record that may differ while outcome and findings do not."""


@dataclass(frozen=True, kw_only=True)
class SegmentChange:
    """A segment of a policy that both verdicts have a finding of."""

    policy: str
    before: Span | None
    """Start and end, seconds; null for a segment that came."""
    after: Span | None
    """Null for a segment that went."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How two verdicts of one source differ; each pair is (before, after)."""

    uri: str
    only_in: Literal["a", "b"] | None = None
    """The file that alone knows the source."""
    outcome: tuple[str | None, str | None]
    """Of both, also where they are the same; null where the file does not know the source."""
    content: tuple[str | None, str | None] | None = None
    """SHA-256 of both, where they differ."""
    gained: Mapping[str, float] = field(default_factory=dict)
    """Score of findings that came, by policy."""
    lost: Mapping[str, float] = field(default_factory=dict)
    """Score of findings that went, by policy."""
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By policy, where the score changed."""
    segments: tuple[SegmentChange, ...] = ()
    """That moved, came or went."""
    details: tuple[str, ...] = ()
    """Further fields that differ: DETAILS, and `evidence` of findings that stayed."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What differs, in words; nothing where nothing does."""
        if self.only_in is not None:
            return (f"only in {self.only_in.upper()}",)
        told = {
            "outcome": self.outcome[0] != self.outcome[1],
            "findings gained": bool(self.gained),
            "findings lost": bool(self.lost),
            "scores": bool(self.scores),
            "segments": bool(self.segments),
            "content": self.content is not None,
            "details": bool(self.details),
        }
        return tuple(kind for kind, holds in told.items() if holds)


def difference(
    before: Record, after: Record, *, tolerance_s: float, score_tolerance: float = 0.0
) -> Difference:
    """How two verdicts of one source differ, their provenance and `meta` aside.

    tolerance_s: seconds by which a start or end may move without being told. score_tolerance: the
    same for scores.
    """
    old, new = _by_policy(before), _by_policy(after)
    both = [policy for policy in old if policy in new]
    scores = {p: (_score(old[p]), _score(new[p])) for p in both}
    digests = before["source"].get("sha256"), after["source"].get("sha256")
    return Difference(
        uri=str(before["source"]["uri"]),
        outcome=(before["outcome"], after["outcome"]),
        content=digests if digests[0] != digests[1] else None,
        gained={policy: _score(new[policy]) for policy in new if policy not in old},
        lost={policy: _score(old[policy]) for policy in old if policy not in new},
        scores={
            # Scores have four decimals: what the subtraction adds below that is no difference.
            p: pair
            for p, pair in scores.items()
            if abs(pair[1] - pair[0]) > score_tolerance + 1e-9
        },
        segments=tuple(
            SegmentChange(policy=policy, before=one, after=other)
            for policy in both
            for one, other in _moved(_spans(old[policy]), _spans(new[policy]), tolerance_s)
        ),
        details=(
            *(name for name in DETAILS if before.get(name) != after.get(name)),
            *(["evidence"] if any(_proof(old[p]) != _proof(new[p]) for p in both) else []),
        ),
    )


def only_in(record: Record, which: Literal["a", "b"]) -> Difference:
    """The difference of a source that one file alone knows."""
    outcome = record["outcome"]
    pair = (outcome, None) if which == "a" else (None, outcome)
    return Difference(uri=str(record["source"]["uri"]), only_in=which, outcome=pair)


def provenance_changes(before: Record, after: Record) -> dict[str, tuple[str | None, str | None]]:
    """What differs in how two verdicts were made, by name (`pack`, `indexes.known`): both values,
    null for what was not there."""
    old, new = _flat(before.get("provenance", {})), _flat(after.get("provenance", {}))
    return {
        name: (old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    }


def _flat(provenance: Record) -> dict[str, str | None]:
    flat: dict[str, str | None] = {}
    for name, value in provenance.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": str(each) for key, each in value.items()}
        elif isinstance(value, list):
            flat[name] = ", ".join(map(str, value))
        else:
            flat[name] = None if value is None else str(value)
    return flat


def _by_policy(record: Record) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for finding in record.get("findings", ()):
        found.setdefault(str(finding["policy"]), []).append(finding)
    return found


def _score(findings: Sequence[Record]) -> float:
    return max(float(finding["score"]) for finding in findings)


def _spans(findings: Sequence[Record]) -> list[Span]:
    return sorted(
        (float(each["start_s"]), float(each["end_s"]))
        for finding in findings
        for each in finding["segments"]
    )


def _proof(findings: Sequence[Record]) -> list[Any]:
    """What a finding rests on beside its score and segments, which are told apart."""
    told = ("score", "segments")
    return [{k: v for k, v in finding.items() if k not in told} for finding in findings]


def _moved(
    before: Sequence[Span], after: Sequence[Span], tolerance_s: float
) -> list[tuple[Span | None, Span | None]]:
    """Pairs of segments that moved; alone, those that came or went. Both in time order.

    Segments that touch are the same one; of one that was split, the first part goes on.
    """
    moved: list[tuple[Span | None, Span | None]] = []
    old, new = list(before), list(after)
    while old and new:
        (start, end), (start_now, end_now) = old[0], new[0]
        if end < start_now and start_now - start > tolerance_s:
            moved.append((old.pop(0), None))
        elif end_now < start and start - start_now > tolerance_s:
            moved.append((None, new.pop(0)))
        else:
            pair = (old.pop(0), new.pop(0))
            if max(abs(start_now - start), abs(end_now - end)) > tolerance_s + 1e-9:
                moved.append(pair)
    return [*moved, *((one, None) for one in old), *((None, one) for one in new)]
