"""Frames of a video as pictures, for what a browser cannot play: read in the sandbox, as a scan."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from vscan.decode.workers import ReaderPool
from vscan.errors import ReviewError, SourceError
from vscan.intervals import Interval
from vscan.media import ImageSpec, Measure
from vscan.review.checked_files import CheckedFile
from vscan.sampling import TimesRequest

MOST_STILLS = 48
LONGEST_SIDE = 960
"""Pixels; a smaller video keeps its size."""
KEPT = 3
"""Videos whose pictures are held: the one at hand, and those that one may come back to."""


@dataclass(frozen=True)
class Still:
    """One frame as a picture."""

    time_s: float
    jpeg: bytes


def still_times(spans: Sequence[Interval], peaks_s: Sequence[float]) -> tuple[float, ...]:
    """At most MOST_STILLS times within the spans, evenly, as many as one a second, and the peaks:
    seconds, ascending, each once. spans: apart from each other, ascending."""
    peaks = [round(each, 3) for each in peaks_s[: MOST_STILLS // 2]]
    total = sum(span.length_s for span in spans)
    most = MOST_STILLS - len(peaks)
    step_s = max(1.0, total / most) if most else 1.0
    times, passed = set(peaks), 0.0
    even = 0
    for span in spans:
        while even < most and even * step_s <= passed + span.length_s:
            times.add(round(span.start_s + even * step_s - passed, 3))
            even += 1
        passed += span.length_s
    return tuple(sorted(times))


class Stills:
    """Reads frames in one reader process. Safe among threads; one video at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ReaderPool | None = None
        self._closed = False
        self._held: OrderedDict[tuple[str, tuple[float, ...]], list[Still]] = OrderedDict()

    def of(self, file: CheckedFile, times_s: tuple[float, ...]) -> list[Still]:
        """The first frame at or after each time, each once.

        Raises ReviewError where the readers cannot read it.
        """
        key = (file.sha256, times_s)
        with self._lock:
            if key not in self._held:
                self._held[key] = self._read(file, times_s)
                while len(self._held) > KEPT:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]

    def _read(self, file: CheckedFile, times_s: tuple[float, ...]) -> list[Still]:
        if self._closed:
            raise ReviewError("the page has ended")
        if self._pool is None:
            self._pool = ReaderPool(1)
        found = []
        try:
            with self._pool.session(file.path, file.stamp) as video:
                width, height = fitted(video.info.width, video.info.height)
                measure = Measure(image=ImageSpec(width, height, "squash"))
                for batch in video.read(TimesRequest(times_s), measure):
                    for time_s, picture in zip(batch.times_s, batch.images, strict=True):
                        out = io.BytesIO()
                        Image.fromarray(picture).save(out, "JPEG", quality=85)
                        found.append(Still(round(float(time_s), 3), out.getvalue()))
        except RuntimeError as error:  # of the pool, where it was closed meanwhile
            if not self._closed:
                raise
            raise ReviewError("the page has ended") from error
        except SourceError as error:
            raise ReviewError(
                f"no frame of it can be shown: {error.message}", remedy=error.remedy
            ) from error
        return found

    def close(self) -> None:
        """End the reader process, whatever it is at."""
        self._closed = True
        if self._pool is not None:
            self._pool.close()


def fitted(width: int, height: int) -> tuple[int, int]:
    """Width and height within LONGEST_SIDE at the same proportions."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
