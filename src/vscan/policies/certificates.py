"""What was certified of a policy's thresholds on labelled videos, as it stands in its pack.

It says where a threshold comes from, and takes no part in judging.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from vscan.policies.fields import Prompt, Score, Table

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
