"""Frames of a video: one signal of the whole and back, and times as plain decimals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.exemplars.formats import frames
from vscan.exemplars.formats.record import HashRecord

FRAMES = [
    HashRecord(
        origin="vpdq-text", signal_type="pdq", value=f"{number:064x}", quality=100 - number,
        time_s=number / 3, source_id="clip",
    )
    for number in range(4)
]  # fmt: skip


def test_a_video_as_one_signal_and_back() -> None:
    """Joined and split again every frame has its hash, quality, exact time, and what is said."""
    joined = frames.join(FRAMES)
    assert ("vpdq", "clip", None) == (joined.kind, joined.source_id, joined.time_s)
    assert FRAMES == frames.split(joined)


@given(st.floats(0, 1e9))
def test_a_plain_decimal_means_the_same_float(value: float) -> None:
    """Digits and a point alone, and exactly the number."""
    text = frames.plain_decimal(value)
    assert set(text) <= set("0123456789.")
    assert value == float(text)


def test_what_is_no_frame_is_refused() -> None:
    """A hash without a time, or of another kind, is no frame; the error names the format."""
    image = HashRecord(signal_type="pdq", value="0" * 64)
    assert not frames.is_frame(image)
    with pytest.raises(Exception, match="vpdq-text holds PDQ hashes with times"):
        list(frames.require_frames([image], "vpdq-text"))


def test_every_pdq_hash_of_a_list() -> None:
    """Those of pictures and those within signals, in order; other hashes are passed over."""
    image = HashRecord(signal_type="pdq", value="0" * 64)
    md5 = HashRecord(signal_type="md5", value="0" * 32)
    assert [*FRAMES, image] == frames.pdq_of([md5, frames.join(FRAMES), image])
