"""What a reader is: an open video that answers requests for frames, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vscan.decode.picture import model_picture
from vscan.media import ImageSpec, ReadReport, VideoInfo
from vscan.sampling import FrameRequest

Rgb = NDArray[np.uint8]
"""(H, W, 3) full frame, upright, full-range RGB."""


class Picture(Protocol):
    """A frame that was decoded, to be converted to whatever is asked of it."""

    def rgb(self) -> Rgb:
        """All of it. Raises SourceError where it cannot be converted, as the next one does."""
        ...

    def for_model(self, spec: ImageSpec) -> Rgb:
        """The (spec.height, spec.width, 3) picture that a model takes of it."""
        ...


@dataclass(frozen=True, eq=False)
class Converted:
    """A frame that is RGB already."""

    pixels: Rgb

    def rgb(self) -> Rgb:
        """All of it."""
        return self.pixels

    def for_model(self, spec: ImageSpec) -> Rgb:
        """As Pillow scales it, which is as open_clip does."""
        return model_picture(self.pixels, spec)


READING_VERSION = "reading/3"
"""Changes when some file's frames, their times or their colours change; kept with every track."""


def readers_installed() -> str:
    """The readers that may serve a file here, with their versions; imports neither."""
    from importlib.metadata import PackageNotFoundError, version

    found = [READING_VERSION]
    for distribution in ("decord2", "decord", "av"):
        with suppress(PackageNotFoundError):
            found.append(f"{distribution} {version(distribution)}")
    return ", ".join(found)


class ReaderFailed(Exception):  # noqa: N818 - an event between readers, not an error of vscan
    """This reader cannot serve this file to its end; another one may."""


class Reader(Protocol):
    """A video that is open in this process. Close it, or use it as a context manager.

    Each call of `read` begins at the start of the file. Frames come in presentation order; times
    are seconds from the stream's start, never derived from a frame's index.
    """

    @property
    def name(self) -> str:
        """Name and version, as `PyAV 18.1.0`."""
        ...

    @property
    def info(self) -> VideoInfo:
        """What the probe learnt."""
        ...

    def read(self, request: FrameRequest) -> Iterator[tuple[float, Picture]]:
        """The frames that the request wants, as (time_s, picture).

        Raises SourceError where the file is at fault, ReaderFailed where this reader is.
        """
        ...

    def report(self) -> ReadReport:
        """How the last `read` went; to be asked after its iterator has ended."""
        ...

    def close(self) -> None:
        """Gives back what the reader holds."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
