"""What people have said of videos: labels from CSV or JSON lines, and rulings on verdicts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from vscan.errors import UsageError
from vscan.names import record_uri
from vscan.verdicts import SourceRecord

VIOLATING = {"violating": True, "true": True, "1": True, "uphold": True}
BENIGN = {"benign": False, "false": False, "0": False, "overturn": False}
WORDS: Mapping[str, bool] = VIOLATING | BENIGN
UNDECIDED = "escalate"
"""A ruling that leaves the question to somebody else: no label."""
KINDS = ("verdict", "uri", "sha256")
"""By what a label names its video, the most exact first."""
_REMEDY = (
    "columns or fields: uri or sha256 (or verdict), policy, and label (violating or benign) or"
    " ruling (uphold or overturn)"
)
Key = tuple[str, str]
"""One of KINDS, and the name."""


@dataclass(frozen=True)
class Labels:
    """Labels by video and policy; what was said last of the same counts."""

    by_key: Mapping[Key, Mapping[str, bool]]
    """By video and policy: whether it violates."""
    read: int
    """Lines of the file that hold a label or a ruling."""
    undecided: int
    """Rulings that were escalated."""
    replaced: int
    """Labels that a later line of the file replaces."""
    rulings: bool
    """Whether some of them are rulings on verdicts."""

    def __len__(self) -> int:
        return sum(map(len, self.by_key.values()))

    @property
    def policies(self) -> set[str]:
        """Every policy that is labelled."""
        return {policy for found in self.by_key.values() for policy in found}


@dataclass
class LabelUse:
    """Which labels have met a video so far: each counts once."""

    labels: Labels
    used: set[tuple[Key, str]] = field(default_factory=set)

    def of(self, source: SourceRecord, verdict_ids: tuple[str, ...]) -> dict[str, bool]:
        """By policy, what was said of a video; the same content under a second name is no new
        label. Where labels of one video differ, the one that names it more exactly counts."""
        named = [("verdict", each) for each in verdict_ids]
        named += [("uri", source.uri), ("sha256", source.sha256 or "")]
        found: dict[str, bool] = {}
        for key in named:
            for policy, violates in self.labels.by_key.get(key, {}).items():
                if (key, policy) not in self.used:
                    self.used.add((key, policy))
                    found.setdefault(policy, violates)
        return found

    @property
    def unmatched(self) -> int:
        """Labels that have met no video."""
        return len(self.labels) - len(self.used)


def load_labels(path: Path) -> Labels:
    """The labels of a CSV file with a header, or of a file of JSON lines.

    Raises UsageError that names the line where the file holds something else.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read: {told}", remedy="check the path") from error
    is_json = text.lstrip()[:1] == "{"
    found: dict[Key, dict[str, bool]] = {}
    read = undecided = replaced = 0
    rulings = False
    for line, row in _json_rows(path, text) if is_json else _csv_rows(path, text):
        read += 1
        rulings = rulings or "ruling" in row
        if _text(row, "ruling").lower() == UNDECIDED:
            undecided += 1
            continue
        key, policy, violates = _label(path, line, row)
        policies = found.setdefault(key, {})
        replaced += policy in policies
        policies[policy] = violates
    if not read:
        raise UsageError(f"{path}: holds no labels", remedy=_REMEDY)
    return Labels(found, read, undecided, replaced, rulings)


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise UsageError(f"{path}:{number}: no JSON: {error}", remedy=_REMEDY) from error
            if not isinstance(row, dict):
                raise UsageError(f"{path}:{number}: not a JSON object", remedy=_REMEDY)
            yield number, row


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = {name.strip().lower() for name in reader.fieldnames or ()}
        if not columns & set(KINDS) or "policy" not in columns or not columns & {"label", "ruling"}:
            raise UsageError(f"{path}: the first line does not name the columns", remedy=_REMEDY)
        for row in reader:
            if any(row.values()):
                yield (
                    reader.line_num,
                    {name.strip().lower(): value for name, value in row.items() if name and value},
                )
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: no CSV: {error}", remedy=_REMEDY) from error


def _label(path: Path, line: int, row: Mapping[str, Any]) -> tuple[Key, str, bool]:
    named = next(((kind, name) for kind in KINDS if (name := _text(row, kind))), None)
    policy = _text(row, "policy")
    said = (_text(row, "label") or _text(row, "ruling")).lower()
    if named is None or not policy or said not in WORDS:
        missing = "names no video" if named is None else "names no policy"
        problem = f"{said!r} is no label" if named is not None and policy else missing
        raise UsageError(f"{path}:{line}: {problem}", remedy=_REMEDY)
    kind, name = named
    exact = {"uri": record_uri, "sha256": str.lower}.get(kind, str)
    return (kind, exact(name)), policy, WORDS[said]


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if isinstance(value, bool | int):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value.strip() if isinstance(value, str) else ""
