"""Drift: whether a policy flags as much, and with such scores, as in an earlier run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vscan.metrics.enforcement.distributions import kolmogorov_smirnov
from vscan.metrics.enforcement.homogeneity import difference, holm
from vscan.metrics.enforcement.seen import Verdicts
from vscan.metrics.figures import Figure, figure, none, share, too_few


@dataclass(frozen=True, kw_only=True)
class PolicyDrift:
    """One policy in two runs. Verdict lines hold the scores of what is flagged and no others: what
    moves below the threshold is not seen."""

    policy: str
    before: Figure
    """Share of the judged videos that it flags, in the earlier run."""
    after: Figure
    change: Figure
    """After less before."""
    distance: float | None
    """Kolmogorov and Smirnov's, 0..1, of the scores of flagged videos; null where withheld."""
    scores_before: int
    scores_after: int
    p: float | None
    """Two-sided, of the distance; null where the runs share videos, for then it does not hold."""
    p_corrected: float | None
    """By Holm, for the number of policies."""
    method: str | None
    """`exact` or `asymptotic`."""
    withheld: str | None
    """Why there is no distance."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Two runs held against each other."""

    against: tuple[str, ...]
    videos_before: int
    errors_before: int
    shared: int
    """Videos that are in both, by content, else by URI."""
    policies: tuple[PolicyDrift, ...]
    notes: tuple[str, ...]


def drift(before: Verdicts, after: Verdicts, *, against: tuple[str, ...], least: int) -> Drift:
    """What differs between an earlier run and this one."""
    shared = len(_contents(before) & _contents(after))
    policies = sorted({name for run in (before, after) for seen in run for name in seen.policies})
    judged = tuple(sum(not seen.is_error for seen in run) for run in (before, after))
    made = [_policy(name, before, after, judged, shared, least) for name in policies]
    corrected = holm({each.policy: each.p for each in made if each.p is not None})
    return Drift(
        against=against,
        videos_before=len(before),
        errors_before=sum(seen.is_error for seen in before),
        shared=shared,
        policies=tuple(_with(each, corrected.get(each.policy)) for each in made),
        notes=tuple(_notes(before, after, shared)),
    )


def _policy(
    policy: str,
    before: Verdicts,
    after: Verdicts,
    judged: tuple[int, ...],
    shared: int,
    least: int,
) -> PolicyDrift:
    scores = [
        [found.score for seen in run for found in seen.findings if found.policy == policy]
        for run in (before, after)
    ]
    counts = [(len(each), of) for each, of in zip(scores, judged, strict=True)]
    rates = [share(*each, least=least, what="videos that were judged") for each in counts]
    fewest, smallest = min(map(len, scores)), min(judged)
    distance = kolmogorov_smirnov(*scores) if fewest >= max(1, least) else None
    change = (
        none(smallest, too_few(smallest, least, "videos that were judged in one of the runs"))
        if smallest < least
        else none(smallest, "the runs share videos: `vscan verdicts diff` tells which changed")
        if shared
        else figure(difference(counts[1], counts[0]), smallest)
    )
    tested = distance is not None and not shared
    return PolicyDrift(
        policy=policy,
        before=rates[0],
        after=rates[1],
        change=change,
        distance=None if distance is None else round(distance.value, 4),
        scores_before=len(scores[0]),
        scores_after=len(scores[1]),
        p=distance.p if distance is not None and tested else None,
        p_corrected=None,
        method=distance.method if distance is not None and tested else None,
        withheld=None
        if distance is not None
        else too_few(fewest, least, "flagged videos in one of the runs"),
    )


def _with(each: PolicyDrift, corrected: float | None) -> PolicyDrift:
    if each.p is None or corrected is None:
        return each
    return replace(each, p=_short(each.p), p_corrected=_short(corrected))


def _short(p: float) -> float:
    """With three digits that tell something."""
    return float(f"{p:.3g}")


def _contents(run: Verdicts) -> set[str]:
    return {seen.sha256 or seen.uri for seen in run}


def _notes(before: Verdicts, after: Verdicts, shared: int) -> Iterator[str]:
    yield "verdicts hold scores of what is flagged: a drift below the thresholds is not seen"
    if shared:
        yield (
            f"{shared} videos are in both runs, so that these are not independent: no p is given"
        )
    for name in ("vscan", "pack", "model", "precision", "sampling", "signals", "indexes"):
        one, other = before.provenance.get(name, set()), after.provenance.get(name, set())
        if one != other:
            was, now = (" and ".join(sorted(each)) or "nothing" for each in (one, other))
            yield (
                f"{name} differs (before {was}, now {now}): what differs may be that and not the"
                " content"
            )
