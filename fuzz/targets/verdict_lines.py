"""Damaged verdict files: resumed, merged, compared and read; no whole line is lost or altered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson

from fuzz.mutators import Rng, mutated, mutated_json_bytes
from fuzz.target import Case, Files, WrongAnswerError, lay
from vscan.errors import VscanError
from vscan.store.comparing import Totals, compare
from vscan.store.merging import merge
from vscan.store.records import RecordFile
from vscan.store.verdict_files import VerdictFiles
from vscan.verdicts import (
    ErrorRecord,
    ExemplarEvidence,
    Finding,
    Provenance,
    Samples,
    Segment,
    SourceRecord,
    Verdict,
    parse_verdict,
)

NAME, OTHER = "verdicts.jsonl", "intact.jsonl"
PROVENANCE = Provenance(
    vscan="0.1.0", pack="p@1#sha256:0", sampling="fps:1", signals=("pdq",), indexes={"known": "x"}
)


class VerdictLines(Files):
    """A verdict file of a few lines, mutated as bytes and line by line."""

    name = "verdict-lines"
    about = "a damaged verdict file is refused whole, or resumed with every whole line as it was"

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def prepare(self, folder: Path) -> None:
        """Verdicts of every kind."""
        self._lines = [each.to_line() for each in _verdicts()]

    def case(self, rng: Rng) -> Case:
        """The file, with one line that says something else, or with damage anywhere."""
        lines = list(self._lines)
        if rng.random() < 0.6:
            at = int(rng.integers(len(lines)))
            lines[at] = mutated_json_bytes(rng, lines[at].strip()) + b"\n"
        data = b"".join(lines)
        return {NAME: mutated(rng, data) if rng.random() < 0.6 else data}

    def check(self, case: Case, folder: Path) -> str:
        """Read by everything that reads such files, then resumed."""
        lay({**case, OTHER: b"".join(self._lines)}, folder)
        path, before = folder / NAME, case[NAME]
        for line in before.splitlines():
            try:
                parse_verdict(line)
            except ValueError:  # pydantic's ValidationError is one
                continue
        read_by_others(path, folder)
        try:
            with RecordFile(path) as file:
                file.is_done("v_0")
        except VscanError:
            if path.read_bytes() != before:
                raise WrongAnswerError("a file that was refused was changed") from None
            return "refused"
        after = path.read_bytes() if path.exists() else b""
        _nothing_lost(before, after)
        with RecordFile(path) as file:
            again = list(file.lines())
        if b"".join(again) != after:
            raise WrongAnswerError("opened twice, it is another file")
        return "resumed"


def read_by_others(path: Path, folder: Path) -> None:
    """Merging, comparing and showing end in VscanError or not at all."""
    for work in (
        lambda: VerdictFiles([path]).latest(0),
        lambda: merge([path, path], folder / "merged.jsonl", force=True),
        lambda: list(compare(path, folder / OTHER, totals=Totals(), tolerance_s=0.5)),
    ):
        try:
            work()
        except VscanError:
            continue


def _nothing_lost(before: bytes, after: bytes) -> None:
    whole = before.split(b"\n")
    for line in after.splitlines():
        if line not in whole:
            raise WrongAnswerError(f"a line that was not there: {line[:200]!r}")
    kept = {_uri(line) for line in after.splitlines() if line.strip()}
    for line in whole[:-1]:
        if line.strip() and _uri(line) not in kept:
            raise WrongAnswerError(f"a source lost its line: {line[:200]!r}")


def _uri(line: bytes) -> object:
    return orjson.loads(line)["source"]["uri"]


def _verdicts() -> list[Verdict]:
    evidence = ExemplarEvidence(
        index="known", exemplar="ex_1", exemplar_policy="a.b", signal="pdq", score=0.94, distance=8,
        source_span_s=(3.0, 7.5), exemplar_span_s=(0.0, 4.5), source_coverage=0.24,
        exemplar_coverage=0.98,
    )  # fmt: skip
    finding = Finding(
        policy="a.b", severity="high", action="remove", score=0.94, threshold=0.85,
        segments=(Segment(start_s=3.0, end_s=7.5, peak_s=4.5, score=0.94),), evidence=(evidence,),
    )  # fmt: skip
    source = SourceRecord(
        uri="clips/0.mp4", sha256="0" * 64, md5="0" * 32, bytes=9, meta={"a": [1]}
    )
    samples = Samples(plan="fps:1", planned=19, read=18, coverage=0.9474, reader="PyAV 18")
    clear = Verdict(
        id="v_0", source=source, outcome="clear", action="allow", samples=samples,
        provenance=PROVENANCE,
    )  # fmt: skip
    error = ErrorRecord(code="worker_died", message="ended by SIGSEGV")
    return [
        clear,
        replace(
            clear, id="v_1", source=replace(source, uri="\\x1b ü.mp4"), outcome="violation",
            action="remove", findings=(finding,),
        ),
        replace(
            clear, id="v_2", source=replace(source, uri="c"), outcome="error", action="review",
            samples=None, error=error,
        ),
        replace(clear, id="v_3", source=replace(source, uri="c")),
    ]  # fmt: skip
