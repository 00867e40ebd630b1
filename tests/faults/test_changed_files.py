"""Files that change while they are read, and batches that are not what was asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Library
from tests.faults.dying import end_when_asked
from tests.media_factory import barcode_clip
from vscan import pipeline, storage
from vscan.decode import wire
from vscan.decode.heard import heard_batch, heard_report, listening
from vscan.decode.process import ProcessFailed, ReaderProcess
from vscan.decode.sandbox import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.digests import Digests, file_digests
from vscan.errors import SourceError
from vscan.hashes.keypoints import SOURCE_FEATURE_BYTES
from vscan.media import FrameBatch, ImageSpec, Measure, ReadReport
from vscan.sampling import EveryRequest
from vscan.scanning import scan
from vscan.settings import ScanSettings

COUNT = 16
BIG = ImageSpec(1024, 1024, "squash")
"""Three megabytes a picture: the reader is still at it when the first batch is here."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """One process."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        yield readers


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip that a test may spoil."""
    return barcode_clip(tmp_path / "a.ts", count=COUNT).path


def read_meanwhile(pool: ReaderPool, clip: Path, happens: Callable[[Path], object]) -> int:
    """Frames that are read of the clip while something happens to it. Raises SourceError."""
    read = 0
    with pool.session(clip) as video:
        for batch in video.read(EveryRequest(1), Measure(BIG)):
            if not read:
                happens(clip)
            read += len(batch)
    return read


def grow(path: Path) -> None:
    """Appends to a file, as an upload does."""
    with path.open("ab") as file:
        file.write(b"\0" * 188)


def overwrite(path: Path) -> None:
    """Changes bytes in place, the size stays."""
    with path.open("r+b") as file:
        file.seek(-188, os.SEEK_END)
        file.write(b"\0" * 188)


def grow_as_of_before(path: Path) -> None:
    """Appends, and gives the file its old time back."""
    status = path.stat()
    grow(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("happens", [grow, overwrite, grow_as_of_before])
def test_a_file_that_is_written_to_while_it_is_read(
    pool: ReaderPool, clip: Path, happens: Callable[[Path], None]
) -> None:
    """Nobody knows what was looked at: an error, and never a verdict of half the one and half the
    other; the next reading of the file as it is now is sound."""
    with pytest.raises(SourceError) as caught:
        read_meanwhile(pool, clip, happens)
    assert "changed_while_read" == caught.value.code
    assert read_meanwhile(pool, clip, lambda _: None) >= COUNT - 2


def replace_by_another(path: Path) -> None:
    """Puts another file in its place, as a sync does."""
    barcode_clip(path.with_name("b.ts"), count=3).path.rename(path)


@pytest.mark.parametrize("happens", [Path.unlink, replace_by_another])
def test_a_name_that_means_another_file_meanwhile(
    pool: ReaderPool, clip: Path, happens: Callable[[Path], None]
) -> None:
    """A file that was opened is read to its end, whatever becomes of its name."""
    assert read_meanwhile(pool, clip, happens) == COUNT


def replace_by_a_twin(path: Path) -> None:
    """Puts a file of the same size and time in its place, of which one byte is another."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    twin = path.with_name("b.ts")
    twin.write_bytes(content)
    os.utime(twin, ns=(status.st_atime_ns, status.st_mtime_ns))
    twin.rename(path)


@pytest.mark.parametrize(
    "happens", [grow, overwrite, grow_as_of_before, replace_by_another, replace_by_a_twin]
)
def test_a_file_that_is_another_than_the_one_that_was_hashed(
    pool: ReaderPool, clip: Path, happens: Callable[[Path], None]
) -> None:
    """With the stamp of the file that is meant, what lies there now is opened only if it is it."""
    with storage.open_source(clip) as file:
        stamp = storage.stamp_of(file)
    with pool.session(clip, stamp) as video:
        assert sum(map(len, video.read(EveryRequest(1), Measure()))) == COUNT
    happens(clip)
    with pytest.raises(SourceError) as caught, pool.session(clip, stamp):
        pass
    assert caught.value.code == "changed_while_read"


def test_the_other_reader_gets_the_same_file(
    pool: ReaderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where decord fails after the name came to mean another file, PyAV reads the one that was
    opened."""
    path = barcode_clip(tmp_path / "a.mp4", count=COUNT).path
    with pool.session(path) as video:
        assert video.reader == "decord"
        replace_by_another(path)
        assert video.process_id is not None
        end_when_asked(video.process_id, signal.SIGKILL)
        assert sum(map(len, video.read(EveryRequest(1), Measure()))) == COUNT
        assert video.report.reader.startswith("PyAV")


# What a decoder that was taken over may send

ASKED = Measure(ImageSpec(16, 8), pdq=True, keypoints=2)
RIGHT = FrameBatch(
    times_s=np.array([1.0, 2.0]),
    images=np.zeros((2, 8, 16, 3), np.uint8),
    pdq=np.zeros((2, 8, 32), np.uint8),
    pdq_quality=np.zeros(2, np.uint8),
    pdq_sample=np.arange(2, dtype=np.int32),
    pdq_region=np.zeros(2, np.uint8),
    keypoints=np.zeros((2, 2, SOURCE_FEATURE_BYTES), np.uint8),
)


def sent(batch: FrameBatch) -> tuple[dict[str, object], list[bytearray]]:
    """A batch as it comes over the pipe."""
    header, arrays = wire.pack_batch(batch)
    return header, [bytearray(array.tobytes()) for array in arrays]


@pytest.fixture
def process() -> Iterator[ReaderProcess]:
    """One that may be ended."""
    started = ReaderProcess(ReadLimits())
    yield started
    started.kill()


@pytest.mark.parametrize(
    ("asked", "batch"),
    [
        (ASKED, replace(RIGHT, images=np.zeros((2, 16, 8, 3), np.uint8))),
        (ASKED, replace(RIGHT, images=np.zeros((2, 0, 0, 3), np.uint8))),
        (ASKED, replace(RIGHT, times_s=np.array([2.0, 1.0]))),
        (ASKED, replace(RIGHT, times_s=np.array([0.5, 1.0]))),
        (ASKED, replace(RIGHT, times_s=np.array([1.0, np.nan]))),
        (ASKED, replace(RIGHT, times_s=np.array([1.0, np.inf]))),
        (ASKED, replace(RIGHT, pdq_sample=np.array([0, 2], np.int32))),
        (ASKED, replace(RIGHT, pdq_sample=np.array([-1, 0], np.int32))),
        (ASKED, replace(RIGHT, keypoints=np.zeros((2, 3, SOURCE_FEATURE_BYTES), np.uint8))),
        (ASKED, replace(RIGHT, keypoints=np.zeros((2, 2, 7), np.uint8))),
        (replace(ASKED, pdq=False), RIGHT),
        (replace(ASKED, image=None), RIGHT),
        (replace(ASKED, keypoints=0), RIGHT),
    ],
)
def test_a_batch_that_was_not_asked_for(
    process: ReaderProcess, asked: Measure, batch: FrameBatch
) -> None:
    """Pictures of another size, times that do not ascend or go back, rows that belong to nothing,
    and what was not asked for at all: the process is ended, and it is that file's error."""
    with listening(process):
        assert len(heard_batch(*sent(RIGHT), ASKED, after_s=0.5)) == 2
    with pytest.raises(ProcessFailed, match="nonsense") as caught, listening(process):
        heard_batch(*sent(batch), asked, after_s=0.5)
    assert (caught.value.code, process.alive) == ("worker_died", False)


@pytest.mark.parametrize(
    "header",
    [{}, {"shapes": []}, {"shapes": 3}, {"shapes": [[2]] * 7}, {"shapes": [["2"]] * 7}],
)
def test_shapes_that_are_none(process: ReaderProcess, header: dict[str, object]) -> None:
    """A header that does not say what comes after it is nonsense too, and no traceback."""
    with pytest.raises(ProcessFailed, match="nonsense"), listening(process):
        heard_batch(header, sent(RIGHT)[1], ASKED, after_s=None)


@pytest.mark.parametrize(
    "told",
    [
        {}, {"planned": None}, {"planned": "many"}, {"read": 4}, {"read": -1}, {"end_s": -1.0},
        {"end_s": 1e999}, {"gaps_s": [[0.0]]}, {"gaps_s": [[0.0, -1.0]]}, {"gaps_s": 3},
        {"warnings": [1]}, {"warnings": None}, {"cost_s": 3}, {"cost_s": {"pdq": -1.0}},
        {"surprise": 1}, {"skipped_packets": -1}, {"reader": None},
    ],
)  # fmt: skip
def test_a_report_that_cannot_be(process: ReaderProcess, told: dict[str, object]) -> None:
    """Numbers that do not add up, and fields of another kind, are no report."""
    right = asdict(ReadReport(3, 3, 3.0, "PyAV 18", gaps_s=((0.5, 1.0),)))
    with listening(process):
        assert heard_report({"report": right}).gaps_s == ((0.5, 1.0),)
    with pytest.raises(ProcessFailed, match="nonsense"), listening(process):
        heard_report({"report": right | told if told else {}})


def test_a_scan_reads_the_file_that_it_hashed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file under the name between hashing and reading is that source's error: no verdict
    and no stored track says of one file what was seen of another."""
    path = tmp_path / "a.mp4"
    path.write_bytes(library.good.read_bytes())

    def hash_and_replace(hashed: Path) -> Digests:
        digests = file_digests(hashed)
        replace_by_another(hashed)
        return digests

    monkeypatch.setattr(pipeline, "file_digests", hash_and_replace)
    pack, index = str(library.folder / "known.toml"), str(library.folder / "index")
    settings = ScanSettings(
        policy=pack, indexes=(index,), signals=("pdq",), store=str(tmp_path / "store")
    )
    (verdict,) = scan([str(path)], settings=settings)
    assert verdict.error is not None
    assert "changed_while_read" == verdict.error.code
    assert not list((tmp_path / "store").rglob("*.safetensors"))
