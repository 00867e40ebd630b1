"""Damaged and forged exemplar indexes: refused, or what they were; a forger gets no traceback."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from tests.exemplars.synthetic import all_tracks, make_index

from fuzz.mutators import Rng, mutated, mutated_json, mutated_json_bytes
from fuzz.target import Case, Files, WrongAnswerError, files_below, lay
from vscan.errors import ExemplarIndexError
from vscan.exemplars.carried import CarriedRecord, read_carried
from vscan.exemplars.checking import verify
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import MANIFEST_NAME, SIGNALS, decode_manifest
from vscan.exemplars.merging import merge
from vscan.exemplars.statistics import stats
from vscan.exemplars.writer import IndexWriter
from vscan.matching.align import find_matches
from vscan.matching.search import SourceTracks

COLUMNS = ("exemplar", "times_s", "quality", "region", "values")


class Indexes(Files):
    """A small index of every signal with a partner's record, mutated."""

    name = "indexes"
    about = "a damaged index is refused and verify names the file; a forged one gives no traceback"

    def __init__(self) -> None:
        self._intact: dict[str, bytes] = {}
        self._expected: dict[str, Any] = {}
        self._source: SourceTracks | None = None

    def prepare(self, folder: Path) -> None:
        """Makes the index."""
        make_index(folder / "known", "ab", seconds=3.0, signals=SIGNALS)
        with IndexWriter(folder / "known") as writer:
            record = HashRecord(signal_type="md5", value="0" * 32, extra={"a": [1, "ü"]})
            writer.change(carry=[CarriedRecord(record)])
        self._intact = files_below(folder / "known")
        del self._intact["lock"]
        self._expected = told_by(folder / "known")
        tracks = {each: track for each, track in all_tracks(1, 3.0).items() if each != "keypoints"}
        self._source = SourceTracks(tracks["pdq"].times_s, 3.0, tracks, {})

    def case(self, rng: Rng) -> Case:
        """A file with damage, or one that says something else with every checksum right."""
        names = list(self._intact)
        name = names[int(rng.integers(len(names)))]
        choice = rng.random()
        if choice < 0.4:
            return {name: mutated(rng, self._intact[name])}
        if choice < 0.7:
            return {MANIFEST_NAME: signed(mutated_json(rng, self._manifest()))}
        if name == MANIFEST_NAME:
            name = next(each for each in names if each != MANIFEST_NAME)
        is_lines = name.endswith(".jsonl")
        change: Callable[[Rng, bytes], bytes] = mutated_json_bytes if is_lines else mutated
        return self._exchanged(name, change(rng, self._intact[name].rstrip(b"\n")))

    def check(self, case: Case, folder: Path) -> str:
        """Opened, searched, verified, counted and merged into a whole one."""
        lay(self._intact | dict(case), folder / "known")
        lay(self._intact, folder / "ours")
        honest = all(self._intact.get(name) == data for name, data in case.items())
        forged = not honest and _is_signed(case, self._intact)
        findings = verify(folder / "known")
        if not honest and not forged and not findings:
            raise WrongAnswerError("verify finds nothing in a damaged index")
        try:
            found = told_by(folder / "known")
            self._search(folder / "known")
            stats(folder / "known")
            merge(folder / "ours", folder / "known")
        except ExemplarIndexError:
            return "refused"
        if not forged and found != self._expected:
            raise WrongAnswerError("a damaged index opens, and says something else")
        if verify(folder / "ours"):
            raise WrongAnswerError("an index that took it over does not hold any more")
        return "forged, taken" if forged else "read"

    def _search(self, path: Path) -> None:
        if self._source is None:
            raise RuntimeError("prepare comes first")
        find_matches(ExemplarIndex.open(path), self._source, sha256="0" * 64, md5="0" * 32)

    def _manifest(self) -> Any:
        record = orjson.loads(self._intact[MANIFEST_NAME])
        del record["checksum"]
        return record

    def _exchanged(self, name: str, data: bytes) -> Case:
        """Another part in the place of one, with a name, size and SHA-256 that fit it."""
        sha256 = hashlib.sha256(data).hexdigest()
        head, _, tail = name.rpartition("-")
        other = f"{head}-{sha256[:16]}{tail[16:]}"
        told = {"path": other, "sha256": sha256, "bytes": len(data)}
        return {other: data, MANIFEST_NAME: signed(_renamed(self._manifest(), name, told))}


def told_by(path: Path) -> dict[str, Any]:
    """All that an index says, in plain values. Raises ExemplarIndexError."""
    index = ExemplarIndex.open(path)
    rows = {
        each: [getattr(index.rows(each), column).tobytes() for column in COLUMNS]
        for each in index.signals
    }
    carried = [repr(each) for each in read_carried(path, index.manifest)]
    return {"digest": index.digest, "exemplars": index.exemplars, "rows": rows, "carried": carried}


def signed(record: Any) -> bytes:
    """A manifest with a checksum that fits, whatever it says."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    if not isinstance(record, dict):
        return orjson.dumps(record, option=option)
    check = hashlib.sha256(orjson.dumps(record, option=option)).hexdigest()
    return orjson.dumps({**record, "checksum": check}, option=option)


def _renamed(value: Any, name: str, told: Mapping[str, object]) -> Any:
    if isinstance(value, dict):
        if value.get("path") == name:
            return dict(told)
        return {key: _renamed(each, name, told) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, name, told) for each in value]
    return value


def _is_signed(case: Case, intact: Mapping[str, bytes]) -> bool:
    """Whether somebody made the manifest say something else, and the checksum with it."""
    data = case.get(MANIFEST_NAME, intact[MANIFEST_NAME])
    if data == intact[MANIFEST_NAME]:
        return False
    try:
        decode_manifest(data, where="case")
    except ExemplarIndexError:
        return False
    return True
