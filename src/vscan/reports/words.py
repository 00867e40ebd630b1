"""Verdicts told in words, the same on a terminal and on a page: times, evidence, reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_EVIDENCE = 8
"""Pieces of evidence that are told of one finding; the rest is counted."""
Piece = Mapping[str, Any]
"""One piece of evidence, or another part of a verdict's line, as plain values."""


def clock(seconds: float) -> str:
    """Seconds as people read them: `7.5s`, `2:03.5`, `1:02:03`."""
    seconds = round(seconds, 1)
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{int(minutes)}:{rest:04.1f}"
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{int(rest):02d}"


def when(segments: Sequence[Piece]) -> str:
    """Segments as their times: `3.0s–7.5s, 9.0s–11.0s`."""
    return ", ".join(f"{clock(s['start_s'])}–{clock(s['end_s'])}" for s in segments)


def remark(record: Piece) -> str:
    """What a person should know of a record without findings."""
    if "error" in record:
        return f"{record['error']['code']}: {record['error']['message']}"
    return ", ".join((*record["reasons"], *record["warnings"]))


def why(evidence: Piece) -> str:
    """One piece of evidence in a few words."""
    if evidence["kind"] == "prompt":
        return f"“{evidence['prompt']}” at {clock(evidence['time_s'])}"
    start, end = evidence["exemplar_span_s"]
    form = "" if evidence["transform"] == "identity" else f", {evidence['transform']}"
    return (
        f"{evidence['signal']} match with {evidence['exemplar']} ({evidence['exemplar_policy']}) "
        f"at {clock(start)}–{clock(end)}{form}"
    )


def evidence_words(each: Piece) -> tuple[str, str]:
    """One piece of evidence in whole: what was found, and how a match was measured (else empty)."""
    if each["kind"] == "prompt":
        return (
            f"prompt “{each['prompt']}” at {clock(each['time_s'])}: score {each['score']:.2f}, "
            f"similarity {each['similarity']:.3f}",
            "",
        )
    (start, end), (from_s, to_s) = each["source_span_s"], each["exemplar_span_s"]
    found = (
        f"{each['signal']} match: {clock(start)}–{clock(end)} is {each['exemplar']} "
        f"({each['exemplar_policy']}) of {each['index']} at {clock(from_s)}–{clock(to_s)}"
    )
    how = ", ".join((*_how(each), f"score {each['score']:.2f}"))
    return found, (
        f"{how}; covers {each['source_coverage']:.0%} of the video, "
        f"{each['exemplar_coverage']:.0%} of the exemplar"
    )


def because(aside: Piece) -> str:
    """Why what would have been a finding is none."""
    if aside.get("reason") == "exemplar_quarantined":
        return "because the exemplar matched too many videos of its run"
    return "because of a match with a benign exemplar"


def short(reference: str) -> str:
    """A name with its digest cut to what a person compares."""
    name, mark, rest = reference.partition("sha256:")
    digest, space, more = rest.partition(" ")
    return f"{name}{mark}{digest[:12]}{space}{more}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 video`, `1,204 videos`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def length(seconds: float) -> str:
    """A length of footage in words: `48 s`, `12 min`, `3 h 20 min`."""
    if round(seconds) < 120:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def listed(words: Sequence[str]) -> str:
    """Several words as one reads them: `a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _how(each: Piece) -> Iterator[str]:
    """How an exemplar was matched, as far as the signal tells."""
    # An embedding hardly changes with how the picture was turned: only the others tell.
    if each["signal"] in ("pdq", "keypoints"):
        yield each["transform"]
    if each.get("speed", 1.0) != 1.0:
        yield f"at {each['speed']:g} times the speed"
    if "distance" in each:
        yield f"distance {each['distance']:g} of 256"
    if "similarity" in each:
        yield f"similarity {each['similarity']:.3f}"
    if "inliers" in each:
        yield f"{each['inliers']} inliers"
    if each["signal"] == "sha256":
        yield "the same file byte for byte"
