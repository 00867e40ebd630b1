"""Labels: what standing decisions say of videos, as vscan itself reads them.

One JSON line for each video and policy: `source`, `policy`, `label` (`violating` or `benign`) and
`weight`, as `vscan policy backtest --labels` takes them (`vscan.metrics.labels`). Of a policy that
did not fire an upheld verdict says that the video is benign, one overturned for a missed segment
that it violates. With a sample only its cases are labels, each with its weight: the videos of its
stratum over the labels that these give.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field

from vscan.metrics.enforcement.answers import MISSED
from vscan.metrics.labels import OTHER_REASONS
from vscan.reports.exports.exporting import Exported, Exporting, Shape, checked

NAME = "labels"


class LabelsMap(Shape):
    """Nothing: the policies keep their ids."""


class LabelLine(Shape):
    """One label."""

    source: str = Field(min_length=1)
    policy: str = Field(min_length=1)
    label: Literal["violating", "benign"]
    weight: float = Field(gt=0.0)
    """How many videos it stands for: 1 without a sample, for then nothing was drawn by chance."""


def write(given: Exporting, _mapped: LabelsMap) -> Exported:
    """The labels, by URI and policy."""
    assert given.rulings is not None  # noqa: S101 -- the registry says that a log is needed
    said: list[tuple[tuple[str, str], dict[str, str], str]] = []
    left_out = Counter[str]()
    drawn = None if given.sample is None else given.sample.cases
    for record in given.records:
        fired = {finding["policy"] for finding in record["findings"]}
        for ruling in given.rulings.on(record["id"]):
            silent = ruling.policy not in fired
            missed = silent and (ruling.ruling, ruling.reason) == ("overturn", MISSED)
            why = None if missed else ruling.reason
            case = record["id"], ruling.policy or ""
            reason = _no_label(given, record["id"], ruling.policy, why)
            if reason is None and drawn is not None and case not in drawn:
                reason = "decisions on cases that are not of the sample"
            if reason:
                left_out[reason] += 1
                continue
            violates = missed or (ruling.ruling == "uphold" and not silent)
            label = "violating" if violates else "benign"
            values = {"source": record["source"]["uri"], "policy": case[1], "label": label}
            said.append((case, values, ruling.id))
    weights = None if given.sample is None else given.sample.weights({case for case, *_ in said})
    lines = [
        checked(LabelLine, {**values, "weight": weights[case] if weights else 1.0}, what)
        for case, values, what in said
    ]
    known = {record["id"] for record in given.records}
    left_out["decisions on verdicts that the file does not hold"] = sum(
        len(given.rulings.on(verdict)) for verdict in given.rulings.verdicts - known
    )
    data = b"".join(line.model_dump_json().encode() + b"\n" for line in lines)
    return Exported(data=data, written=len(lines), left_out=+left_out)


def _no_label(given: Exporting, verdict: str, policy: str | None, why: str | None) -> str | None:
    """Why a standing decision is no label; None where it is one."""
    assert given.rulings is not None  # noqa: S101 -- as above
    if policy is None:
        return "decisions on a whole verdict, which say of no policy what it is"
    state = given.rulings.state(verdict, policy)
    if state == "open":
        return "decisions that are left open"
    if state == "overturned" and why in OTHER_REASONS:
        return "overturned for a reason that does not say that the policy was kept"
    return None
