"""What was certified of a policy's thresholds on labelled videos, as it stands in its pack.

It says where a threshold comes from, and takes no part in judging.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
from pydantic import Field

from vscan.policies.fields import Prompt, Score, Table

if TYPE_CHECKING:
    from vscan.policies.pack import Policy, PolicyPack

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Certificate(Table):
    """What `vscan calibrate` certified of one threshold, and on what."""

    threshold: Score
    """The threshold that was certified, 0..1."""
    target: Literal["precision", "recall"]
    """What it was certified to reach."""
    at_least: Share
    """Share 0..1 that it reaches at least."""
    confidence: Share
    """The chance 0..1, over draws of the labels, that a certificate is right."""
    model: Prompt
    """Fingerprint of the model that made the embeddings."""
    method: Literal["binomial", "betting"]
    """The test: the exact binomial tail, or betting where labels have different weights."""
    labels: Annotated[int, Field(ge=1)]
    """Labelled videos, each content once."""
    positives: Annotated[int, Field(ge=0)]
    """Those that violate."""
    labels_sha256: Digest
    """Of the file of labels."""
    seed: int
    """Decides which labels were fitted on and which certified."""
    wording: Digest
    """Of the texts that decide a score: prompts, contrast, neutral prompts and templates."""
    min_duration_s: float
    """That of the policy, which decides with the threshold what fires."""
    release: float
    """Likewise."""
    opens_at: Score | None = None
    """Where a segment opened: the lowest threshold, if that is a milder action's."""
    even_at: Score | None = None
    """The score from which a violation is as likely as not; left out where it is at none."""


class Calibration(Table):
    """What was certified of a policy's thresholds, by action."""

    review: Certificate | None = None
    """Of the threshold `review`."""
    escalate: Certificate | None = None
    """Of the threshold `escalate`."""
    remove: Certificate | None = None
    """Of the threshold `remove`."""

    def certificates(self) -> Iterator[tuple[str, Certificate]]:
        """By action, the mildest first."""
        for action in ("review", "escalate", "remove"):
            certificate: Certificate | None = getattr(self, action)
            if certificate is not None:
                yield action, certificate


def wording_digest(pack: PolicyPack, policy: Policy) -> str:
    """`sha256:…` of the texts that decide a policy's score: two packs with the same one give every
    sample the same score, on one model. The order of texts does not count, how often one stands
    does."""
    texts: list[Sequence[str]] = [
        sorted(policy.prompts),
        sorted(policy.contrast),
        sorted(pack.neutral),
        sorted(pack.templates),
    ]
    return f"sha256:{hashlib.sha256(orjson.dumps(texts)).hexdigest()}"


def opens_at(policy: Policy, action: str) -> float | None:
    """The policy's lowest threshold, where it is a milder action's than `action`."""
    milder = ("review", "escalate", "remove")[: ("review", "escalate", "remove").index(action)]
    return min(
        (value for each in milder if (value := getattr(policy.thresholds, each)) is not None),
        default=None,
    )


def drifted(pack: PolicyPack, policy: Policy) -> Iterator[tuple[str, str]]:
    """Actions whose threshold is no longer what was certified, each with what has changed."""
    calibration = policy.calibration
    for action, held in () if calibration is None else calibration.certificates():
        now = getattr(policy.thresholds, action)
        if now is None:
            yield action, f"{action} was certified at {held.threshold:g} and is not there any more"
        elif now != held.threshold:
            yield action, f"{action} is {now:g}, and {held.threshold:g} was certified"
        if wording_digest(pack, policy) != held.wording:
            yield action, f"prompts, contrast, neutral or templates changed since {action} was"
        for key in ("min_duration_s", "release"):
            if (given := getattr(policy, key)) != (before := getattr(held, key)):
                yield action, f"{action} was certified with {key} = {before:g}, and it is {given:g}"
        if opens_at(policy, action) != held.opens_at:
            yield action, f"the lowest threshold changed since {action} was certified"
