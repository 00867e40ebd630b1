"""A hash record: the names that lists give a hash, and fields that cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vscan.exemplars.formats.record import HashRecord, kind_of

PDQ = HashRecord(signal_type="pdq", value="0f" * 32)


@pytest.mark.parametrize(
    ("signal_type", "kind"),
    [
        ("ImagePDQ", "pdq"), ("PDQ", "pdq"), ("video_md5", "md5"), ("VideoMD5", "md5"),
        ("pdna", "photodna"), ("tmk-pdqf", "tmk"), ("VideoTMK", "tmk"), ("Unheard", "unheard"),
    ],
)  # fmt: skip
def test_one_hash_has_many_names(signal_type: str, kind: str) -> None:
    """Every list's name of a hash leads to the same kind; an unknown name is its own."""
    assert kind == kind_of(signal_type)


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "0f" * 31}, {"value": "0F" * 32}, {"value": "zz" * 32}, {"value": ""},
        {"signal_type": "md5"}, {"quality": 101}, {"quality": -1}, {"time_s": float("nan")},
        {"time_s": float("inf")}, {"time_s": -0.001}, {"time_s": 1e12}, {"frame": -1},
        {"source_id": "\ud800"}, {"member": "x" * 70_000},
    ],
    ids=lambda wrong: str(wrong)[:40],
)  # fmt: skip
def test_an_impossible_field_is_refused(wrong: dict[str, Any]) -> None:
    """A record checks itself."""
    with pytest.raises(ValueError, match=r".+"):
        replace(PDQ, **wrong)


def test_an_unknown_hash_is_carried_whatever_it_looks_like() -> None:
    """A type that vscan cannot compute has no form that it could check."""
    assert HashRecord(signal_type="xyz", value="not hex at all").value == "not hex at all"


def test_the_key_is_the_entrys_id_or_else_its_hash() -> None:
    """An update has the same key as what it replaces, another member's entry another one."""
    entry = replace(PDQ, origin="ncmec-xml", source_id="7", member_id="42", media="image")
    assert entry.key == replace(entry, value="1f" * 32, classification="A1").key
    assert entry.key != replace(entry, member_id="43").key
    assert entry.key != replace(entry, media="video").key
    assert PDQ.key == replace(PDQ, tags=("x",), status="Active").key
    assert PDQ.key != replace(PDQ, origin="tx-csv").key
