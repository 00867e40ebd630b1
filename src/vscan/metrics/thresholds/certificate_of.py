"""The certificate that a calibration's report puts into its pack."""

from __future__ import annotations

from vscan.metrics.thresholds.report import CalibrationReport
from vscan.policies import PolicyPack
from vscan.policies.certificates import Certificate
from vscan.policies.drift import opens_at, wording_digest
from vscan.policies.rewriting import with_certificate


def certificate_of(report: CalibrationReport, pack: PolicyPack) -> Certificate:
    """What was certified of one threshold. pack: the one that was calibrated."""
    policy = pack.policy(report.policy)
    probabilities = report.probabilities
    return Certificate(
        threshold=report.certified.threshold,
        target=report.certified.target,
        at_least=report.certified.at_least,
        confidence=report.certified.confidence,
        model=report.model,
        method=report.certified.method,
        labels=report.labels.used,
        positives=report.labels.positives,
        labels_sha256=report.labels.sha256,
        seed=report.certified.seed,
        wording=wording_digest(pack, policy),
        min_duration_s=policy.min_duration_s,
        release=policy.release,
        opens_at=opens_at(policy, report.action),
        even_at=None if probabilities is None else probabilities.even_at,
    )


def certified_pack(
    content: bytes, report: CalibrationReport, *, file: str, pack: PolicyPack, version: str | None
) -> bytes:
    """The TOML `content` of the pack that was calibrated, with its new threshold. Raises as
    `with_certificate`."""
    return with_certificate(
        content,
        file=file,
        policy=report.policy,
        action=report.action,
        certificate=certificate_of(report, pack),
        version=version,
    )
