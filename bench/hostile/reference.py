"""What the `ffmpeg` program makes of a file: the presentation times of the frames it shows.

`ffmpeg -map STREAM -vf showinfo -f null` prints a line for every frame that leaves the decoder,
before any frame is doubled or dropped to keep a rate. Only the times are asked for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FRAME = re.compile(rb"n: *\d+ pts: *(?:-?\d+|NOPTS) pts_time:(\S+)")
_TIMEOUT_S = 60.0
FIRST_VIDEO = "0:V:0"
"""The first video stream that is no attached picture, or else the first of all."""


def installed() -> bool:
    """Whether there is an `ffmpeg` to compare with."""
    return shutil.which("ffmpeg") is not None


def frame_times(path: Path, stream: str = FIRST_VIDEO) -> NDArray[np.float64]:
    """(N,) times in seconds of the frames shown of a video stream, from the first, ascending.

    Empty where `ffmpeg` shows none. What it was too slow for within a minute is left out.
    """
    command = [
        *("ffmpeg", "-hide_banner", "-nostdin", "-threads", "1", "-protocol_whitelist", "file"),
        *("-i", f"file:{path}", "-map", stream, "-vf", "showinfo"),
        *("-fps_mode", "passthrough", "-f", "null", "-"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_S)
        said = done.stderr
    except subprocess.TimeoutExpired as late:
        said = late.stderr or b""
    found = [float(text) for text in _FRAME.findall(said) if text != b"NOPTS"]
    if not found and stream == FIRST_VIDEO:
        return frame_times(path, "0:v:0")
    times = np.unique(np.array(found, np.float64))
    return times - times[0] if len(times) else times


def planned(times_s: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """Of the times 0, step, 2 step …, those for which there is a frame within the step."""
    return np.unique(np.floor(times_s / step_s + 1e-6)) * step_s


def sampled(
    planned_s: NDArray[np.float64], read_s: NDArray[np.float64], step_s: float, slack_s: float
) -> NDArray[np.bool_]:
    """Which planned times have a sample: one at or after them, within the step and a frame."""
    read = np.sort(read_s)
    at = np.searchsorted(read, planned_s - slack_s)
    found = np.append(read, np.inf)[at]
    return found <= planned_s + step_s + slack_s
