"""A file that is being read, as its streams share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from vscan.decode.ready import ReadyDecoder
from vscan.decode.sandbox import ReadLimits
from vscan.decode.survey import Survey


@dataclass(frozen=True)
class Opened:
    """The file that a stream is in."""

    file: BinaryIO
    container: str
    """FFmpeg's name of its container."""
    survey: Survey
    limits: ReadLimits
    ready: ReadyDecoder
