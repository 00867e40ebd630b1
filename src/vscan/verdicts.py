"""The verdict: the machine's answer for one source under one policy pack, one JSON line each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Outcome = Literal["clear", "review", "violation", "error"]
OUTCOMES: tuple[Outcome, ...] = ("clear", "review", "violation", "error")
ActionName = Literal["allow", "review", "escalate", "remove"]


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """The video that was judged. Fields are null where the file could not be read so far."""

    uri: str
    """The name it was given by; bytes that are not UTF-8 stand as \\xNN."""
    sha256: str | None = None
    md5: str | None = None
    bytes: int | None = None
    duration_s: float | None = None
    """Presentation time at which the last frame ends, seconds; the container's claim if unread."""
    width: int | None = None
    """Pixels as shown, after rotation."""
    height: int | None = None
    codec: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the input list said of it, passed through."""
    version: str | None = None
    """What pins the content of an object behind a URI, as `etag:…`, `generation:…`, `version:…`:
    while it is the same, the object need not be fetched again. Left out of local files, and where
    the service has none that can be trusted."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A time interval of the source on which a policy fires."""

    start_s: float
    end_s: float
    peak_s: float
    """Time of the sample with the highest score."""
    score: float


@dataclass(frozen=True, kw_only=True)
class PromptEvidence:
    """The frame at which a policy's prompts scored highest within a segment."""

    kind: Literal["prompt"] = "prompt"
    prompt: str
    """The policy's prompt nearest to that frame."""
    time_s: float
    similarity: float
    """Cosine of frame and prompt, -1..1."""
    score: float
    """The policy's score 0..1 on that frame."""


@dataclass(frozen=True, kw_only=True)
class ExemplarEvidence:
    """A part of the source that agrees with a part of an exemplar."""

    kind: Literal["exemplar"] = "exemplar"
    index: str
    exemplar: str
    exemplar_policy: str
    """The policy that the exemplar was added under."""
    signal: str
    """`pdq`, `keypoints` or `embedding`; `sha256` where the files are the same byte for byte."""
    score: float
    distance: float | None = None
    """Median Hamming distance of the matched frames, bits of 256; only for `pdq`."""
    similarity: float | None = None
    """Median cosine of the matched frames; only for `embedding`."""
    inliers: int | None = None
    """Median number of features that fit one transform on the matched frames; only for
    `keypoints`."""
    source_span_s: tuple[float, float]
    exemplar_span_s: tuple[float, float]
    speed: float = 1.0
    """Exemplar seconds that pass in one source second."""
    transform: str = "identity"
    source_coverage: float
    """Share 0..1 of the source that the match covers."""
    exemplar_coverage: float
    """Share 0..1 of the exemplar that the match covers."""


Evidence = PromptEvidence | ExemplarEvidence
UNUSED = ("distance", "similarity", "inliers")
"""Fields of evidence that stand in a line only for the signal that has them."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A policy that fires on the source."""

    policy: str
    severity: str
    action: ActionName
    """What the policy recommends at this score."""
    score: float
    """The highest score of its evidence."""
    threshold: float
    """The threshold that the action was recommended at."""
    segments: tuple[Segment, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """What would have been a finding, had a benign exemplar not been matched at that time, or had
    the matched exemplar not been set aside."""

    policy: str
    segments: tuple[Segment, ...]
    evidence: tuple[Evidence, ...]
    """What was set aside."""
    by: tuple[ExemplarEvidence, ...]
    """The matches with benign exemplars that set it aside."""
    reason: str | None = None
    """`exemplar_quarantined` where the exemplars matched more of a run than one can be trusted to;
    left out where a benign exemplar is the reason."""


@dataclass(frozen=True, kw_only=True)
class StreamPart:
    """Where one of several video streams stands on the timeline of the record."""

    stream: int
    """Its number in the container, as `ffmpeg -map 0:N` counts."""
    start_s: float
    end_s: float
    coverage: float
    """Share 0..1 of the samples planned of it that were read."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What was looked at: a verdict speaks of nothing else."""

    plan: str
    planned: int
    read: int
    coverage: float
    """read / planned, 0..1."""
    gaps_s: tuple[tuple[float, float], ...] = ()
    """Spans in which samples were planned and none could be read."""
    reader: str
    skipped_packets: int = 0
    streams: tuple[StreamPart, ...] = ()
    """Its video streams, one after the other; left out of the line where there is one."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Everything that a verdict depends on beside the source."""

    vscan: str
    pack: str
    model: str | None = None
    """Name and fingerprint; null where no embedding was needed."""
    precision: str | None = None
    """`fp32`, `bf16` or `fp16`, with the device; null without a model."""
    sampling: str
    signals: tuple[str, ...] = ()
    indexes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ErrorRecord:
    """Why a source could not be read."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer for one source: recommends; only a person's decision enforces."""

    schema: Literal["vscan.verdict/1"] = "vscan.verdict/1"
    id: str
    source: SourceRecord
    outcome: Outcome
    action: ActionName
    reasons: tuple[str, ...] = ()
    """Codes of why the outcome is not what the findings alone say, as `partial_coverage`."""
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    samples: Samples | None = None
    provenance: Provenance
    error: ErrorRecord | None = None

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values; `error` and the evidence's unused fields are left out."""
        record = asdict(self)
        if record["error"] is None:
            del record["error"]
        if record["source"]["version"] is None:
            del record["source"]["version"]
        if record["samples"] is not None and not record["samples"]["streams"]:
            del record["samples"]["streams"]
        for item in (*record["findings"], *record["suppressed"]):
            if item.get("reason", "") is None:
                del item["reason"]
            for evidence in (*item["evidence"], *item.get("by", ())):
                for key in UNUSED:
                    if evidence.get(key, 0) is None:
                        del evidence[key]
        return record

    def to_line(self) -> bytes:
        """One JSON line with its newline; the same verdict always gives the same bytes."""
        return orjson.dumps(self.as_dict(), option=orjson.OPT_APPEND_NEWLINE)


def verdict_id(uri: str, sha256: str | None, provenance: Provenance) -> str:
    """`v_` and 20 hex digits of the SHA-256 of URI, content and provenance.

    The same file under the same name and configuration always gets the same id: a run that
    resumes knows by it what is done.
    """
    # Its fields are plain: `asdict` would copy them all for every source that is asked about.
    basis = orjson.dumps([uri, sha256, vars(provenance)], option=orjson.OPT_SORT_KEYS)
    return "v_" + hashlib.sha256(basis).hexdigest()[:20]


def parse_verdict(line: bytes) -> Verdict:
    """The verdict that a line holds: `parse_verdict(v.to_line()) == v`.

    Raises ValueError where the line is no verdict of this version.
    """
    return _adapter().validate_json(line)


@cache
def _adapter() -> TypeAdapter[Verdict]:
    from pydantic import TypeAdapter

    return TypeAdapter(Verdict)
