"""vPDQ's older JSON: one object a frame, and what is refused by frame and field."""

from __future__ import annotations

import json

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import vpdq_legacy
from vscan.exemplars.formats.record import HashRecord

HASH = "0a" * 32
FEATURE = {"quality": 100, "hash": HASH, "timestamp": 1.25}


def test_a_frame() -> None:
    """The key is the frame, and all comes back."""
    (record,) = vpdq_legacy.read(json.dumps({"30": FEATURE}).encode(), "f")
    assert (30, 100, HASH, 1.25) == (record.frame, record.quality, record.value, record.time_s)
    assert {"30": FEATURE} == json.loads(vpdq_legacy.write([record]))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "f: not a JSON object"),
        ({"x": FEATURE}, "f: a key that is no frame number"),
        ({"1": []}, "f: 1: not a JSON object"),
        ({"1": FEATURE | {"quality": True}}, "f: 1.quality: not a whole number"),
        ({"1": FEATURE | {"timestamp": "0"}}, "f: 1.timestamp: not a number"),
        ({"1": FEATURE | {"timestamp": 10**400}}, "f: 1.timestamp: not a number"),
        ({"1": FEATURE | {"timestamp": -1}}, "f: 1: timestamp: -1.0"),
        ({"1": FEATURE | {"hash": None}}, "f: 1.hash: is missing"),
        ({"1": FEATURE | {"more": 1}}, "f: 1.more: no such field"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_frame_is_named(document: object, said: str) -> None:
    """The error has file, frame, field and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(vpdq_legacy.read(json.dumps(document).encode(), "f"))
    assert refused.value.message.startswith(said)


def test_two_hashes_of_one_frame() -> None:
    """A frame that stands twice is refused, read or written: one of them would be lost."""
    twice = f'{{"1": {json.dumps(FEATURE)}, "1": {json.dumps(FEATURE)}}}'
    with pytest.raises(ExemplarIndexError, match="'1' stands twice"):
        list(vpdq_legacy.read(twice.encode(), "f"))
    record = HashRecord(signal_type="pdq", value=HASH, time_s=0.0, frame=1)
    with pytest.raises(ExemplarIndexError, match="two hashes of frame 1"):
        vpdq_legacy.write([record, record])
