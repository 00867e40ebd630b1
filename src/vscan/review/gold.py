"""Gold items: cases whose answer is known, mixed into a queue so that nothing tells them apart."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from vscan.decisions.decision import Decision
from vscan.decisions.standing import Case
from vscan.digests import digest_of, file_digests
from vscan.metrics.labels import LabelUse, load_labels
from vscan.review.queue import QueuedCase, urgency
from vscan.store.browse import Record
from vscan.verdicts import SourceRecord


def gold_cases(path: Path, records: Iterable[Record]) -> list[QueuedCase]:
    """The cases of the verdict file for which a label file has the answer, in its order.

    Raises UsageError where the file holds no labels.
    """
    use = LabelUse(load_labels(path))
    cases = []
    for record in records:
        source = record["source"]
        named = SourceRecord(uri=source["uri"], sha256=source.get("sha256"))
        cases += [
            QueuedCase(record=record, policy=policy, kind="gold")
            for policy in sorted(use.of(named, (record["id"],)))
        ]
    return cases


def mixed(
    queue: Sequence[QueuedCase],
    gold: Sequence[QueuedCase],
    decisions: Iterable[Decision],
    *,
    reviewer: str,
    seed: str,
    share: float,
    ordered: bool,
) -> tuple[list[QueuedCase], int]:
    """The queue with gold items in it, and how many.

    Every case with a known answer is taken out of the queue; `share` (0..1) of the result is drawn
    from them: of those that the reviewer has not decided in any kind, and that look as the queue
    does: flagged where some of it is flagged, not flagged where some of it is not. ordered: the
    queue is by `urgency`, so each one drawn takes its place by the same order; else their places
    are drawn too. The draw is by reviewer and seed alone.
    """
    known = {each.case for each in gold}
    left = [each for each in queue if each.case not in known]
    seen: set[Case] = {(d.verdict, d.policy) for d in decisions if d.reviewer == reviewer}
    looks = {each.finding is not None for each in left if each.policy is not None}
    fit = [each for each in gold if each.case not in seen and (each.finding is not None) in looks]
    wanted = round(len(left) * share / (1.0 - share)) if share < 1.0 else len(fit)
    if left and share > 0.0:
        wanted = max(1, wanted)
    draw = random.Random(digest_of([reviewer, seed]))  # noqa: S311 -- a draw to be repeated
    drawn = draw.sample(fit, min(wanted, len(fit)))
    if ordered:
        return sorted([*left, *drawn], key=urgency), len(drawn)
    for each in drawn:
        left.insert(draw.randint(0, len(left)), each)
    return left, len(drawn)


def gold_seed(path: Path) -> str:
    """The SHA-256 of the label file: another file is another draw."""
    return file_digests(path).sha256
