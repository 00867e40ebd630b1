"""A reader process that dies takes nothing with it: no other file, no batch, not the run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.colour_encoder import COLOURS, ColourEncoder
from tests.conftest import Library, Vscan
from tests.faults.dying import DEADLY, descriptors, end_when_asked, is_there, make_deadly
from tests.media_factory import barcode_clip, read_barcode, solid_frames, write_video
from vscan.decode import workers
from vscan.decode.process import Deadline, ProcessFailed, ReaderProcess
from vscan.decode.workers import ReaderPool, ReadLimits, VideoSession
from vscan.engines import local
from vscan.errors import SourceError
from vscan.measuring import Embed
from vscan.media import ImageSpec, Measure
from vscan.sampling import EveryRequest
from vscan.sources import Source

COUNT = 12
PICTURE = ImageSpec(160, 96, "squash")
ENDS = [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL]
"""A broken heap, a failed assertion, and what the system sends where memory runs out."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbered frames, as decord may read them (.mp4) and as it may not (.ts), deadly and not."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("plain.mp4", "plain.ts", f"{DEADLY}.mp4", f"{DEADLY}.ts"):
        barcode_clip(folder / name, count=COUNT)
    return folder


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    """One process."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        yield readers


def frames(readers: ReaderPool, path: Path) -> list[int]:
    """The numbers of all frames. Raises SourceError."""
    with readers.session(path) as video:
        return numbers(video)


def numbers(video: VideoSession) -> list[int]:
    """The numbers of all frames of an open video. Raises SourceError."""
    batches = video.read(EveryRequest(1), Measure(PICTURE))
    return [read_barcode(image) for batch in batches for image in batch.images]


def end(pid: int | None) -> None:
    """Ends a reader process from outside, and waits until it is dead; its parent has yet to see."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize("number", ENDS)
def test_a_deadly_file_is_an_error_and_the_pool_goes_on(
    pool: ReaderPool, clips: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """A new process that dies is the file's doing: `worker_died`, told with the signal; then the
    next file is read."""
    died = make_deadly(monkeypatch, number)
    with pytest.raises(SourceError) as caught:
        frames(pool, clips / f"{DEADLY}.ts")
    assert ("worker_died", 1) == (caught.value.code, len(died))
    assert number.name in caught.value.message
    assert list(range(COUNT)) == frames(pool, clips / "plain.ts")


def test_a_file_does_not_pay_for_another(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies after it has served other files may have been broken by them: the file
    is read whole in one that never served any, also where another one is idle."""
    with ReaderPool(2, ReadLimits(timeout_s=60, threads=1)) as readers:
        with readers.session(clips / "plain.ts") as one, readers.session(clips / "plain.ts") as two:
            served = {one.process_id, two.process_id}
        assert len(served) == 2
        died = make_deadly(monkeypatch, signal.SIGSEGV, most=1)
        with readers.session(clips / f"{DEADLY}.ts") as video:
            assert list(range(COUNT)) == numbers(video)
            assert video.process_id not in served
        assert served >= set(died)
        assert 1 == len(died)


@pytest.mark.parametrize(("suffix", "deaths"), [("ts", 2), ("mp4", 2)])
def test_a_file_is_tried_no_more_than_that(
    pool: ReaderPool, clips: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, deaths: int
) -> None:
    """One that ends every process it meets costs one in use and a new one, or one with each
    reader, and no more; all of them are gone, the next file is read."""
    frames(pool, clips / "plain.ts")
    died = make_deadly(monkeypatch, signal.SIGKILL)
    with pytest.raises(SourceError) as caught:
        frames(pool, clips / f"{DEADLY}.{suffix}")
    assert ("worker_died", deaths) == (caught.value.code, len(died))
    assert not any(map(is_there, died))
    assert list(range(COUNT)) == frames(pool, clips / "plain.ts")


def test_the_other_reader_is_tried(
    pool: ReaderPool, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that only ends decord's process is read by PyAV, whole, and the report says so."""
    make_deadly(monkeypatch, signal.SIGSEGV, most=1)
    with pool.session(clips / f"{DEADLY}.mp4") as video:
        assert COUNT == sum(map(len, video.read(EveryRequest(1), Measure())))
        assert video.report.reader.startswith("PyAV")
        assert "reader_fallback" in video.report.warnings


def test_an_idle_process_that_died(
    pool: ReaderPool, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may end a process that does nothing: the next file gets another one, and the
    dead one's pipes are closed, and not left to whoever collects garbage."""
    started: list[ReaderProcess] = []

    class Kept(ReaderProcess):
        def __init__(self, limits: ReadLimits) -> None:
            started.append(self)
            super().__init__(limits)

    monkeypatch.setattr(workers, "ReaderProcess", Kept)
    frames(pool, clips / "plain.ts")
    before = descriptors()
    for _ in range(3):
        with pool.session(clips / "plain.ts") as video:
            pid = video.process_id
        end(pid)
        assert list(range(COUNT)) == frames(pool, clips / "plain.ts")
        assert pid is not None and not is_there(pid)
    assert (4, before) == (len(started), descriptors())


def test_a_process_that_cannot_be_started(
    pool: ReaderPool, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no room for a process the file gets its error, and the next one is
    served once there is room."""

    class Refused:
        def __init__(self, _limits: ReadLimits) -> None:
            raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(workers, "ReaderProcess", Refused)
        with pytest.raises(SourceError, match="temporarily unavailable") as caught:
            frames(pool, clips / "plain.ts")
    assert "worker_died" == caught.value.code
    assert list(range(COUNT)) == frames(pool, clips / "plain.ts")


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux's alone")
def test_the_system_ends_readers_first(pool: ReaderPool, clips: Path) -> None:
    """Where memory runs out, the kernel is to take a reader, and not the run with its model."""
    with pool.session(clips / "plain.ts") as video:
        score = Path(f"/proc/{video.process_id}/oom_score_adj").read_text()
    assert 1000 == int(score)


def test_one_time_limit_for_all_that_is_asked(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that a file has used up is not given to it again: by asking once more, or by opening it
    in another process."""
    given: list[float] = []
    really = VideoSession._open

    def opened(video: VideoSession, deadline: Deadline) -> None:
        given.append(deadline.allowed_s)
        really(video, deadline)
        deadline.used_s = 1.0
        if len(given) == 1:
            raise ProcessFailed("worker_died", "it ended")

    limits = ReadLimits(timeout_s=3, threads=1)
    with ReaderPool(1, limits) as readers, readers.session(clips / "plain.ts") as video:
        assert video.process_id is not None
        os.kill(video.process_id, signal.SIGSTOP)
        for _ in range(2):
            with pytest.raises(SourceError) as caught:
                list(video.read(EveryRequest(1), Measure()))
            assert "deadline" == caught.value.code
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        frames(readers, clips / "plain.ts")
        monkeypatch.setattr(VideoSession, "_open", opened)
        with readers.session(clips / "plain.ts") as video:
            end(video.process_id)
            assert list(range(COUNT)) == numbers(video)
    assert [60.0, 59.0, 58.0] == given


# Neighbours


def test_neighbours_in_a_batch(tmp_path: Path) -> None:
    """A video whose reader dies after its pictures were put into a batch with another's costs the
    other one nothing: its vectors are its own."""
    shown = {"red": (255, 0, 0), "blue": (0, 0, 255)}
    for name, colour in shown.items():
        frames = solid_frames([colour], each=COUNT, size=64)
        write_video(tmp_path / f"{name}.ts", frames)
    (tmp_path / "red.ts").rename(tmp_path / f"{DEADLY}.ts")
    plugged, handed_in = (threading.Barrier(2, timeout=60) for _ in range(2))
    sizes: list[int] = []

    class Plugged(ColourEncoder):
        """Encodes a lone picture only once both videos' pictures wait behind it."""

        batch_size = 100
        batches_at_once = 1
        calls_at_once = 1

        def encode_images(self, images: np.ndarray) -> np.ndarray:
            sizes.append(len(images))
            if len(images) == 1:
                taken.set()
                gate.wait(60)
            return super().encode_images(images)

    taken, gate, first = threading.Event(), threading.Event(), threading.Event()

    def work(source: Source, readers: ReaderPool, embed: Embed) -> tuple[str, object]:
        try:
            with readers.session(source.path) as video:
                (batch,) = video.read(EveryRequest(1), Measure(ColourEncoder.image_spec))
                is_deadly = source.path.name.startswith(DEADLY)
                if is_deadly:
                    lone = embed(batch.images[:1])
                    threading.Thread(target=lone.result, daemon=True).start()  # so that it goes
                    taken.wait(60)
                plugged.wait()
                if not is_deadly:
                    first.wait(60)
                vectors = embed(batch.images)
                first.set()
                handed_in.wait()
                if is_deadly:
                    assert video.process_id is not None
                    end_when_asked(video.process_id, signal.SIGSEGV)
                    try:
                        list(video.read(EveryRequest(1), Measure()))
                    finally:
                        gate.set()
                return source.uri, vectors.result()
        except SourceError as error:
            return source.uri, error.code

    sources = [Source(name, tmp_path / name) for name in (f"{DEADLY}.ts", "blue.ts")]
    found = dict(
        local.run(sources, work, encoder=Plugged(), workers=2, limits=ReadLimits(threads=1))
    )
    assert ("worker_died", [1, 2 * COUNT]) == (found[f"{DEADLY}.ts"], sizes)
    vectors = found["blue.ts"]
    assert isinstance(vectors, np.ndarray)
    blue = np.array(COLOURS["blue"])
    assert len(vectors) == COUNT
    assert (vectors @ blue > 0.9).all()


def test_a_run_with_a_deadly_file(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder with deadly files among others each has its line, and the others' are what they
    are without them."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (folder / name).hardlink_to(library.clips / "deep" / "copy.mp4")
    expected = sorted(vscan("scan", folder, *library.rules).out.splitlines())
    for name in (f"{DEADLY}-1.mp4", f"{DEADLY}-2.mp4"):
        (folder / name).hardlink_to(library.good)
    make_deadly(monkeypatch, signal.SIGSEGV)
    ran = vscan("scan", folder, *library.rules, "--workers", "2")
    assert (3, 5) == (ran.code, len(ran.records))
    deadly = [each for each in ran.records if DEADLY in each["source"]["uri"]]
    assert ["worker_died"] * 2 == [each["error"]["code"] for each in deadly]
    rest = [line for line in ran.out.splitlines() if DEADLY.encode() not in line]
    assert expected == sorted(rest)
    assert "Traceback" not in ran.err
