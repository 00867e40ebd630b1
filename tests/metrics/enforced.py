"""Verdict lines, decisions and picks made up for the tests of enforcement figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.decisions.made import decision
from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.verdicts import (
    ErrorRecord,
    Finding,
    PromptEvidence,
    Provenance,
    Segment,
    SourceRecord,
    Verdict,
)

MADE_BY = Provenance(vscan="0", pack="p@1#sha256:0", sampling="fps:1")


def sha(name: str) -> str:
    """A digest that is the name's own."""
    return hashlib.sha256(name.encode()).hexdigest()


def verdict(name: str, scores: dict[str, float] | None = None, **meta: Any) -> Verdict:
    """`v_NAME` of `NAME.mp4`, which flags each policy of `scores` from 3 to 7.5 s: for removal
    from 0.8 on, else for review."""
    findings = tuple(_finding(policy, score) for policy, score in sorted((scores or {}).items()))
    removed = any(each.action == "remove" for each in findings)
    return Verdict(
        id=f"v_{name}",
        source=SourceRecord(uri=f"{name}.mp4", sha256=sha(name), meta=meta),
        outcome="violation" if removed else "review" if findings else "clear",
        action="remove" if removed else "review" if findings else "allow",
        findings=findings,
        provenance=MADE_BY,
    )


def broken(name: str, **meta: Any) -> Verdict:
    """A video that could not be read."""
    return Verdict(
        id=f"v_{name}",
        source=SourceRecord(uri=f"{name}.mp4", sha256=sha(name), meta=meta),
        outcome="error",
        action="review",
        provenance=MADE_BY,
        error=ErrorRecord(code="decode_failed", message="no frame"),
    )


def _finding(policy: str, score: float) -> Finding:
    return Finding(
        policy=policy,
        severity="high" if policy == "weapons" else "low",
        action="remove" if score >= 0.8 else "review",
        score=score,
        threshold=0.8 if score >= 0.8 else 0.5,
        segments=(Segment(start_s=3.0, end_s=7.5, peak_s=4.0, score=score),),
        evidence=(PromptEvidence(prompt="a knife", time_s=4.0, similarity=0.3, score=score),),
    )


@dataclass
class Made:
    """Decisions in the order of a log."""

    decisions: list[Decision] = field(default_factory=list)

    def rule(self, name: str, ruling: str = "uphold", **fields: Any) -> Decision:
        """One more decision on `v_NAME`; a reason is made up where it needs one."""
        if ruling == "overturn":
            fields.setdefault("reason", "false_positive")
        made = decision(
            f"d_{len(self.decisions)}",
            **{"verdict": f"v_{name}", "uri": f"{name}.mp4", "sha256": sha(name),
               "ruling": ruling, "segments": ((3.0, 7.5),), **fields},
        )  # fmt: skip
        self.decisions.append(made)
        return made

    def log(self, path: Path) -> Path:
        """All of them in a log."""
        with DecisionLog(path, create=True) as held, held.appending():
            for each in self.decisions:
                held.add(each)
        return path


def write(path: Path, verdicts: Iterable[Verdict]) -> Path:
    """A verdict file."""
    path.write_bytes(b"".join(each.to_line() for each in verdicts))
    return path


def pick(name: str, stratum: str, population: int, sampled: int, **fields: Any) -> dict[str, Any]:
    """A line of a stratified sample; what `stratum` ends with says whether it is flagged."""
    usual = {
        "schema": "vscan.pick/1", "strategy": "stratified", "seed": 7, "verdict": f"v_{name}",
        "uri": f"{name}.mp4", "sha256": sha(name), "policy": "weapons", "score": None,
        "flagged": stratum.endswith("/flagged"), "stratum": stratum, "population": population,
        "sampled": sampled, "weight": population / sampled, "market": None, "views": None,
        "reason": "drawn",
    }  # fmt: skip
    return {**usual, **fields}


def write_picks(path: Path, picks: Iterable[dict[str, Any]]) -> Path:
    """A file of picks."""
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in picks))
    return path
