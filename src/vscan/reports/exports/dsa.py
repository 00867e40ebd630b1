"""EU DSA Transparency Database: a statement of reasons for each decision that upholds a finding.

Fields, words and limits are those of version 2 of the API, in force since 1 July 2025:
https://transparency.dsa.ec.europa.eu/page/api-documentation, as in resources/markdown of
https://github.com/digital-services-act/transparency-database; what each means is told on
https://transparency.dsa.ec.europa.eu/page/additional-explanation-for-statement-attributes. Each
line is the body of one `POST /api/v1/statements`. Nothing is sent from here.

What must be said of law and terms is the platform's to say: it comes from the policy map.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
from pydantic import Field, model_validator

from vscan.decisions.decision import Decision
from vscan.digests import digest_of
from vscan.errors import UsageError
from vscan.reports.exports import dsa_words as words
from vscan.reports.exports.exporting import Exported, Exporting, Shape, checked, of_policy
from vscan.reports.words import when
from vscan.store.browse import Record

NAME = "dsa"
MOST_STATEMENTS = 100
"""Statements of one request."""
MOST_SEGMENTS = 50
"""That are told in the facts; the rest is counted."""
PUID = "^[a-zA-Z0-9_-]{1,500}$"
_DATE = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


class DsaPolicy(Shape):
    """What upholding a policy means: the restriction, its ground, and where it belongs."""

    decision_visibility: list[words.Visibility] = Field(min_length=1)
    decision_visibility_other: str | None = Field(default=None, max_length=500)
    decision_ground: words.Ground
    decision_ground_reference_url: str | None = Field(default=None, max_length=500)
    illegal_content_legal_ground: str | None = Field(default=None, min_length=1, max_length=500)
    illegal_content_explanation: str | None = Field(default=None, min_length=1, max_length=2000)
    incompatible_content_ground: str | None = Field(default=None, min_length=1, max_length=500)
    incompatible_content_explanation: str | None = Field(
        default=None, min_length=1, max_length=2000
    )
    incompatible_content_illegal: words.YesNo | None = None
    category: words.Category
    category_addition: list[words.Category] | None = None

    @model_validator(mode="after")
    def _hold_together(self) -> DsaPolicy:
        needed = ["decision_visibility_other"] if words.OTHER in self.decision_visibility else []
        if self.decision_ground == words.ILLEGAL:
            needed += ["illegal_content_legal_ground", "illegal_content_explanation"]
        else:
            needed += ["incompatible_content_ground", "incompatible_content_explanation"]
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise ValueError(f"{', '.join(missing)} missing, which this needs")
        return self


class DsaMap(Shape):
    """What a platform says of all its statements, and of each policy."""

    automated_decision: words.AutomatedDecision
    source_type: words.SourceType
    territorial_scope: list[words.Country] = Field(min_length=1)
    content_date_meta: str = Field(min_length=1)
    """Key of `source.meta` under which a video's day of upload stands."""
    content_language: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    policies: dict[str, DsaPolicy] = Field(min_length=1)


class Statement(DsaPolicy):
    """One statement of reasons."""

    content_type: list[words.ContentType] = Field(min_length=1)
    territorial_scope: list[words.Country] = Field(min_length=1)
    content_language: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    content_date: str = Field(pattern=_DATE, ge="2000-01-01")
    application_date: str = Field(pattern=_DATE, ge="2020-01-01")
    decision_facts: str = Field(min_length=1, max_length=5000)
    source_type: words.SourceType
    automated_detection: words.YesNo
    automated_decision: words.AutomatedDecision
    puid: str = Field(pattern=PUID)


def write(given: Exporting, mapped: DsaMap) -> Exported:
    """The statements, by URI, a request to a line."""
    left_out = Counter[str]()
    made = [
        _statement(record, finding, ruling, mapped)
        for record in given.records
        for finding, ruling in _upheld(given, record, left_out)
    ]
    lines = [
        orjson.dumps({"statements": made[at : at + MOST_STATEMENTS]}) + b"\n"
        for at in range(0, len(made), MOST_STATEMENTS)
    ]
    return Exported(data=b"".join(lines), written=len(made), left_out=+left_out)


def _upheld(
    given: Exporting, record: Record, left_out: Counter[str]
) -> Iterator[tuple[dict[str, Any], Decision]]:
    """The findings of a verdict that a standing decision upholds, with it."""
    assert given.rulings is not None  # noqa: S101 -- the registry says that a log is needed
    for finding in record["findings"]:
        policy = finding["policy"]
        ruling = given.rulings.of(record["id"], policy)
        state = given.rulings.state(record["id"], policy)
        if state == "upheld" and ruling is not None:
            yield finding, ruling
        else:
            left_out[_WITHOUT[state]] += 1


_WITHOUT = {
    "overturned": "findings that were overturned: nothing is restricted",
    "open": "findings that are left open",
    "undecided": "findings that nobody has decided: a verdict is no statement of reasons",
}


def _statement(
    record: Record, finding: dict[str, Any], ruling: Decision, mapped: DsaMap
) -> dict[str, Any]:
    policy, source = finding["policy"], record["source"]
    said = of_policy(mapped.policies, policy)
    if said is None:
        raise UsageError(
            f"the policy map does not say what upholding {policy!r} means",
            remedy=f'write a table [dsa.policies."{policy}"]; docs/exports.md has one',
        )
    values = {
        **said.model_dump(exclude_none=True),
        "content_type": ["CONTENT_TYPE_VIDEO"],
        "territorial_scope": mapped.territorial_scope,
        "content_language": mapped.content_language,
        "content_date": _day(source, mapped.content_date_meta),
        "application_date": ruling.decided_at[:10],
        "decision_facts": _facts(finding, ruling),
        "source_type": mapped.source_type,
        "automated_detection": "Yes",
        "automated_decision": mapped.automated_decision,
        "puid": _puid(ruling, policy),
    }
    made = checked(Statement, values, f"{source['uri']} under {policy}")
    return made.model_dump(exclude_none=True)


def _puid(ruling: Decision, policy: str) -> str:
    """The same for the same decision and policy; a hash where another system's id does not fit."""
    own = f"-{re.sub('[^a-zA-Z0-9_-]', '_', policy)}" if ruling.policy is None else ""
    if re.fullmatch(PUID, ruling.id + own):
        return ruling.id + own
    return digest_of([ruling.id, policy]).replace(":", "_")


def _day(source: dict[str, Any], key: str) -> str:
    """The day of upload, of a day or a moment in ISO 8601. Raises UsageError where it lacks."""
    said = source["meta"].get(key)
    try:
        return date.fromisoformat(str(said)[:10]).isoformat()
    except ValueError as error:
        raise UsageError(
            f"{source['uri']}: its meta has no day of upload under {key!r}",
            remedy=f'scan with a list whose lines have "{key}": "2026-11-02" (--from-file)',
        ) from error


def _facts(finding: dict[str, Any], ruling: Decision) -> str:
    """What was found and who looked, without a name of anybody or of the file."""
    segments = finding["segments"]
    more = len(segments) - MOST_SEGMENTS
    rest = f" and {more} more" if more > 0 else ""
    kinds = {each["kind"] for each in finding["evidence"]}
    by = " and ".join(
        told
        for kind, told in (
            ("exemplar", "as a copy of known material"),
            ("prompt", "by what a model sees in its frames"),
        )
        if kind in kinds
    )
    looks = {"appeal": "on appeal", "adjudication": "in adjudication", "second": "as the second"}
    return (
        f"The video was detected automatically {by} under the policy {finding['policy']}, at "
        f"{when(segments[:MOST_SEGMENTS])}{rest}. A person reviewed it"
        f"{' ' + looks[ruling.kind] if ruling.kind in looks else ''} and upheld that."
    )
