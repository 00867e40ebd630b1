"""Which ruling stands where several people ruled on one verdict, and where they still disagree."""

from __future__ import annotations

from collections.abc import Iterable

from vscan.decisions.decision import Decision, Kind

Case = tuple[str, str | None]
"""Id of a verdict, and the policy that is ruled on; None for the whole verdict."""
_RANK: dict[Kind, int] = {"first": 0, "second": 1, "adjudication": 2, "appeal": 3}
UNDECIDED = "escalate"


def standing(decisions: Iterable[Decision]) -> dict[Case, Decision]:
    """By case, the decision that stands, cases in the order in which they came up.

    An appeal beats an adjudication, that a second review, that the first one; of one kind the later
    counts, so that one takes a decision back by making another. An appeal that was only escalated
    is not decided yet and does not count; neither do gold items, whose answer was known before.
    decisions: in the order of the log.
    """
    stands: dict[Case, Decision] = {}
    for decision in decisions:
        if decision.kind == "gold" or (decision.kind == "appeal" and decision.ruling == UNDECIDED):
            continue
        case = (decision.verdict, decision.policy)
        older = stands.get(case)
        if older is None or _RANK[decision.kind] >= _RANK[older.kind]:
            stands[case] = decision
    return stands


def disagreements(decisions: Iterable[Decision]) -> list[tuple[Decision, Decision]]:
    """First and second reviews that rule differently, where nobody has settled it since.

    It is settled by an adjudication or an appeal that came later and was not itself escalated, and
    by a later second review of the case, which is then asked instead. decisions: in the order of
    the log.
    """
    by_id: dict[str, Decision] = {}
    open_cases: dict[Case, tuple[Decision, Decision]] = {}
    for decision in decisions:
        case = (decision.verdict, decision.policy)
        if decision.kind == "first":
            by_id[decision.id] = decision
        elif decision.kind == "second":
            open_cases.pop(case, None)
            first = by_id.get(decision.about or "")
            if first is not None and first.ruling != decision.ruling:
                open_cases[case] = (first, decision)
        elif decision.kind in ("adjudication", "appeal") and decision.ruling != UNDECIDED:
            open_cases.pop(case, None)
    return list(open_cases.values())
