"""Amazon Rekognition: each video as the answer of GetContentModeration, for programs that read it.

The form is that of the API reference, with AggregateBy SEGMENTS:
https://docs.aws.amazon.com/rekognition/latest/APIReference/API_GetContentModeration.html,
API_ContentModerationDetection.html, API_ModerationLabel.html and API_VideoMetadata.html; JobTag as
in API_StartContentModeration.html. What is not required there and not known here is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import orjson
from pydantic import Field

from vscan.decisions.decision import MOST_SECONDS
from vscan.errors import UsageError
from vscan.remote.systems import scheme_of
from vscan.reports.exports.exporting import Exported, Exporting, Shape, checked, of_policy
from vscan.store.browse import Record

NAME = "rekognition"
MOST_LEVEL = 3
JOB_TAG = r"^[a-zA-Z0-9_.\-:+=/]{1,1024}$"


class RekognitionLabel(Shape):
    """What a policy is called in Rekognition's taxonomy."""

    name: str = Field(min_length=1)
    parent: str = ""
    """Empty for a label of the top level."""
    level: int = Field(default=2, ge=1, le=MOST_LEVEL)


class RekognitionMap(Shape):
    """By policy, or by one above it, its label; others are called by their own ids."""

    policies: dict[str, RekognitionLabel] = Field(default_factory=dict)


class Label(Shape):
    """A label and how sure it is said to be."""

    Name: str = Field(min_length=1)
    ParentName: str
    Confidence: float = Field(ge=0.0, le=100.0)
    """100 times the score, which is no probability."""
    TaxonomyLevel: int = Field(ge=1, le=MOST_LEVEL)


class Detection(Shape):
    """A label on a segment; times in milliseconds."""

    Timestamp: int = Field(ge=0)
    StartTimestampMillis: int = Field(ge=0)
    EndTimestampMillis: int = Field(ge=0)
    DurationMillis: int = Field(ge=0)
    ModerationLabel: Label


class Metadata(Shape):
    """Of the video, what a verdict knows."""

    Codec: str | None = None
    DurationMillis: int | None = Field(default=None, ge=0)
    FrameHeight: int | None = Field(default=None, ge=0)
    FrameWidth: int | None = Field(default=None, ge=0)


class Stored(Shape):
    """Where the video lies, if it lies there."""

    Bucket: str = Field(min_length=3, max_length=255)
    Name: str = Field(min_length=1, max_length=1024)


class Place(Shape):
    """The video."""

    S3Object: Stored


class RequestMetadata(Shape):
    """How the labels are put together and sorted."""

    AggregateBy: Literal["SEGMENTS"] = "SEGMENTS"
    SortBy: Literal["TIMESTAMP"] = "TIMESTAMP"


class ContentModeration(Shape):
    """The answer for one video."""

    JobId: str = Field(pattern="^[a-zA-Z0-9_-]{1,64}$")
    """The verdict's id."""
    JobStatus: Literal["SUCCEEDED", "FAILED"]
    JobTag: str | None = Field(default=None, pattern=JOB_TAG)
    """The video's name where it fits, else its SHA-256."""
    StatusMessage: str | None = None
    ModerationLabels: list[Detection]
    ModerationModelVersion: str
    """vscan's version and the pack's."""
    VideoMetadata: Metadata
    Video: Place | None = None
    GetRequestMetadata: RequestMetadata = RequestMetadata()


def write(given: Exporting, mapped: RekognitionMap) -> Exported:
    """One JSON line for each video, by URI."""
    lines, left_out = [], Counter[str]()
    for record in given.records:
        body = checked(ContentModeration, _answer(record, mapped), record["source"]["uri"])
        dumped = body.model_dump(exclude_none=True)
        lines.append(orjson.dumps(dumped, option=orjson.OPT_APPEND_NEWLINE))
        left_out["recommended actions and thresholds"] += len(record["findings"])
        left_out["findings that were set aside"] += len(record["suppressed"])
        left_out["pieces of evidence"] += sum(len(each["evidence"]) for each in record["findings"])
        left_out["videos that ask for a look without a finding"] += (
            record["outcome"] == "review" and not record["findings"]
        )
    return Exported(data=b"".join(lines), written=len(lines), left_out=+left_out)


def _answer(record: Record, mapped: RekognitionMap) -> dict[str, Any]:
    source, made_by = record["source"], record["provenance"]
    found = sorted(_detections(record, mapped), key=lambda each: (
        each["Timestamp"], each["ModerationLabel"]["Name"]
    ))  # fmt: skip
    failed = record["outcome"] == "error"
    length_s = source["duration_s"]
    return {
        "JobId": record["id"],
        "JobStatus": "FAILED" if failed else "SUCCEEDED",
        "JobTag": source["uri"] if re.fullmatch(JOB_TAG, source["uri"]) else source["sha256"],
        "StatusMessage": _failure(record) if failed else None,
        "ModerationLabels": found,
        "ModerationModelVersion": f"vscan {made_by['vscan']}, {made_by['pack']}",
        "VideoMetadata": {
            "Codec": source["codec"],
            "DurationMillis": None if length_s is None else _milliseconds(length_s),
            "FrameHeight": source["height"],
            "FrameWidth": source["width"],
        },
        "Video": _video(source["uri"]),
    }


def _detections(record: Record, mapped: RekognitionMap) -> Iterator[dict[str, Any]]:
    for finding in record["findings"]:
        label = of_policy(mapped.policies, finding["policy"]) or _own(finding["policy"])
        for segment in finding["segments"]:
            start, end = _milliseconds(segment["start_s"]), _milliseconds(segment["end_s"])
            yield {
                "Timestamp": start,
                "StartTimestampMillis": start,
                "EndTimestampMillis": end,
                "DurationMillis": max(0, end - start),
                "ModerationLabel": {
                    "Name": label.name,
                    "ParentName": label.parent,
                    "Confidence": round(100.0 * segment["score"], 2),
                    "TaxonomyLevel": label.level,
                },
            }


def _own(policy: str) -> RekognitionLabel:
    """A policy under its own id, below the id that it is below."""
    level = min(MOST_LEVEL, policy.count(".") + 1)
    return RekognitionLabel(name=policy, parent=policy.rpartition(".")[0], level=level)


def _failure(record: Record) -> str:
    return f"{record['error']['code']}: {record['error']['message']}"


def _milliseconds(seconds: float) -> int:
    if seconds >= MOST_SECONDS:
        raise UsageError(f"{seconds:g} s is no time of a video", remedy="mend that verdict")
    return max(0, round(seconds * 1000))


def _video(uri: str) -> dict[str, Any] | None:
    if scheme_of(uri) != "s3":
        return None
    bucket, _, name = uri.removeprefix("s3://").partition("/")
    return {"S3Object": {"Bucket": bucket, "Name": name}}
