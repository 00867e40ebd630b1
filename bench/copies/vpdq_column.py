"""The peer's column: Meta's vPDQ at one hash a second, matched by its published rule.

Hashes are `vpdq.computeHash(path, seconds_per_hash=1)`. Of both videos only hashes of quality 50
or more count. A hash is matched where the other video has one within 31 bits; the two percentages
are the matched share of the query's hashes and of the reference's. A pair is predicted where any
hash is matched, and its score is the higher percentage / 100. (vPDQ's own program prints the two
percentages and leaves the threshold to its user; its C++ code asks for fewer than the given
number of bits, ThreatExchange's Python matcher for at most that; the wider is taken.) It says
nothing of times.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.copies.columns import Meter, Searched
from bench.copies.set_files import CopySet, Segment
from vscan.errors import UsageError

DISTANCE = 31
QUALITY = 50
Bits = NDArray[np.uint8]
"""(N, 256) zeros and ones."""


def vpdq_interpreter(chosen: Path | None) -> str:
    """The interpreter to hash with. Raises UsageError where it has no vpdq."""
    if chosen is None:
        if importlib.util.find_spec("vpdq") is None:
            raise UsageError(
                "vpdq is not installed",
                remedy="install vpdq==0.2.5 (needs cmake and FFmpeg's development files) into an "
                "environment of its own and give its python with --vpdq-python",
            )
        return sys.executable
    ran = subprocess.run([chosen, "-c", "import vpdq"], check=False, capture_output=True)
    if ran.returncode:
        raise UsageError(
            f"{chosen}: cannot import vpdq", remedy="give an interpreter that has vpdq==0.2.5"
        )
    return str(chosen)


def search_with_vpdq(copies: CopySet, interpreter: str) -> Searched:
    """Every query against every reference."""
    errors: list[str] = []
    meter = Meter()
    known = _hashes(copies.folder, [r.file for r in copies.references], interpreter, errors)
    indexing, meter = meter.cost(), Meter()
    asked = _hashes(copies.folder, [q.file for q in copies.queries], interpreter, errors)
    segments = []
    for query in copies.queries:
        for reference in copies.references:
            score = pair_score(asked[query.file], known[reference.file])
            if score > 0.0:
                segments.append(
                    Segment(query.query_id, reference.ref_id, None, None, None, None, score)
                )
    return Searched(tuple(segments), indexing, meter.cost(), tuple(errors))


def pair_score(query: Bits, reference: Bits) -> float:
    """The higher of the two matched shares, 0..1; 0 where either has no hash."""
    if not len(query) or not len(reference):
        return 0.0
    near = np.count_nonzero(query[:, None] != reference[None], axis=2) <= DISTANCE
    return float(max(near.any(axis=1).mean(), near.any(axis=0).mean()))


def _hashes(
    folder: Path, files: Sequence[str], interpreter: str, errors: list[str]
) -> dict[str, Bits]:
    """Hashes of quality QUALITY or more, by file; none where a file cannot be read."""
    script = Path(__file__).with_name("vpdq_hashes.py")
    names = "".join(f"{folder.resolve() / file}\n" for file in files)
    ran = subprocess.run(
        [interpreter, script], input=names, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise UsageError(f"vpdq failed: {ran.stderr.strip()[-300:]}", remedy="run it by hand")
    found = dict.fromkeys(files, np.empty((0, 256), np.uint8))
    for file, said in zip(files, _lines(ran.stdout), strict=True):
        if "error" in said:
            errors.append(f"{file}: {said['error']}")
            continue
        good = [bytes.fromhex(text) for text, quality in said["hashes"] if quality >= QUALITY]
        if good:
            packed = np.frombuffer(b"".join(good), np.uint8).reshape(-1, 32)
            found[file] = np.unpackbits(packed, axis=1)
    return found


def _lines(output: str) -> Iterator[dict[str, list[tuple[str, int]]]]:
    """The JSON lines of the output; vpdq's library writes other lines in between."""
    for line in output.splitlines():
        if line.startswith('{"path"'):
            yield json.loads(line)
