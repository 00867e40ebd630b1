"""Ten thousand objects: memory and scratch space stay bounded, and each has its line."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tests.conftest import Library
from tests.remote.emulators import Bucket
from tests.remote.emulators import s3 as s3
from tests.remote.emulators import s3_server as s3_server

pytestmark = pytest.mark.soak
OBJECTS = 10_000
SCRATCH_BYTES = 4 << 20


class Watched(threading.Thread):
    """Peak memory of a process, and peak size of a folder, while it runs."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        super().__init__(daemon=True)
        self._process, self._folder = process, folder
        self.peak_memory_bytes = 0
        self.peak_folder_bytes = 0

    def run(self) -> None:
        """Looks again and again until the process has ended."""
        while self._process.poll() is None:
            for line in _lines(Path(f"/proc/{self._process.pid}/status")):
                if line.startswith("VmHWM:"):
                    self.peak_memory_bytes = int(line.split()[1]) << 10
            sizes = sum(_size(path) for path in self._folder.rglob("*"))
            self.peak_folder_bytes = max(self.peak_folder_bytes, sizes)
            time.sleep(0.05)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").splitlines()
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def scanned(prefix: str, library: Library, folder: Path) -> tuple[set[str], Watched]:
    """URIs that a scan of the prefix has lines for, and what it took."""
    folder.mkdir()
    command = [
        sys.executable, "-c", "from vscan.cli.app import main; main()", "scan", prefix,
        "--policy", str(library.folder / "known.toml"), "--index", str(library.folder / "index"),
        "--scratch", str(folder / "scratch"), "--scratch-bytes", str(SCRATCH_BYTES),
        "-o", str(folder / "out.jsonl"),
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        watched = Watched(process, folder / "scratch")
        watched.start()
        _, told = process.communicate()
        watched.join()
    assert 0 == process.returncode, told.decode()
    records = [orjson.loads(line) for line in (folder / "out.jsonl").open("rb")]
    assert all(record["samples"]["coverage"] == 1.0 for record in records)
    assert len(records) == len({record["source"]["uri"] for record in records})
    assert [] == list((folder / "scratch").iterdir())
    return {record["source"]["uri"] for record in records}, watched


def test_ten_thousand_objects(s3: Bucket, library: Library, tmp_path: Path) -> None:
    """Ten times as many objects take hardly more memory, and no more scratch space."""
    video = library.good.read_bytes()

    def put(number: int) -> None:
        box = b"\0\0\0\x0cfree" + number.to_bytes(4, "big")
        s3.put(f"{'few' if number < OBJECTS // 10 else 'rest'}/{number:05}.mp4", video + box)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(OBJECTS)))
    few, first = scanned(f"{s3.uri}/few/", library, tmp_path / "few")
    every, second = scanned(f"{s3.uri}/", library, tmp_path / "every")
    assert (OBJECTS // 10, OBJECTS) == (len(few), len(every))
    assert 0 < second.peak_folder_bytes <= SCRATCH_BYTES
    grown = second.peak_memory_bytes - first.peak_memory_bytes
    assert grown < 48 << 20
