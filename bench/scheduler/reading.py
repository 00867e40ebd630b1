"""What stands in for reading videos: the one piece of a simulated run that is not vscan's own.

`scan_source` is the real one, with what it asks of a file replaced: its digests, its measuring, its
judging. What fails here raises, and vscan's own code makes the record of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench.scheduler.journal import Journal
from bench.scheduler.truth import TROUBLE_CODES, Truth, World, number_of
from vscan import pipeline
from vscan.digests import Digests
from vscan.errors import SourceError
from vscan.measuring import Measured
from vscan.media import ReadReport, VideoInfo
from vscan.rules import Rules
from vscan.sources import Source
from vscan.verdicts import (
    ActionName,
    Finding,
    Outcome,
    PromptEvidence,
    Provenance,
    Samples,
    SourceRecord,
    Verdict,
    verdict_id,
)

PROVENANCE = Provenance(
    vscan="simulated", pack=f"simulated@1#sha256:{'0' * 64}", sampling="fps:1", signals=("pdq",)
)
SAMPLES = 60
_INFO = VideoInfo("mov,mp4,m4a,3gp,3g2,mj2", "h264", 1280, 720, float(SAMPLES))
_REPORT = ReadReport(SAMPLES, SAMPLES, float(SAMPLES), "simulated")
_TIMES = np.arange(SAMPLES, dtype=np.float64)
_ACTIONS: Mapping[str, ActionName] = {"clear": "allow", "review": "review", "violation": "remove"}


class FakeReading:
    """Answers for the files that are not there, by the truth.

    tries: of each source, in earlier runs; a trouble passes when there were enough of them.
    """

    def __init__(self, world: World, journal: Journal, tries: Mapping[int, int]) -> None:
        self.world = world
        self.journal = journal
        self._tries = tries

    def digests(self, path: Path) -> Digests:
        """In place of `file_digests`."""
        truth = self.world.truth(number_of(str(path)))
        self.journal.note("hashed", truth.number)
        if truth.sha256 is None:
            raise SourceError("not_found", "no such file")
        if truth.trouble == "fetch" and self.troubled(truth):
            raise SourceError("read_failed", "the connection was reset")
        return Digests(truth.sha256, "0" * 32, truth.bytes)

    def measure(self, source: Source, digests: Digests, **_: Any) -> Measured:
        """In place of `measure`."""
        truth = self.world.of(source.uri)
        self.journal.note("begun", truth.number)
        time.sleep(truth.read_s)
        if self.troubled(truth):
            if truth.trouble == "raises":
                raise RuntimeError("nobody foresaw this")
            if truth.trouble in ("reader_death", "deadline"):
                raise SourceError(TROUBLE_CODES[truth.trouble], "the reader process has ended")
        if truth.code is not None:
            raise SourceError(truth.code, "nothing can be read of it")
        self.journal.note("read", truth.number)
        return Measured(
            digests=digests, info=_INFO, report=_REPORT, plan="fps:1", times_s=_TIMES, tracks={}
        )

    def judge(
        self, uri: str, _meta: object, measured: Measured, *, rules: Rules, **_: Any
    ) -> Verdict:
        """In place of `judge_source`."""
        truth = self.world.of(uri)
        return verdict_of(uri, truth.outcome, measured.digests, rules.provenance)

    def troubled(self, truth: Truth) -> bool:
        """Whether its trouble lasts yet."""
        return truth.trouble is not None and self._tries.get(truth.number, 0) < truth.lasts


def verdict_of(uri: str, outcome: str, digests: Digests, provenance: Provenance) -> Verdict:
    """A verdict as a scan gives it, of the size that such lines have."""
    return Verdict(
        id=verdict_id(uri, digests.sha256, provenance),
        source=SourceRecord(
            uri=uri,
            sha256=digests.sha256,
            md5=digests.md5,
            bytes=digests.bytes,
            duration_s=_REPORT.end_s,
            width=_INFO.width,
            height=_INFO.height,
            codec=_INFO.codec,
        ),
        outcome=_known(outcome),
        action=_ACTIONS[outcome],
        findings=() if outcome == "clear" else (_finding(_ACTIONS[outcome]),),
        samples=Samples(
            plan="fps:1", planned=SAMPLES, read=SAMPLES, coverage=1.0, reader="simulated"
        ),
        provenance=provenance,
    )


def _known(outcome: str) -> Outcome:
    assert outcome in ("clear", "review", "violation")
    return outcome  # type: ignore[return-value]  # mypy does not narrow str by `in`


def _finding(action: ActionName) -> Finding:
    evidence = PromptEvidence(prompt="simulated", time_s=3.0, similarity=0.3, score=0.9)
    return Finding(
        policy="simulated", severity="high", action=action, score=0.9, threshold=0.8,
        segments=(), evidence=(evidence,),
    )  # fmt: skip


@contextmanager
def instead_of_videos(fake: FakeReading) -> Iterator[None]:
    """Within the block this process's `scan_source` asks `fake`."""
    with mock.patch.multiple(
        pipeline, file_digests=fake.digests, measure=fake.measure, judge_source=fake.judge
    ):
        yield
