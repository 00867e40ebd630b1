"""Coop: a report for each finding that nobody has settled, as its Report API takes them.

Fields are those of https://github.com/roostorg/coop/blob/main/docs/api/report.md and of the schema
that the server checks, server/routes/reporting/ReportingRoutes.ts: each line is the body of one
`POST /api/v1/report`. Nothing is sent from here.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import orjson
from pydantic import Field

from vscan.errors import UsageError
from vscan.reports.exports.exporting import (
    Exported,
    Exporting,
    Shape,
    checked,
    flagged,
    moment,
    of_policy,
)
from vscan.reports.exports.osprey import RFC_3339
from vscan.reports.ruled import SETTLED
from vscan.reports.words import when, why
from vscan.store.browse import Record

NAME = "coop"
META = "meta."


class CoopMap(Shape):
    """What a Coop installation calls things."""

    reporter_id: str = Field(min_length=1)
    """The user under whom vscan reports: Coop knows no other kind of reporter."""
    reporter_type_id: str = Field(min_length=1)
    """Item type of that user."""
    item_type_id: str = Field(min_length=1)
    """Item type of a video."""
    item_id: str = "uri"
    """What a video's id is taken from: a name as in `data`."""
    reported_at: str | None = Field(default=None, pattern=RFC_3339)
    """When it was reported; default: when the run ended."""
    data: dict[str, str] = Field(min_length=1)
    """By field of the item type, what stands in it: one of VALUES, or `meta.` and a key."""
    policies: dict[str, str] = Field(default_factory=dict)
    """By policy, or by one above it, the id that it has in Coop."""
    csam: list[str] = Field(default_factory=list)
    """Policies whose findings Coop is to route to its NCMEC queue."""


class Reporter(Shape):
    """Who reports."""

    kind: Literal["user"]
    typeId: str  # noqa: N815 -- Coop's names
    id: str


class ReportedItem(Shape):
    """What is reported."""

    id: str = Field(min_length=1)
    typeId: str  # noqa: N815
    data: dict[str, Any]


class ReportedForReason(Shape):
    """Why."""

    policyId: str | None = None  # noqa: N815
    reason: str | None = None
    csam: bool | None = None


class CoopReport(Shape):
    """The body of one request."""

    reporter: Reporter
    reportedAt: str = Field(pattern=RFC_3339)  # noqa: N815
    reportedForReason: ReportedForReason  # noqa: N815
    reportedItem: ReportedItem  # noqa: N815


def write(given: Exporting, mapped: CoopMap) -> Exported:
    """One JSON line for each finding, by URI."""
    at = moment(given, mapped.reported_at, "coop.reported_at")
    lines, left_out, notes = [], Counter[str](), Counter[str]()
    for record, finding in flagged(given.records):
        policy, uri = finding["policy"], record["source"]["uri"]
        if given.rulings and given.rulings.state(record["id"], policy) in SETTLED:
            left_out["findings that are decided already"] += 1
            continue
        coop_policy = of_policy(mapped.policies, policy)
        if coop_policy is None:
            notes["reports have no policyId: the policy map names none"] += 1
        report = {
            "reporter": {
                "kind": "user", "typeId": mapped.reporter_type_id, "id": mapped.reporter_id
            },
            "reportedAt": at,
            "reportedForReason": {
                "policyId": coop_policy,
                "reason": _reason(finding),
                "csam": True if of_policy(dict.fromkeys(mapped.csam, True), policy) else None,
            },
            "reportedItem": {
                "id": str(_value(mapped.item_id, record, finding)),
                "typeId": mapped.item_type_id,
                "data": {key: _value(name, record, finding) for key, name in mapped.data.items()},
            },
        }  # fmt: skip
        body = checked(CoopReport, report, uri).model_dump(exclude_none=True)
        lines.append(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE))
    for record in given.records:
        left_out["videos that could not be read, and have no finding to report"] += (
            record["outcome"] == "error"
        )
        left_out["videos to be looked at without a finding"] += (
            record["outcome"] == "review" and not record["findings"]
        )
    return Exported(data=b"".join(lines), written=len(lines), left_out=+left_out, notes=notes)


def _reason(finding: dict[str, Any]) -> str:
    return (
        f"{finding['policy']}: {finding['action']} recommended, score {finding['score']:.2f}, at "
        f"{when(finding['segments'])}; {why(finding['evidence'][0])}"
    )


VALUES = (
    "uri", "sha256", "duration_s", "verdict", "outcome", "action", "policy", "severity", "score",
    "when", "why",
)  # fmt: skip
"""What a field of an item can hold, beside `meta.` and a key of the input list."""


def _value(name: str, record: Record, finding: dict[str, Any]) -> Any:
    """Raises UsageError for a name that is none, or a key that this video's `meta` lacks."""
    source = record["source"]
    if name.startswith(META):
        key = name.removeprefix(META)
        if key not in source["meta"]:
            raise UsageError(
                f"{source['uri']}: its meta has no {key!r}, which the policy map asks for",
                remedy="scan with a list that has it (--from-file), or take it out of the map",
            )
        return source["meta"][key]
    if name in ("uri", "sha256", "duration_s"):
        return source[name]
    if name in ("policy", "severity", "score", "action"):
        return finding[name]
    told = {"verdict": record["id"], "outcome": record["outcome"],
            "when": when(finding["segments"]), "why": why(finding["evidence"][0])}  # fmt: skip
    if name not in told:
        raise UsageError(
            f"{name!r} in the policy map is nothing that a verdict holds",
            remedy=f"one of: {', '.join(VALUES)}, or meta. and a key of the input list",
        )
    return told[name]
