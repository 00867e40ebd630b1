"""Reading with Decord, strictly in order, the files on which that is proven right."""

from __future__ import annotations

import bisect
import os
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from vscan.decode.ledger import Ledger
from vscan.decode.probe import Probe
from vscan.decode.reader import Converted, Picture, ReaderFailed, Rgb
from vscan.media import ReadReport, VideoInfo
from vscan.sampling import FrameRequest

MAX_THREADS = 4
"""With more, decord 3.4 gives up on AV1: it does not wait for a decoder that is still full."""
TIME_TOLERANCE_S = 1e-3
"""Decord keeps times as 32-bit floats."""


def decord_name() -> str | None:
    """Which Decord is installed, with its version, as `decord2 3.4.0`; None if none is."""
    for distribution in ("decord2", "decord"):
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return None


class DecordReader:
    """A file read with `next()`, and `skip_frames()` where that does not seek.

    Decord's index-based calls seek, and after a seek frames carry wrong labels on many real files;
    read in order, frame k is the k-th in presentation order, whose time the packets gave the probe.
    """

    def __init__(self, file: BinaryIO, path: Path, probed: Probe, threads: int) -> None:
        if probed.times_s is None or probed.not_decord:
            raise ValueError(f"decord may not serve this file: {probed.not_decord}")
        self._file = file
        self._path = path
        self._probed = probed
        self._times_s = probed.times_s
        self._threads = min(threads, MAX_THREADS)
        self._ledger: Ledger | None = None

    @property
    def name(self) -> str:
        """The distribution and its version."""
        return decord_name() or "decord"

    @property
    def info(self) -> VideoInfo:
        """What the probe learnt."""
        return self._probed.info

    def read(self, request: FrameRequest) -> Iterator[tuple[float, Picture]]:
        """As `Reader.read`. Raises ReaderFailed at the first thing that is not as promised."""
        ledger = self._ledger = Ledger(request, self._probed.tick_s)
        times = self._times_s
        video = self._open()
        ends = np.append(times[1:], times[-1] + self._probed.frame_s)
        walk = _Walk(video, (self.info.height, self.info.width, 3))
        for k, (time_s, end_s) in enumerate(zip(times.tolist(), ends.tolist(), strict=True)):
            if ledger.offer(time_s, end_s - time_s):
                yield time_s, Converted(walk.frame(k))
            if ledger.satisfied:
                return
        # Decord only finds out that frames are missing by reading to the end.
        if walk.position < len(times):
            walk.frame(len(times) - 1)

    def report(self) -> ReadReport:
        """How the last `read` went."""
        if self._ledger is None:
            raise RuntimeError("report() before read()")
        return self._ledger.report(self.name)

    def close(self) -> None:
        """Nothing is held between reads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> Any:
        try:
            decord = _import_decord()
        except (ImportError, OSError) as error:  # its libraries may not fit the memory allowed
            raise ReaderFailed(f"decord cannot be loaded: {_first_line(error)}") from error
        try:
            video = self._made(decord)
            starts = np.asarray(video.get_frame_timestamp(range(len(video))))[:, 0]
        except MemoryError:
            raise
        except Exception as error:  # decord raises bare RuntimeError, its own and AssertionError
            raise ReaderFailed(f"decord cannot open it: {_first_line(error)}") from error
        times = self._times_s
        if len(starts) != len(times) or np.abs(starts - times).max() > TIME_TOLERANCE_S:
            raise ReaderFailed(f"decord counts {len(starts)} frames, the packets {len(times)}")
        return video

    def _made(self, decord: Any) -> Any:
        """Decord's reader on the open file, not on its name: that can be swapped, or be no UTF-8.

        Where the file is stdin, FFmpeg's `fd:` reads it there without opening it again, which a
        reader process may not do. An FFmpeg older than 6.0 has no `fd:`.
        """
        handle = f"/proc/self/fd/{self._file.fileno()}"
        name = handle if Path(handle).exists() else os.fspath(self._path)
        if _is_stdin(self._file):
            self._file.seek(0)
            try:
                return decord.VideoReader("fd:", num_threads=self._threads, fault_tol=1e-9)
            except Exception:
                if not _opens(name):
                    raise
        return decord.VideoReader(name, num_threads=self._threads, fault_tol=1e-9)


class _Walk:
    """An open decord video, walked forwards only."""

    def __init__(self, video: Any, shape: tuple[int, int, int]) -> None:
        self._video = video
        self._shape = shape
        self._keyframes = video.get_key_indices()
        self.position = 0
        """Index of the frame that comes next."""

    def frame(self, index: int) -> Rgb:
        """Frame `index`, at or after the current position. Raises ReaderFailed."""
        try:
            while self.position < index:
                self._step_towards(index)
            rgb: Rgb = self._video.next().asnumpy()
        except MemoryError:
            raise
        except StopIteration as error:
            raise ReaderFailed("decord ends before the packets do") from error
        except Exception as error:  # decord raises bare RuntimeError and its own
            raise ReaderFailed(f"decord fails on the way: {_first_line(error)}") from error
        self.position = index + 1
        if rgb.shape != self._shape:
            raise ReaderFailed(f"decord gives a picture of shape {rgb.shape}")
        return rgb

    def _step_towards(self, index: int) -> None:
        """Skips within the group of pictures, or takes one frame to enter the next.

        `skip_frames` past a keyframe seeks to it, and where decode order is not that of
        presentation (open GOP, mpeg4) it then miscounts; short of the keyframe it only decodes.
        """
        following = bisect.bisect_right(self._keyframes, self.position)
        barrier = self._keyframes[following] if following < len(self._keyframes) else index + 1
        stop = min(index, barrier - 1)
        if stop > self.position:
            self._video.skip_frames(stop - self.position)
            self.position = stop
        else:
            self._video.next()
            self.position += 1


def _import_decord() -> Any:
    """Decord without CUDA: its import else maps every library of torch's GPU build, 3.4 GB."""
    sys.modules.setdefault("nvidia", None)  # type: ignore[arg-type]  # None bars an import
    import decord

    return decord


def _is_stdin(file: BinaryIO) -> bool:
    try:
        return os.path.sameopenfile(file.fileno(), 0)
    except OSError:  # there is no stdin
        return False


def _opens(name: str) -> bool:
    try:
        os.close(os.open(name, os.O_RDONLY))
    except OSError:
        return False
    return True


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
