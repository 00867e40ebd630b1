"""Damaged videos and pictures through the pool of readers: each ends in a report or an error."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image
from tests.media_factory import barcode_clip, scene_frames, write_video

from fuzz.mutators import Rng, mutated
from fuzz.target import Case, WrongAnswerError, lay
from vscan.decode.sandbox import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.errors import SourceError
from vscan.media import ImageSpec, Measure, ReadReport
from vscan.sampling import EveryRequest, GridRequest, KeyframesRequest

TIMEOUT_S = 20.0
PICTURE = ImageSpec(64, 64)
REQUESTS = (GridRequest(0.25), EveryRequest(3), KeyframesRequest())
CLIPS = {
    "a.mp4": "libx264", "a.mkv": "libx264", "a.ts": "libx264", "a.avi": "mpeg4", "a.flv": "flv",
    "a.webm": "libvpx", "a.mpg": "mpeg2video", "a.mov": "mjpeg", "a.nut": "ffv1",
    "a.ogv": "libtheora",
}  # fmt: skip
STILLS = ("a.png", "a.jpg", "a.gif", "a.webp", "a.bmp")


class Containers:
    """Small clips of many containers and codecs, and pictures, mutated."""

    name = "containers"
    about = "a damaged video ends in a report that adds up, or in an error with a code"

    def __init__(self) -> None:
        self._intact: list[tuple[str, bytes]] = []
        self._readers: ReaderPool | None = None

    def prepare(self, folder: Path) -> None:
        """Encodes the clips; a codec that this build lacks is passed over."""
        for name, codec in CLIPS.items():
            pixels = {"mjpeg": "yuvj420p"}.get(codec, "yuv420p")
            try:
                barcode_clip(folder / name, count=12, fps=10, codec=codec, pix_fmt=pixels)
            except (ValueError, OSError):
                continue
            self._intact.append((name, (folder / name).read_bytes()))
        moving = list(scene_frames(seed=5, count=20, width=96, height=64))
        write_video(
            folder / "b.mp4", moving, fps=10, container_options={"movflags": "frag_keyframe"}
        )
        self._intact.append(("b.mp4", (folder / "b.mp4").read_bytes()))
        for name in STILLS:
            Image.fromarray(moving[0]).save(folder / name)
            self._intact.append((name, (folder / name).read_bytes()))
        self._readers = ReaderPool(1, ReadLimits(timeout_s=TIMEOUT_S, threads=1))

    def case(self, rng: Rng) -> Case:
        """One of them, mutated; now and then under the name of another."""
        name, data = self._intact[int(rng.integers(len(self._intact)))]
        if rng.random() < 0.1:
            name, _ = self._intact[int(rng.integers(len(self._intact)))]
        return {name: mutated(rng, data)}

    def check(self, case: Case, folder: Path) -> str:
        """Read in three ways; pictures and hashes are asked for."""
        if self._readers is None:
            raise RuntimeError("prepare comes first")
        lay(case, folder)
        (name,) = case
        try:
            with self._readers.session(folder / name) as video:
                for request in REQUESTS:
                    given, last = 0, -math.inf
                    for batch in video.read(request, Measure(PICTURE, pdq=True)):
                        given += len(batch)
                        if len(batch) and float(batch.times_s[0]) <= last:
                            raise WrongAnswerError("times go back")
                        last = float(batch.times_s[-1]) if len(batch) else last
                    _adds_up(video.report, given)
        except SourceError as error:
            if error.code == "internal":
                raise WrongAnswerError(f"unforeseen in the reader: {error.message}") from error
            return error.code
        return "read"

    def close(self) -> None:
        """Ends the reader process."""
        if self._readers is not None:
            self._readers.close()


def _adds_up(report: ReadReport, given: int) -> None:
    if not 0 <= report.read <= report.planned or report.read > 0 == given:
        raise WrongAnswerError(f"{given} frames given, {report.read} read of {report.planned}")
    if not (math.isfinite(report.end_s) and report.end_s >= 0):
        raise WrongAnswerError(f"ends at {report.end_s}")
    for start_s, end_s in report.gaps_s:
        if not (0 <= start_s <= end_s and math.isfinite(end_s)):
            raise WrongAnswerError(f"a gap from {start_s} to {end_s}")
