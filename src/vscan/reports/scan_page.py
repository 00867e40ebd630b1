"""The page of a scan report: what the templates need, in words, rows and percents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vscan.policies.actions import SEVERITIES
from vscan.policies.pack import PolicyPack
from vscan.reports.policy_figures import BINS, PolicyFigures
from vscan.reports.ruled import STATE_WORDS, STATES, Rulings
from vscan.reports.scan_report import ScanReport, Shots
from vscan.reports.scan_sentences import notes, sentences
from vscan.reports.templating import MAY_SHOW, rendered
from vscan.reports.timelines import Timeline, segment_rows, timeline
from vscan.reports.words import (
    MOST_EVIDENCE,
    because,
    clock,
    evidence_words,
    length,
    remark,
    when,
    why,
)
from vscan.store.browse import Record

OPEN_AT_FIRST = 10
"""Videos whose details are unfolded when the page is opened."""
MOST_CHARTS = 30
"""Policies with a histogram; the table has all."""


def scan_page(report: ScanReport, shots: Shots | None = None) -> str:
    """The whole page, as text: it loads nothing and runs nothing, and is the same for the same
    report.

    shots: by verdict, blurred frames, where they were asked for.
    """
    most = max((each.videos for each in report.policies), default=1)
    anchors = {each["id"]: f"v{n}" for n, each in enumerate(report.detailed, start=1)}
    return rendered(
        "scan_report.html",
        title=report.title,
        may=MAY_SHOW,
        report=report,
        words=sentences(report),
        notes=tuple(notes(report)),
        length=length(report.overview.seconds),
        first=tuple(_first(report, anchors)),
        charts=tuple(_chart(each, most) for each in report.policies[:MOST_CHARTS]),
        videos=tuple(_video(report, each, anchors[each["id"]], shots) for each in report.detailed),
        states=STATES,
        state_words=STATE_WORDS,
        quiet=_quiet(report),
    )


def _first(report: ScanReport, anchors: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for record in report.first:
        findings = record["findings"]
        strongest = max(findings, key=lambda each: each["score"], default=None)
        yield {
            "uri": record["source"]["uri"],
            "anchor": anchors.get(record["id"]),
            "outcome": record["outcome"],
            "action": record["action"],
            "policies": ", ".join(each["policy"] for each in findings) or "none",
            "severity": _gravest(findings),
            "score": f"{strongest['score']:.2f}" if strongest else "",
            "when": when(strongest["segments"]) if strongest else "",
            "why": why(strongest["evidence"][0]) if strongest else remark(record),
            "state": _states(record, report.rulings),
        }


def _gravest(findings: list[dict[str, Any]]) -> str:
    severities = {each["severity"] for each in findings}
    return next((each for each in reversed(SEVERITIES) if each in severities), "")


def _states(record: Record, rulings: Rulings | None) -> str:
    if rulings is None:
        return ""
    states = rulings.states(record)
    if len(set(states.values())) == 1:
        return STATE_WORDS[next(iter(states.values()))]
    return ", ".join(f"{policy}: {STATE_WORDS[state]}" for policy, state in states.items())


@dataclass(frozen=True, kw_only=True)
class _Bar:
    left: str
    width: str
    height: str = "0"
    about: str = ""
    action: str = ""


def _chart(figures: PolicyFigures, most: int) -> dict[str, Any]:
    """One policy's bars; most: videos of the policy that fired most, which fills the width."""
    parts, left = [], 0.0
    for action, count in figures.actions.items():
        width = 100 * count / most
        parts.append(_Bar(left=f"{left:.2f}", width=f"{width:.2f}", action=action))
        left += width
    highest = max(figures.bins) or 1
    bars = [
        _Bar(
            left=f"{100 * number / BINS + 0.3:.2f}",
            width=f"{100 / BINS - 0.6:.2f}",
            height=f"{64 * count / highest:.1f}",
            about=f"{number / BINS:.2f} to {(number + 1) / BINS:.2f}: {count}",
        )
        for number, count in enumerate(figures.bins)
        if count
    ]
    return {
        "of": figures,
        "parts": parts,
        "bars": bars,
        "highest": highest,
        "thresholds": [
            (action, f"{at:.3f}", f"{100 * at:.2f}") for action, at in figures.thresholds
        ],
        "about": "; ".join(bar.about for bar in bars),
    }


def _video(report: ScanReport, record: Record, anchor: str, shots: Shots | None) -> dict[str, Any]:
    drawn: Timeline | None = timeline(record)
    return {
        "anchor": anchor,
        "number": anchor.removeprefix("v"),
        "open": int(anchor.removeprefix("v")) <= OPEN_AT_FIRST,
        "record": record,
        "about": _about(record),
        "seen": _seen(record),
        "timeline": drawn,
        "rows": tuple(segment_rows(record)),
        "findings": tuple(_finding(report, record, each) for each in record["findings"]),
        "suppressed": [
            f"{each['policy']}, {when(each['segments'])}: set aside {because(each)}"
            for each in record["suppressed"]
        ],
        "shots": () if shots is None else shots.get(record["id"], ()),
        "clock": clock,
    }


def _finding(report: ScanReport, record: Record, finding: dict[str, Any]) -> dict[str, Any]:
    policy, pack, rulings = finding["policy"], report.pack, report.rulings
    return {
        "of": finding,
        "title": _title(pack, policy),
        "evidence": [evidence_words(each) for each in finding["evidence"][:MOST_EVIDENCE]],
        "more": max(0, len(finding["evidence"]) - MOST_EVIDENCE),
        "state": None if rulings is None else STATE_WORDS[rulings.state(record["id"], policy)],
        "ruling": None if rulings is None else rulings.of(record["id"], policy),
    }


def _title(pack: PolicyPack | None, policy: str) -> str:
    """The policy's name for people, where it says more than its id."""
    title = pack.policy(policy).title if pack is not None and policy in pack else ""
    return "" if title.casefold() == policy.casefold() else title


def _about(record: Record) -> str:
    source = record["source"]
    told = []
    if source["duration_s"] is not None:
        told.append(clock(source["duration_s"]))
    if source["width"] and source["height"]:
        told.append(f"{source['width']}×{source['height']}")
    if source["codec"]:
        told.append(source["codec"])
    return ", ".join(told) or "length and size not known"


def _seen(record: Record) -> str:
    samples = record["samples"]
    if samples is None:
        return "no sample was read"
    return (
        f"{samples['read']:,} of {samples['planned']:,} samples looked at ({samples['plan']}, "
        f"{samples['reader']}), coverage {samples['coverage']:.1%}"
    )


def _quiet(report: ScanReport) -> tuple[str, ...]:
    """Policies of the pack that fired on nothing."""
    if report.pack is None or not report.pack_used:
        return ()
    fired = {each.policy for each in report.policies}
    return tuple(each for each in report.pack.ids if each not in fired)
