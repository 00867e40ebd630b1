"""The lines of a pack for reviewer training: what a trainee gets, the answers, the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from vscan.decisions.decision import Ruling
from vscan.metrics.picking.record import PICK_SCHEMA
from vscan.metrics.training.cases import Firmness

CASES, PICKS, ANSWERS, MANIFEST, README = (
    "cases.jsonl", "picks.jsonl", "answers.jsonl", "manifest.json", "README.txt",
)  # fmt: skip
"""Names of the files of a pack's folder."""
PRIVATE = (ANSWERS, MANIFEST)
"""Files that the trainer keeps: the answers, and how many are which."""


@dataclass(frozen=True, kw_only=True)
class TrainingCase:
    """A case as a trainee gets it: nothing in it comes from a ruling or a score."""

    schema: Literal["vscan.training_case/1"] = "vscan.training_case/1"
    number: int
    """From 1, in the order in which cases are shown."""
    verdict: str
    uri: str
    sha256: str | None
    policy: str
    severity: str
    """How grave it may get: `low`, `medium`, `high` or `critical`; a content warning."""
    footage_s: float
    """Seconds of flagged footage, where segments overlap counted once; a content warning."""
    segments: tuple[tuple[float, float], ...]
    """What is to be looked at, start and end in seconds of the source."""
    market: str | None

    def to_line(self) -> bytes:
        """One JSON line with its newline."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)

    def to_pick(self, *, seed: int, population: int, sampled: int) -> bytes:
        """The case as a pick (`vscan.pick/1`), which `vscan review serve` takes. `weight` is null:
        it was chosen for what it teaches, so no rate of the whole may be estimated from it."""
        pick = {
            "schema": PICK_SCHEMA, "strategy": "training", "seed": seed,
            "verdict": self.verdict, "uri": self.uri, "sha256": self.sha256,
            "policy": self.policy, "score": None, "flagged": True, "stratum": "training",
            "population": population, "sampled": sampled, "weight": None, "market": self.market,
            "views": None, "reason": "training",
        }  # fmt: skip
        return orjson.dumps(pick, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, kw_only=True)
class TrainingAnswer:
    """The answer to a case, with what a trainer needs to talk about it."""

    schema: Literal["vscan.training_answer/1"] = "vscan.training_answer/1"
    number: int
    """Of the case."""
    verdict: str
    policy: str
    ruling: Ruling
    """`uphold` or `overturn`."""
    reason: str | None
    """Why it was overturned."""
    why: str
    """The note of the decision that stands."""
    firmness: Firmness
    looks: tuple[Ruling, ...]
    """How the first and second looks ruled, in the order of the log."""
    reviewers: tuple[str, ...]
    """Everybody who had ruled on it: it says nothing of them."""

    def to_line(self) -> bytes:
        """One JSON line with its newline."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """What whoever works through a pack has to look at, of one severity or of all."""

    severity: str | None
    """Null for all."""
    cases: int
    footage_s: float
    longest_s: float
    """The longest single case."""


@dataclass(frozen=True, kw_only=True)
class TrainingManifest:
    """What a pack was made of and how, and what it asks of a trainee. The trainer's."""

    schema: Literal["vscan.training_pack/1"] = "vscan.training_pack/1"
    vscan: str
    seed: int
    cases: int
    settings: Mapping[str, Any]
    """What was asked for: cases, share_benign, policies, market, most_severe, most_footage_s."""
    files: Mapping[str, str]
    """SHA-256 of each file of the pack beside this one."""
    log_head: str
    """Head of the decision log that the answers are from."""
    log_problem: str | None
    """What does not hold in that log's chain."""
    packs: tuple[str, ...]
    """Policy packs that the verdicts were made under, with their digests."""
    policies: Mapping[str, int]
    """Cases by policy."""
    answers: Mapping[str, int]
    """Cases by answer, `violating` and `benign`."""
    firmness: Mapping[str, int]
    """Cases by what settled them."""
    disputed: int
    """Cases on which the first looks had differed."""
    exposure: tuple[Exposure, ...]
    """All cases first, then by severity, the mildest first."""
    most_graver_in_a_row: int
    """Cases of severity high or critical that follow each other, at most."""
    unfilled: Mapping[str, int]
    """By answer, cases that were asked for and could not be had; empty where the pack is full."""
    passed_over: Mapping[str, int]
    """By why, cases that could be used and are not in the pack."""
    left_out: Mapping[str, int]
    """By why, cases of the log that could not be used."""

    def to_bytes(self) -> bytes:
        """The file, indented."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(asdict(self), option=options)
