"""What a browser is told of a case: no more than is looked at, and nothing of why it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vscan.exemplars.exemplar import Exemplar
from vscan.intervals import Interval, union
from vscan.names import shown
from vscan.policies.pack import PolicyPack
from vscan.review.queue import QueuedCase

MOST_EVIDENCE = 40
"""Pieces of evidence of a case that are told, the strongest first."""
FOUND = ("action", "score", "threshold")
SOURCE = ("duration_s", "width", "height", "codec")
PROMPT = ("kind", "time_s", "similarity", "score")
MATCH = (
    "kind", "signal", "score", "distance", "similarity", "inliers", "source_span_s",
    "exemplar_span_s", "speed", "transform", "source_coverage", "exemplar_coverage",
)  # fmt: skip
NO_SEGMENT_NEEDED = ("missed_segment",)
"""Reasons to overturn where the policy did not fire: only that it should have."""
REASONS = ("false_positive", "wrong_policy", "missed_segment", "technical")

FindExemplar = Callable[[str, str], Exemplar | None]
"""By index and id, an exemplar that is at hand."""


def exemplar_evidence(case: QueuedCase) -> list[Mapping[str, Any]]:
    """The matches with exemplars among what is told of a case, in its order."""
    return [each for each in _evidence(case) if each["kind"] == "exemplar"]


def spans_of(case: QueuedCase, context_s: float) -> list[Interval]:
    """What is played: the segments with `context_s` before and after, joined where they meet,
    ascending; all of the video where there is no segment."""
    end_s = max(float(case.record["source"].get("duration_s") or 0.0), 0.0)
    segments = (case.finding or {}).get("segments", ())
    if not segments:
        return [Interval(0.0, end_s)]
    # What a container claims may be less than what was read of it.
    end_s = max(end_s, *(float(each["end_s"]) for each in segments))
    return union(
        Interval(
            max(0.0, each["start_s"] - context_s), max(0.0, min(end_s, each["end_s"] + context_s))
        )
        for each in segments
    )


def case_view(
    case: QueuedCase,
    *,
    context_s: float,
    find_exemplar: FindExemplar,
    pack: PolicyPack | None = None,
) -> dict[str, Any]:
    """The case as plain values for JSON. Neither its kind nor any id stands in it: a gold item and
    a case of which nobody knows the answer look alike."""
    record, finding = case.record, case.finding
    source = record["source"]
    return {
        "name": shown(source["uri"]),
        "source": {key: source.get(key) for key in SOURCE},
        "outcome": record["outcome"],
        "reasons": list(record["reasons"]),
        "warnings": list(record["warnings"]),
        "error": shown(record["error"]["message"]) if record.get("error") else None,
        "gaps_s": (record["samples"] or {}).get("gaps_s", []),
        **_policy(case, pack),
        "flagged": finding is not None,
        **{key: finding[key] if finding else None for key in FOUND},
        "segments": [dict(each) for each in finding["segments"]] if finding else [],
        # None where there is no segment: all of it, whatever its length turns out to be.
        "spans_s": [span.pair() for span in spans_of(case, context_s)] if finding else [],
        "evidence": list(map(_told(find_exemplar), _numbered(case))),
        "reasons_to_overturn": [
            each
            for each in REASONS
            if finding is not None or case.policy is None or each in NO_SEGMENT_NEEDED
        ],
    }


def _policy(case: QueuedCase, pack: PolicyPack | None) -> dict[str, Any]:
    """Which policy, and what its pack says of it where that is at hand."""
    finding = case.finding
    told = {
        "policy": None if case.policy is None else shown(case.policy),
        "severity": None if finding is None else shown(finding["severity"]),
        "title": None,
        "description": None,
    }
    if pack is not None and case.policy is not None and case.policy in pack:
        policy = pack.policy(case.policy)
        told |= {"title": policy.title, "description": policy.description or None}
        told["severity"] = told["severity"] or policy.severity
    return told


def _evidence(case: QueuedCase) -> list[Mapping[str, Any]]:
    return list((case.finding or {}).get("evidence", ()))[:MOST_EVIDENCE]


def _numbered(case: QueuedCase) -> list[tuple[int, Mapping[str, Any]]]:
    """Evidence with its number among the matches with exemplars, -1 for a prompt."""
    found, matches = [], 0
    for each in _evidence(case):
        is_match = each["kind"] == "exemplar"
        found.append((matches if is_match else -1, each))
        matches += is_match
    return found


def _told(
    find_exemplar: FindExemplar,
) -> Callable[[tuple[int, Mapping[str, Any]]], dict[str, Any]]:
    def told(numbered: tuple[int, Mapping[str, Any]]) -> dict[str, Any]:
        number, each = numbered
        if number < 0:
            return {**{key: each.get(key) for key in PROMPT}, "prompt": shown(each["prompt"])}
        exemplar = find_exemplar(each["index"], each["exemplar"])
        return {
            "speed": 1.0,
            **{key: each[key] for key in MATCH if key in each},
            "index": shown(each["index"]),
            "exemplar": shown(each["exemplar"]),
            "part": f"exemplar-{number}",
            "at_hand": exemplar is not None and exemplar.sha256 is not None,
            "note": shown(exemplar.note) if exemplar is not None else "",
        }

    return told
