"""What a container says of a stream's length, and whether its packets keep that promise.

Only what stands in a header is a claim. Where a header has none, FFmpeg estimates a duration from
the last packets or from a bit rate: that says nothing of what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.container.input import InputContainer
from av.video.stream import VideoStream

from vscan.decode.survey import SLACK_FRAMES, SLACK_SHARE, Survey, is_short

CLAIM_BY_STREAM = ("mov,mp4,m4a,3gp,3g2,mj2", "avi", "mxf", "gxf", "ivf")
CLAIM_BY_FILE = ("matroska,webm", "flv", "asf", "wtv")
"""Containers that claim one length for all that they hold: that of the longest stream."""
SLACK_S = 1.0
FALSE_BY = 1.25
"""How much longer a table's frames must be than the length that is claimed, to be believed."""


@dataclass(frozen=True)
class Claim:
    """How long a header says that a stream is."""

    length_s: float
    """Seconds from the stream's start."""
    frames: int
    """Frames that its table of samples lists; 0 where there is none."""
    of_file: bool
    """Whether it is said of the file, so that any of its streams may keep it."""


def claim_of(container: InputContainer, stream: VideoStream) -> Claim | None:
    """What the header claims for the stream; None where it claims nothing."""
    base = float(stream.time_base or 0)
    if container.format.name in CLAIM_BY_STREAM and stream.duration is not None:
        # Without an index FFmpeg cuts an AVI's length to the file's; its count of frames stays.
        ticks = stream.frames if container.format.name == "avi" else 0
        length_s = max(stream.duration, ticks) * base
        return Claim(length_s, max(0, stream.frames), of_file=False) if length_s > 0 else None
    if container.format.name in CLAIM_BY_FILE and container.duration is not None:
        length_s, start_s = container.duration / av.time_base, (stream.start_time or 0) * base
        # It counts from zero on the file's clock, which may begin hours later.
        length_s -= start_s if 0 < start_s < length_s else 0.0
        return Claim(length_s, 0, of_file=True) if length_s > 0 else None
    return None


def missing_until_s(
    claim: Claim | None, survey: Survey, index: int, *, start_s: float, frame_s: float
) -> float | None:
    """The claimed end of stream `index` where packets end before it, seconds from its start.

    None where the claim is kept, and where there is none. It is kept where a packet reaches it (of
    any stream, where it is the file's), and where all frames that the container lists were there:
    then the length alone is wrong. Where clearly fewer were there, and no edit list hides the
    others, it is broken whatever the length says. start_s: the stream's start on the file's clock.
    """
    stream = survey.streams.get(index)
    if claim is None or stream is None:
        return None
    if 0 < claim.frames == stream.count:
        return None
    slack_s = min(SLACK_S, SLACK_SHARE * claim.length_s) + SLACK_FRAMES * frame_s
    heard_s = stream.length_s
    if claim.of_file:
        heard_s = max(heard_s, survey.heard_until_s - start_s)
    if is_short(stream.count + stream.hidden, claim.frames):
        by_frames_s = stream.length_s * claim.frames / max(1, stream.count)
        if by_frames_s > FALSE_BY * claim.length_s:
            return by_frames_s
    return claim.length_s if heard_s < claim.length_s - slack_s else None
