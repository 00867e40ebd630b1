"""Which record of a source stays, known by numbers: what comes back out is what went in."""

from __future__ import annotations

import dataclasses
import io
from hashlib import blake2b

from tests.store.test_records import OTHER, error_verdict, verdict

from vscan.name_keys import key_of
from vscan.store.lines import read_lines
from vscan.store.staying import Staying
from vscan.verdicts import Verdict

SHA256 = "0f" * 32


def of_object(uri: str, sha256: str, version: str = "etag:1") -> Verdict:
    """A clear verdict of an object at that version."""
    made = verdict(uri, sha256)
    return dataclasses.replace(made, source=dataclasses.replace(made.source, version=version))


def lines_of(*verdicts: Verdict) -> Staying:
    """As a file of them is read, each line at the place of its offset."""
    staying = Staying()
    file = io.BytesIO(b"".join(each.to_line() for each in verdicts))
    for stored in read_lines(file, name="lines"):
        staying.note_line(stored, stored.offset)
    return staying


def written(*verdicts: Verdict) -> Staying:
    """As a run writes them."""
    staying = Staying()
    offset = 0
    for each in verdicts:
        staying.note_verdict(each, offset)
        offset += len(each.to_line())
    return staying


def test_versions_give_contents() -> None:
    """The SHA-256 of an object at its version, and of no other, as long as a final line says so."""
    for made in (lines_of, written):
        one = made(of_object("s3://b/a.mp4", SHA256), of_object("s3://b/odd.mp4", "not hex"))
        assert one.content_of("s3://b/a.mp4", "etag:1") == SHA256
        asked = (
            ("s3://b/a.mp4", "etag:2"),
            ("s3://b/c.mp4", "etag:1"),
            ("s3://b/odd.mp4", "etag:1"),
        )
        assert [None] * 3 == [one.content_of(uri, version) for uri, version in asked]
        newer = "1e" * 32
        two = made(of_object("s3://b/a.mp4", SHA256), of_object("s3://b/a.mp4", newer, "etag:2"))
        assert (None, newer) == tuple(
            two.content_of("s3://b/a.mp4", version) for version in ("etag:1", "etag:2")
        )
        unpinned = made(of_object("s3://b/a.mp4", SHA256), verdict("s3://b/a.mp4", newer))
        assert unpinned.content_of("s3://b/a.mp4", "etag:1") is None


def test_places_of_any_size_stay_apart_from_ids() -> None:
    """What is superseded is told by its place, also where that is large, and after it has moved."""
    staying, far = Staying(), (1 << 70) + 5
    for place, each in enumerate((verdict("a"), verdict("b"), error_verdict("b", None, "absent"))):
        staying.note_verdict(each, far + place)
    assert {far + 2} == staying.superseded
    staying.moved({far: 0, far + 1: 100})
    assert set() == staying.superseded
    staying.note_verdict(verdict("a", provenance=OTHER), 200)
    staying.note_verdict(verdict("b", provenance=OTHER), 300)
    assert {0, 100} == staying.superseded
    assert (None, "clear") == (
        staying.outcome_of(verdict("a").id), staying.outcome_of(verdict("a", provenance=OTHER).id)
    )  # fmt: skip


def test_numbers_of_names_are_a_process_s_own() -> None:
    """Equal for equal names, of 128 bits, and under a key: not what everybody would reckon."""
    names = [f"clips/{number}.mp4".encode() for number in range(1000)]
    keys = [*map(key_of, names)]
    assert keys == [*map(key_of, names)]
    assert 1000 == len({*keys}) and max(keys).bit_length() in range(120, 129)
    assert keys[0] != int.from_bytes(blake2b(names[0], digest_size=16).digest())
