"""What people have said of videos: labels from CSV or JSON lines, and rulings on verdicts."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from vscan.errors import UsageError
from vscan.names import record_uri
from vscan.verdicts import SourceRecord

VIOLATING = {"violating": True, "true": True, "1": True, "uphold": True}
BENIGN = {"benign": False, "false": False, "0": False, "overturn": False}
WORDS: Mapping[str, bool] = VIOLATING | BENIGN
UNDECIDED = "escalate"
"""A ruling that leaves the question to somebody else: no label."""
OTHER_REASONS = ("missed_segment", "technical")
"""Reasons of an overturn that do not say that the policy was kept."""
KINDS = ("verdict", "sha256", "uri")
"""By what a label names its video, the most exact first."""
SOURCE = "source"
"""Another name of the field `uri`."""
_REMEDY = (
    "columns or fields: uri (or source) or sha256 (or verdict), policy, and label (violating or"
    " benign) or ruling (uphold or overturn); weight, a number above 0, may be left out"
)


@dataclass(frozen=True, kw_only=True)
class Label:
    """What was said of one video under one policy."""

    names: Mapping[str, str]
    """By KINDS, the most exact first: every name that the line has for the video, at least one."""
    policy: str
    violates: bool
    weight: float = 1.0
    """How many videos of the whole it stands for: 1 over the chance that it was drawn with."""
    purposive: bool = False
    """Whether the video was picked for what it shows (a line of `vscan pick` without a weight): no
    rate may rest on it."""


class _Draw(NamedTuple):
    """A stratum, as a pick that was drawn from it says."""

    policy: str
    stratum: str
    seed: str
    population: int
    sampled: int


@dataclass(frozen=True)
class Labels:
    """Labels in the order of their file; what was said last under the same name counts."""

    said: tuple[Label, ...]
    read: int
    """Lines of the file that hold a label or a ruling."""
    undecided: int
    """Rulings that were escalated, overturn for OTHER_REASONS, are on no one policy, or uphold
    without any segment: where a policy did not fire that means that it was right not to."""
    replaced: int
    """Labels that a later line of the file replaces: policy and most exact name are the same."""
    rulings: bool
    """Whether some of them are rulings on verdicts."""

    def __len__(self) -> int:
        return len(self.said)

    @property
    def policies(self) -> set[str]:
        """Every policy that is labelled."""
        return {each.policy for each in self.said}


@dataclass
class LabelUse:
    """Which labels have met a video so far: each counts once."""

    labels: Labels
    used: set[int] = field(default_factory=set)
    """Places in `labels.said`."""
    overruled: int = 0
    """Labels that met a video of which another one says it more exactly, or later."""

    def __post_init__(self) -> None:
        self._at: dict[tuple[str, str], list[int]] = {}
        for place, label in enumerate(self.labels.said):
            for name in label.names.items():
                self._at.setdefault(name, []).append(place)

    def of(self, source: SourceRecord, verdict_ids: tuple[str, ...]) -> dict[str, Label]:
        """By policy, the label of a video; the same content under a second name is no new
        label.

        A label meets a video by any of its names: one that was made on another configuration's
        verdict, by content or URI. One that names other content than lies at its URI does not.
        Where labels of one video differ, the one that meets it by the more exact name counts, and
        of equally exact ones the last of the file.
        """
        names = {"verdict": verdict_ids, "sha256": (source.sha256 or "",), "uri": (source.uri,)}
        found: dict[str, Label] = {}
        for kind in KINDS:
            places = {place for name in names[kind] for place in self._at.get((kind, name), ())}
            met = sorted(place for place in places - self.used if self._is_of(place, source))
            self.used.update(met)
            told = {self.labels.said[at].policy: self.labels.said[at] for at in met}
            new = told.keys() - found.keys()
            self.overruled += len(met) - len(new)
            found = told | found
        return found

    def _is_of(self, place: int, source: SourceRecord) -> bool:
        content = self.labels.said[place].names.get("sha256")
        return content is None or source.sha256 is None or content == source.sha256

    @property
    def unmatched(self) -> int:
        """Labels that have met no video."""
        return len(self.labels) - len(self.used)


def load_labels(path: Path) -> Labels:
    """The labels of a CSV file with a header, or of a file of JSON lines.

    Picks of a stratum that are labelled in part stand for all of it: population / labelled.
    Raises UsageError that names the line where the file holds something else.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read: {told}", remedy="check the path") from error
    is_json = text.lstrip()[:1] == "{"
    said: dict[tuple[str, str, str], Label] = {}
    drawn: dict[tuple[str, str, str], _Draw] = {}
    read = undecided = replaced = 0
    rulings = False
    for line, row in _json_rows(path, text) if is_json else _csv_rows(path, text):
        read += 1
        rulings = rulings or "ruling" in row
        if _is_undecided(row):
            undecided += 1
            continue
        label = _label(path, line, row)
        key = (*next(iter(label.names.items())), label.policy)
        older = said.pop(key, None)
        replaced += older is not None
        if older is not None and label.purposive and not older.purposive:
            # What was drawn by chance stays so, whatever else it was picked for.
            label = replace(label, weight=older.weight, purposive=False)
        else:
            drawn.pop(key, None)
            if (draw := _draw(row, label)) is not None:
                drawn[key] = draw
        said[key] = label
    if not read:
        raise UsageError(f"{path}: holds no labels", remedy=_REMEDY)
    whole = tuple(_reweighted(said, drawn))
    return Labels(whole, read, undecided, replaced, rulings)


def _draw(row: Mapping[str, Any], label: Label) -> _Draw | None:
    """What a line of a stratified `vscan pick` was drawn with; None for other lines, and where the
    weight is not the one that it was drawn with."""
    population, sampled = (row.get(name) for name in ("population", "sampled"))
    if type(population) is not int or type(sampled) is not int or sampled < 1 or label.purposive:
        return None
    if not math.isclose(label.weight, population / sampled, rel_tol=1e-3):
        return None
    return _Draw(label.policy, _text(row, "stratum"), _text(row, "seed"), population, sampled)


def _reweighted(
    said: Mapping[tuple[str, str, str], Label], drawn: Mapping[tuple[str, str, str], _Draw]
) -> Iterator[Label]:
    """The labels, where only a part of a stratum's picks are labelled each with a larger weight:
    otherwise such a stratum would seem small."""
    of = Counter(drawn.values())
    for key, label in said.items():
        draw = drawn.get(key)
        if draw is None or of[draw] >= draw.sampled:
            yield label
        else:
            yield replace(label, weight=draw.population / of[draw])


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
        if (
            not columns & {*KINDS, SOURCE}
            or "policy" not in columns
            or not columns & {"label", "ruling"}
        ):
            raise UsageError(f"{path}: the first line does not name the columns", remedy=_REMEDY)
        for row in reader:
            if any(row.values()):
                yield (
                    reader.line_num,
                    {name.strip().lower(): value for name, value in row.items() if name and value},
                )
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: no CSV: {error}", remedy=_REMEDY) from error


def _label(path: Path, line: int, row: Mapping[str, Any]) -> Label:
    names = {kind: name for kind in KINDS if (name := _text(row, kind))}
    if "uri" not in names and (name := _text(row, SOURCE)):
        names["uri"] = name
    if "sha256" in names:
        names["sha256"] = names["sha256"].lower()
    if "uri" in names:
        names["uri"] = record_uri(names["uri"])
    policy = _text(row, "policy")
    said = (_text(row, "label") or _text(row, "ruling")).lower()
    if not names or not policy or said not in WORDS:
        missing = "names no policy" if names else "names no video"
        problem = f"{said!r} is no label" if names and policy else missing
        raise UsageError(f"{path}:{line}: {problem}", remedy=_REMEDY)
    return Label(
        names=names,
        policy=policy,
        violates=WORDS[said],
        weight=_weight(path, line, row),
        purposive="strategy" in row and row.get("weight") in (None, ""),
    )


def _weight(path: Path, line: int, row: Mapping[str, Any]) -> float:
    given = row.get("weight")
    if given in (None, ""):
        return 1.0
    try:
        weight = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        weight = math.nan
    if not 0.0 < weight < math.inf:
        raise UsageError(f"{path}:{line}: weight {given!r} is no number above 0", remedy=_REMEDY)
    return weight


def _is_undecided(row: Mapping[str, Any]) -> bool:
    """Whether a line is a ruling that says nothing of whether the video violates a policy."""
    ruling = _text(row, "ruling").lower()
    whole = bool(ruling) and "policy" in row and not _text(row, "policy")
    # Upheld is then that the policy is silent, or the segments were left out: who can tell?
    silent = ruling == "uphold" and row.get("segments") == []
    other = bool(ruling) and _text(row, "reason") in OTHER_REASONS
    return ruling == UNDECIDED or whole or silent or other


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if isinstance(value, bool | int):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value.strip() if isinstance(value, str) else ""
