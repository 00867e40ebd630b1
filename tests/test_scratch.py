"""Scratch space: bounded whatever is asked for at once, fair, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest

from vscan.errors import FetchCancelled, OutputError, SourceError
from vscan.remote.objects import RemoteObject
from vscan.scratch import Scratch
from vscan.sources import RemoteSource, Source

KIB = 1 << 10


@pytest.fixture
def bucket() -> Iterator[str]:
    """A bucket in the memory of this process."""
    yield "memory://scratch-test"
    fsspec.filesystem("memory").store.clear()


def put(uri: str, size: int) -> RemoteSource:
    """An object of so many bytes, as a listing would tell of it."""
    fsspec.filesystem("memory").pipe_file(uri.removeprefix("memory:/"), bytes(size))
    return RemoteSource(uri, RemoteObject(uri=uri, bytes=size, version=None))


def size_of(path: Path) -> int:
    """Bytes of a file, none where another thread has just let it go."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_no_more_than_it_may_take(bucket: str, tmp_path: Path) -> None:
    """Many ask at once, a large one among them: the bound holds, and all are served whole."""
    scratch = Scratch(folder=tmp_path, most_bytes=30 * KIB)
    sizes = [10 * KIB] * 12 + [30 * KIB] + [7 * KIB] * 12
    objects = [put(f"{bucket}/{number:02}.mp4", size) for number, size in enumerate(sizes)]
    on_disk: list[int] = []

    def use(found: RemoteSource) -> int:
        with scratch.at_hand(found) as here:
            on_disk.append(sum(map(size_of, here.path.parent.iterdir())))
            time.sleep(0.002)
            return here.path.stat().st_size

    with scratch, ThreadPoolExecutor(12) as threads:
        assert sizes == list(threads.map(use, objects))
        assert 20 * KIB < scratch.peak_bytes <= 30 * KIB
        assert 0 == scratch.used_bytes
    assert max(on_disk) <= 30 * KIB
    assert [] == list(tmp_path.iterdir())


def test_who_asks_first_has_room_first(bucket: str, tmp_path: Path) -> None:
    """A large object is not passed by small ones for ever."""
    scratch = Scratch(folder=tmp_path, most_bytes=10)
    small, large, later = (put(f"{bucket}/{n}", size) for n, size in enumerate((6, 10, 1)))
    order: list[str] = []
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with scratch.at_hand(small):
            held.set()
            let_go.wait(10)

    def note(name: str, found: RemoteSource) -> None:
        with scratch.at_hand(found):
            order.append(name)

    with scratch, ThreadPoolExecutor(3) as threads:
        threads.submit(hold)
        assert held.wait(10)
        threads.submit(note, "large", large)
        time.sleep(0.05)
        threads.submit(note, "later", later)
        time.sleep(0.05)
        assert [] == order
        let_go.set()
    assert ["large", "later"] == order


def test_what_never_fits(bucket: str, tmp_path: Path) -> None:
    """It is refused before a byte is fetched; what has no known size is held to the space."""
    told = put(f"{bucket}/told.mp4", 100)
    silent = RemoteSource("silent", RemoteObject(uri=told.found.uri, bytes=None, version=None))
    for found in (told, silent):
        with (
            Scratch(folder=tmp_path, most_bytes=99) as scratch,
            pytest.raises(SourceError) as refused,
            scratch.at_hand(found),
        ):
            pass
        assert "too_large" == refused.value.code


def test_local_files_take_no_room(tmp_path: Path) -> None:
    """They are read where they are; no folder is made for them."""
    source = Source("a.mp4", tmp_path / "a.mp4")
    with Scratch(folder=tmp_path / "scratch") as scratch, scratch.at_hand(source) as here:
        assert here is source
    assert not (tmp_path / "scratch").exists()


def test_a_run_that_ends_waits_for_no_room(bucket: str, tmp_path: Path) -> None:
    """Threads that wait for room are told so at once."""
    scratch = Scratch(folder=tmp_path, most_bytes=10)
    first, second = put(f"{bucket}/1", 10), put(f"{bucket}/2", 10)

    def ask() -> str:
        try:
            with scratch.at_hand(second):
                return "served"
        except FetchCancelled:
            return "cancelled"

    with scratch, ThreadPoolExecutor(1) as threads, scratch.at_hand(first):
        waiting = threads.submit(ask)
        time.sleep(0.05)
        scratch.cancel()
        assert "cancelled" == waiting.result(5)


def test_what_a_killed_run_left(bucket: str, tmp_path: Path) -> None:
    """The next run removes it; what another run still uses stays."""
    code = (
        "import sys, time; from pathlib import Path; from vscan.scratch import Scratch\n"
        "held = Scratch(folder=Path(sys.argv[1])); print(held.made(), flush=True); time.sleep(60)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        folders = [Path((run.stdout.readline() if run.stdout else "").strip()) for run in runs]
        (folders[0] / "00000001.mp4").write_bytes(b"left")
        os.kill(runs[0].pid, signal.SIGKILL)
        runs[0].wait()
        with Scratch(folder=tmp_path) as scratch, scratch.at_hand(put(f"{bucket}/a", 1)):
            assert not folders[0].exists()
            assert folders[1].exists()
    finally:
        for run in runs:
            run.kill()
            run.communicate()


def test_what_cannot_be_looked_at(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of that object, with the code of its cause, wherever it is met first."""
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    put(f"{bucket}/folder/a", 1)
    for uri, code in {
        f"{bucket}/absent": "not_found", f"{bucket}/folder": "not_a_file",
        "az://container/a": "fetch_failed", "http://127.0.0.1:9/a": "permission_denied",
    }.items():  # fmt: skip
        unseen = RemoteSource(uri, RemoteObject(uri=uri, bytes=None, version=None))
        with pytest.raises(SourceError) as caught:
            Scratch().look(unseen)
        assert (code, uri) == (caught.value.code, uri)


def test_what_grew_and_went(bucket: str, tmp_path: Path) -> None:
    """Of an object that is larger than it was, and then gone, the line says that it is gone."""
    grown = put(f"{bucket}/a", 5)
    scratch = Scratch(folder=tmp_path, most_bytes=10)

    def fetch(*_: object, **__: object) -> None:
        fsspec.filesystem("memory").store.clear()
        raise SourceError("too_large", "6 bytes; at most 5 are fetched")

    scratch.fetching.fetch = fetch  # type: ignore[method-assign, assignment]
    with scratch, pytest.raises(SourceError) as caught, scratch.at_hand(grown):
        pass
    assert ("not_found", 0) == (caught.value.code, scratch.used_bytes)


def test_a_folder_that_cannot_be_made(bucket: str, tmp_path: Path) -> None:
    """Where there is no room at all, that is the run's error and not the video's."""
    (tmp_path / "file").write_bytes(b"")
    scratch = Scratch(folder=tmp_path / "file" / "scratch")
    with (
        pytest.raises(OutputError, match="no scratch space"),
        scratch.at_hand(put(f"{bucket}/a", 1)),
    ):
        pass
