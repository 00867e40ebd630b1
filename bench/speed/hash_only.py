"""A scan with PDQ alone against vPDQ's own program, and against ffmpeg that decodes to nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import IO, Any

import numpy as np

import bench.copies.vpdq_hashes
from bench.copies.vpdq_column import vpdq_interpreter
from bench.speed.clip_set import ClipSet
from bench.speed.model import pack_in
from bench.speed.processes import measured
from bench.speed.tables import markdown, median_of, ratio, times
from bench.speed.usage import Meter
from bench.speed.warm_start import tiny_clips
from vscan.errors import UsageError
from vscan.exemplars.exemplar import Exemplar, exemplar_id
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.tracks import Track

VPDQ, FFMPEG = "vPDQ 0.2.5, one hash a second", "ffmpeg, decoding to nothing"
SCANS = {"vscan fps:1": "fps:1", "vscan keyframes": "keyframes"}
_EXEMPLARS, _HASHES = 20, 50
_SEED = 7


def compare(clips: ClipSet, *, vpdq_python: Path | None, repeats: int) -> Iterator[str]:
    """Lines: one table. A peer that is not there is named with the reason, and left out."""
    paths = [str(path.resolve()) for path in clips.paths]
    peers: dict[str, Callable[[], dict[str, Any]]] = {}
    try:
        python = vpdq_interpreter(vpdq_python)
        peers[VPDQ] = lambda: _vpdq(python, paths)
    except UsageError as error:
        yield f"{VPDQ}: not run: {error}"
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        yield f"{FFMPEG}: not run: it is not on PATH"
    else:
        peers[FFMPEG] = lambda: _ffmpeg(ffmpeg, paths)
    ran: dict[str, list[dict[str, Any]]] = {name: [] for name in (*peers, *SCANS)}
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "policy": str(pack_in(Path(folder))),
            "indexes": [str(_index(Path(folder) / "index"))],
            "signals": ["pdq"],
        }
        for _ in range(repeats):
            for name, peer in peers.items():
                ran[name].append(peer())
            for name, sampling in SCANS.items():
                request = {"paths": paths, "settings": settings | {"sampling": sampling}}
                ran[name].append(measured("vscan_run", request))
    yield from markdown(*table(ran))


def table(ran: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[list[str], list[list[str]]]:
    """Walls, and what the peers' walls are divided by each; a peer that did not run has a dash."""
    walls = {name: median(run["wall_s"] for run in runs) for name, runs in ran.items()}
    head = ["", "wall s", "CPU s", "frames", "vPDQ / this", "ffmpeg / this"]
    rows = [
        [
            name,
            median_of([run["wall_s"] for run in runs]),
            median_of([run["cpu_s"] for run in runs]),
            str(runs[0].get("frames", "all")),
            times(ratio(walls.get(VPDQ, 0.0), walls[name])),
            times(ratio(walls.get(FFMPEG, 0.0), walls[name])),
        ]
        for name, runs in ran.items()
    ]
    return head, rows


def _index(path: Path) -> Path:
    """A small index of random hashes, which match nothing: a scan needs something to look for."""
    rng = np.random.default_rng(_SEED)
    create_index(path, name="known", model=None, signals=("pdq",))
    times_s, quality = np.arange(_HASHES, dtype=np.float64), np.full(_HASHES, 90, np.uint8)
    made = []
    for number in range(_EXEMPLARS):
        sha256 = f"{number:064x}"
        exemplar = Exemplar(
            id=exemplar_id(sha256), source=f"{number}.mp4", sha256=sha256, policy="bench.known",
            opinion="violating", added_at="2026-01-01T00:00:00Z", duration_s=float(_HASHES),
        )  # fmt: skip
        hashes = rng.integers(0, 256, (_HASHES, 32), np.uint8)
        made.append((exemplar, {"pdq": Track("pdq", times_s, hashes, quality)}))
    with IndexWriter(path) as writer:
        writer.change(add=made)
    return path


def _vpdq(python: str, paths: Sequence[str]) -> dict[str, Any]:
    """Its hasher over every clip; the clock starts when it has hashed a tiny clip."""
    script = bench.copies.vpdq_hashes.__file__
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [python, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as hasher,
    ):
        assert hasher.stdin is not None
        assert hasher.stdout is not None
        answers = _answers(hasher.stdout)
        for tiny in tiny_clips(Path(folder), 1):
            print(tiny.resolve(), file=hasher.stdin, flush=True)
            next(answers, None)
        meter = Meter()
        for path in paths:
            print(path, file=hasher.stdin)
        hasher.stdin.close()
        said = list(answers)
        hasher.wait()
        spent = meter.spent()
    if len(said) != len(paths) or any("error" in each for each in said):
        raise UsageError(f"vPDQ hashed {len(said)} of {len(paths)} clips", remedy="run it by hand")
    frames = sum(len(each["hashes"]) for each in said)
    return {"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "frames": frames}


def _answers(output: IO[str]) -> Iterator[dict[str, Any]]:
    """The JSON lines as they come; vPDQ's library writes other lines in between."""
    for line in output:
        if line.startswith('{"path"'):
            yield json.loads(line)


def _ffmpeg(program: str, paths: Sequence[str]) -> dict[str, Any]:
    meter = Meter()
    for path in paths:
        command = [program, "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0"]
        subprocess.run([*command, "-f", "null", "-"], check=True)
    spent = meter.spent()
    return {"wall_s": spent.wall_s, "cpu_s": spent.cpu_s}
