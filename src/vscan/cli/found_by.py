"""What each signal found, in one line for stderr."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vscan.verdicts import Verdict


def told_matches(
    signals: Iterable[str], found: Counter[str], cost_s: Mapping[str, float] | None = None
) -> str:
    """As `pdq: 3 matches, keypoints: 1 match`; signals that found nothing say so.

    signals: that were measured. found: how much by each of them, and by what was not measured on
    frames (`sha256`, `prompts`). cost_s: CPU seconds that each took, told where known.
    """
    named = [*signals, *sorted(set(found) - set(signals))]
    cost_s = cost_s or {}
    told = {each: f" for {cost_s[each]:.1f} s of CPU" if each in cost_s else "" for each in named}
    return ", ".join(f"{each}: {_counted(each, found[each])}{told[each]}" for each in named)


def count_evidence(verdict: Verdict, found: Counter[str]) -> None:
    """Adds the evidence of a verdict, what was set aside too, to the counts by signal."""
    told = [each.evidence for each in verdict.findings]
    told += [each.evidence for each in verdict.suppressed]
    for evidence in told:
        found.update(each.signal if each.kind == "exemplar" else "prompts" for each in evidence)


def _counted(signal: str, number: int) -> str:
    word = "segment" if signal == "prompts" else "match"
    plural = "segments" if signal == "prompts" else "matches"
    return f"{number} {word if number == 1 else plural}"
