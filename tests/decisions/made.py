"""Decisions and verdict lines for the tests of the review room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vscan.decisions.decision import Decision
from vscan.verdicts import Finding, PromptEvidence, Provenance, Segment, SourceRecord, Verdict

SHA = "ab" * 32


def decision(name: str = "d_1", **fields: Any) -> Decision:
    """A first review that upholds `v_1` under `weapons`, with what `fields` say otherwise."""
    usual = {
        "verdict": "v_1", "uri": "clips/a.mp4", "sha256": SHA, "policy": "weapons",
        "ruling": "uphold", "reviewer": "ana", "decided_at": "2026-11-02T09:30:00Z",
    }  # fmt: skip
    return Decision(**{"id": name, **usual, **fields})


def verdict(uri: str, *policies: str, meta: dict[str, Any] | None = None) -> Verdict:
    """The verdict `v_` and the file's stem, with a finding from 3 to 7.5 s under each policy."""
    segment = Segment(start_s=3.0, end_s=7.5, peak_s=4.0, score=0.9)
    evidence = PromptEvidence(prompt="a knife", time_s=4.0, similarity=0.3, score=0.9)
    return Verdict(
        id=f"v_{Path(uri).stem}",
        source=SourceRecord(uri=uri, sha256=SHA, meta=meta or {}),
        outcome="violation" if policies else "clear",
        action="remove" if policies else "allow",
        findings=tuple(
            Finding(
                policy=policy, severity="high", action="remove", score=0.9, threshold=0.8,
                segments=(segment,), evidence=(evidence,),
            )
            for policy in policies
        ),
        provenance=Provenance(vscan="0", pack="p@1#sha256:0", sampling="fps:1"),
    )  # fmt: skip
