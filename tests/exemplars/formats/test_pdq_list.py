"""PDQ lists: with and without prefix, with what is said of a hash after a comma."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import pdq_list
from vscan.exemplars.formats.record import HashRecord

HASH = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"


def test_every_form_of_a_line() -> None:
    """The prefix is optional, upper case is taken, quality is found among what is said."""
    lines = [
        HASH, f"hash={HASH.upper()}", f"{HASH},bridge.jpg",
        f"hash={HASH},norm=128,delta=0,quality=93,filename=a b.jpg",
    ]  # fmt: skip
    records = list(pdq_list.read("\r\n".join(lines).encode(), "f"))
    assert {HASH} == {each.value for each in records}
    assert [None, None, None, 93] == [each.quality for each in records]
    said = [each.extra.get("metadata") for each in records]
    assert [None, None, "bridge.jpg", "norm=128,delta=0,filename=a b.jpg"] == said
    assert [0, 1, 2, 3] == [each.entry for each in records]
    assert f"{HASH},bridge.jpg\n".encode() == pdq_list.write(records[2:3])


def test_a_frame_of_a_video_says_when() -> None:
    """Hashes of another origin get id and time as what is said of them."""
    frame = HashRecord(signal_type="pdq", value=HASH, quality=50, time_s=0.25, source_id="ex_1")
    assert f"{HASH},quality=50,id=ex_1,time_s=0.25\n".encode() == pdq_list.write([frame])


def test_what_it_cannot_hold() -> None:
    """Another hash, a withdrawn one, and a line end are refused."""
    record = HashRecord(signal_type="pdq", value=HASH)
    for other in (
        HashRecord(signal_type="md5", value="a" * 32),
        replace(record, withdrawn=True),
        replace(record, source_id="a\nb"),
    ):
        with pytest.raises(ExemplarIndexError, match="pdq-list"):
            pdq_list.write([other])


def test_a_bad_hash_is_named_by_line() -> None:
    """The error has file and line."""
    with pytest.raises(ExemplarIndexError, match="f:3: a hash of type pdq is 64"):
        list(pdq_list.read(f"{HASH}\n\nabc\n".encode(), "f"))
