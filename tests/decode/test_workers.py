"""The pool of reader processes: what a bad file or a killed process costs, and what it does not."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media_factory import barcode_clip, damage, read_barcode, scene_frames, write_video
from vscan.decode.workers import ReaderPool, ReadLimits, VideoSession
from vscan.errors import SourceError
from vscan.hashes.pdq import pdq_dihedral
from vscan.media import FrameBatch, ImageSpec, Measure
from vscan.sampling import EveryRequest, GridRequest, KeyframesRequest

PICTURE = ImageSpec(160, 96, "squash")
BIG = ImageSpec(1024, 1024, "squash")
"""Three megabytes a picture: a batch does not fit into a pipe, so the child waits for us."""
HUGE = ImageSpec(2048, 2048, "squash")
"""Twelve megabytes a picture: eleven are more than what is held back while decord reads."""
COUNT = 16


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """One process, shared: each test also proves that those before left it usable."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        yield readers


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain clip of numbered frames, which decord may serve."""
    return barcode_clip(tmp_path_factory.mktemp("clip") / "a.mp4", count=COUNT).path


@pytest.fixture(scope="module")
def transport(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a container that PyAV serves."""
    return barcode_clip(tmp_path_factory.mktemp("clip") / "a.ts", count=COUNT).path


def numbers(batches: Iterator[FrameBatch]) -> list[int]:
    """The numbers on all pictures."""
    return [read_barcode(image) for batch in batches for image in batch.images]


def test_pictures_and_hashes(pool: ReaderPool, tmp_path: Path) -> None:
    """A batch holds times, pictures and PDQ of the full frame; what was not asked for is empty."""
    path = write_video(tmp_path / "a.mp4", scene_frames(seed=1, count=40, width=400, height=300))
    with pool.session(path) as video:
        (with_both,) = video.read(GridRequest(0.5), Measure(ImageSpec(32, 32), pdq=True))
        (without,) = video.read(GridRequest(0.5), Measure())
        batches = list(video.read(EveryRequest(1), Measure(pdq=True)))
    assert (3, 32, 32, 3) == with_both.images.shape
    assert (3, 8, 32) == with_both.pdq.shape
    assert (with_both.pdq_quality > 50).all()
    assert ((3, 0, 0, 3), (0, 8, 32)) == (without.images.shape, without.pdq.shape)
    assert [32, 8] == [len(batch) for batch in batches]
    np.testing.assert_array_equal(with_both.pdq[0], batches[0].pdq[0])
    bits = np.unpackbits(with_both.pdq[:, 0] ^ _own_hashes(path)[:, 0], axis=1).sum(axis=1)
    assert (bits <= 2).all()


def _own_hashes(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    return np.stack([pdq_dihedral(np.asarray(frames[k], np.uint8))[0] for k in (0, 15, 30)])


def test_which_reader(pool: ReaderPool, clip: Path, transport: Path) -> None:
    """The session says before reading who is trusted, the report who served; never silently."""
    for path, trusted, served in [(clip, "decord", "decord2"), (transport, "pyav", "PyAV")]:
        with pool.session(path) as video:
            assert trusted == video.reader
            assert list(range(COUNT)) == numbers(video.read(EveryRequest(1), Measure(PICTURE)))
            assert video.report.reader.startswith(served)
    with pool.session(clip) as video:
        list(video.read(KeyframesRequest(), Measure()))
        assert video.report.reader.startswith("PyAV")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: path.unlink(missing_ok=True), "not_found"),
        (lambda path: path.mkdir(), "not_a_file"),
        (lambda path: os.mkfifo(path), "not_a_file"),
        (lambda path: path.touch(), "empty_file"),
        (lambda path: path.write_text("hello " * 99), "unsupported_format"),
        (lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\na.ts\n"), "unsupported_format"),
        (lambda path: path.write_text("ffconcat version 1.0\nfile a.ts\n"), "unsupported_format"),
        (lambda path: path.write_bytes(os.urandom(4096)), "unsupported_format"),
        (lambda path: _sound(path), "no_video_stream"),
    ],
    ids=["absent", "folder", "fifo", "empty", "text", "m3u8", "ffconcat", "noise", "sound"],
)
def test_what_cannot_be_read(pool: ReaderPool, tmp_path: Path, make: object, code: str) -> None:
    """Each has its own code and a message for people; no playlist opens what it names."""
    path = tmp_path / "a.mp4"
    assert callable(make)
    make(path)
    with pytest.raises(SourceError) as caught, pool.session(path):
        pass
    assert code == caught.value.code
    assert "Traceback" not in str(caught.value)


def _sound(path: Path) -> None:
    import av
    from av.audio.stream import AudioStream

    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100)
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def test_still_images(pool: ReaderPool, tmp_path: Path) -> None:
    """A picture named outright is a video of one frame."""
    from PIL import Image

    for suffix in ("png", "jpg", "webp", "bmp"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(next(iter(scene_frames(seed=1, count=1)))).save(path)
        with pool.session(path) as video:
            (batch,) = video.read(GridRequest(1.0), Measure(PICTURE, pdq=True))
            assert [0.0] == batch.times_s.tolist()
            assert (1, 1.0) == (video.report.planned, video.report.coverage)


def test_limits_on_size_and_length(clip: Path) -> None:
    """Frames or durations beyond the limits are refused before anything is decoded."""
    for limits in (ReadLimits(max_pixels=160 * 95), ReadLimits(max_duration_s=0.5)):
        with (
            ReaderPool(1, limits) as readers,
            pytest.raises(SourceError) as caught,
            readers.session(clip),
        ):
            pass
        assert caught.value.code == "too_large"


def test_names_of_any_bytes(pool: ReaderPool, clip: Path, tmp_path: Path) -> None:
    """A name that is not UTF-8, looks like a URL or a pattern is read like any other."""
    for name in (b"\xff\xfe.mp4", b"http:x.mp4", b"a%03d.mp4", b"-i.mp4", b"new\nline.mp4"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(clip.read_bytes())
        with pool.session(path) as video:
            assert COUNT == sum(map(len, video.read(EveryRequest(1), Measure())))


def test_killed_with_pyav(clip: Path, transport: Path) -> None:
    """A process killed while PyAV reads its first file is that file's error; the next is served."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        with pytest.raises(SourceError) as caught, readers.session(transport) as video:
            for k, _ in enumerate(video.read(EveryRequest(1), Measure(BIG))):
                if k == 0:
                    _kill(video, signal.SIGKILL)
        assert caught.value.code == "worker_died"
        with readers.session(clip) as video:
            assert COUNT == sum(map(len, video.read(EveryRequest(1), Measure())))


def test_killed_with_decord(pool: ReaderPool, clip: Path) -> None:
    """A process killed while decord serves: PyAV goes on, each frame once, and it is said."""
    with pool.session(clip) as video:
        read = []
        for k, batch in enumerate(video.read(EveryRequest(1), Measure(HUGE))):
            read += [read_barcode(image[::16, ::16]) for image in batch.images]
            if k == 0:
                _kill(video, signal.SIGKILL)
        assert list(range(COUNT)) == read
        assert video.report.reader.startswith("PyAV")
        assert {"reader_fallback", "times_uncertain"} <= set(video.report.warnings)


def test_hanging(clip: Path, transport: Path) -> None:
    """A process that stops answering is killed at the deadline, and its place is free again."""
    with ReaderPool(1, ReadLimits(timeout_s=2, threads=1)) as readers:
        with readers.session(transport) as video, pytest.raises(SourceError) as caught:
            pid = video.process_id
            for k, _ in enumerate(video.read(EveryRequest(1), Measure(BIG))):
                if k == 0:
                    _kill(video, signal.SIGSTOP)
        assert caught.value.code == "deadline"
        assert not Path(f"/proc/{pid}").exists()
        with readers.session(clip) as video:
            assert COUNT == sum(map(len, video.read(EveryRequest(1), Measure())))


def test_a_slow_caller_is_no_deadline(transport: Path) -> None:
    """Only waiting for the process counts, not what the caller does between batches."""
    limits = ReadLimits(timeout_s=4, threads=1)
    with ReaderPool(1, limits) as readers, readers.session(transport) as video:
        count = 0
        for batch in video.read(EveryRequest(1), Measure(BIG)):
            count += len(batch)
            time.sleep(1.2)
        assert COUNT == count


def test_memory_limit(pool: ReaderPool, tmp_path: Path) -> None:
    """A video that needs more memory than allowed is refused; the pool serves the next."""
    frames = [np.full((2160, 3840, 3), 90, np.uint8)] * 3
    path = write_video(tmp_path / "a.ts", frames, options={"preset": "ultrafast"})
    small = barcode_clip(tmp_path / "b.ts", count=5).path
    with ReaderPool(1, ReadLimits(memory_bytes=270 << 20, threads=1)) as readers:
        with pytest.raises(SourceError) as caught, readers.session(path) as video:
            list(video.read(EveryRequest(1), Measure(pdq=True)))
        assert caught.value.code in ("memory_limit", "worker_died")
        with readers.session(small) as video:
            assert 5 == sum(map(len, video.read(EveryRequest(1), Measure())))


def test_leaving_early(pool: ReaderPool, clip: Path, transport: Path) -> None:
    """A caller that stops half-way, or asks anew, leaves nothing behind for the next request."""
    with pool.session(transport) as video:
        next(iter(video.read(EveryRequest(1), Measure(BIG))))
        assert list(range(0, COUNT, 6)) == numbers(video.read(GridRequest(0.2), Measure(PICTURE)))
    with pool.session(clip) as video:
        assert list(range(COUNT)) == numbers(video.read(EveryRequest(1), Measure(PICTURE)))


def test_damage_never_mislabels(pool: ReaderPool, tmp_path: Path) -> None:
    """On damaged files every frame that the chosen reader gives is the one PyAV gives there."""
    options = {"x264-params": "bframes=3:keyint=12"}
    for seed in range(12):
        path = barcode_clip(tmp_path / f"{seed}.mp4", options=options).path
        damage(path, seed=seed, share=0.01, start=0.1)
        read: list[str | tuple[list[float], NDArray[np.uint8]]] = []
        for trusted in (True, False):
            try:
                with pool.session(path) as video:
                    if not trusted:
                        video.not_decord = "compared"
                    batches = list(video.read(EveryRequest(1), Measure(PICTURE)))
            except SourceError as error:
                read.append(error.code)
                continue
            times_s = np.concatenate([batch.times_s for batch in batches])
            images = np.concatenate([batch.images for batch in batches])
            read.append((times_s.round(6).tolist(), images))
        one, other = read
        if isinstance(one, str) or isinstance(other, str):
            assert one == other, f"seed {seed}"
            continue
        assert one[0] == other[0], f"seed {seed}"
        # Each has its own way to the model's size: they differ by rounding, frames by bars.
        off = np.abs(one[1].astype(int) - other[1]).mean(axis=(1, 2, 3))
        assert off.max() < 4, f"seed {seed}"


def test_many_threads(clip: Path, transport: Path) -> None:
    """Threads share the processes: never more than the pool's size, each video whole."""
    pids: set[int | None] = set()
    lock = threading.Lock()
    with ReaderPool(2, ReadLimits(threads=1)) as readers:

        def count(path: Path) -> int:
            with readers.session(path) as video:
                with lock:
                    pids.add(video.process_id)
                return sum(map(len, video.read(EveryRequest(1), Measure())))

        with ThreadPoolExecutor(6) as threads:
            assert [COUNT] * 12 == list(threads.map(count, [clip, transport] * 6))
    assert len(pids) <= 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def _kill(video: VideoSession, number: signal.Signals) -> None:
    assert video.process_id is not None
    os.kill(video.process_id, number)
