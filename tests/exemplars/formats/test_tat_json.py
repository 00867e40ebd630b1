"""Tech Against Terrorism's list: fields, deletion, pages, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import tat_json
from vscan.exemplars.formats.record import HashRecord

ENTRY: dict[str, Any] = {
    "hash_digest": "a1" * 16,
    "algorithm": "MD5",
    "ideology": "far-right",
    "file_type": "mp4",
    "deleted": False,
    "updated_on": 1704901040.222779,
    "created_on": "2025-03-03 23:05:22,587",
    "id": 2819,
}


def page(*entries: object) -> bytes:
    """A page as the service answers it."""
    return json.dumps({"count": 9, "next": "x", "checkpoint": "1,2", "results": entries}).encode()


def test_an_entry() -> None:
    """Every field has its place and comes back, numbers as numbers."""
    (record,) = tat_json.read(page(ENTRY), "f")
    assert ("MD5", "md5", "far-right", "mp4", "2819") == (
        record.signal_type, record.kind, record.classification, record.media, record.source_id,
    )  # fmt: skip
    assert [ENTRY] == json.loads(tat_json.write([record]))["results"]


def test_a_deleted_entry_withdraws() -> None:
    """It has the key of the entry that it deletes."""
    entry, deleted = tat_json.read(json.dumps([ENTRY, ENTRY | {"deleted": True}]).encode(), "f")
    assert (False, True, entry.key) == (entry.withdrawn, deleted.withdrawn, deleted.key)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hash_digest": "123abc"}, "f: results[0]: a hash of type MD5 is 32"),
        ({"deleted": "no"}, "f: results[0].deleted: neither true nor false"),
        ({"algorithm": None}, "f: results[0].algorithm: is missing"),
        ({"hash_digest": ""}, "f: results[0]: without an algorithm"),
        ({"id": {}}, "f: results[0].id: neither a number nor a text"),
    ],
    ids=str,
)
def test_a_bad_entry_is_named(wrong: dict[str, Any], said: str) -> None:
    """The error has file, entry, field and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(tat_json.read(page(ENTRY | wrong), "f"))
    assert refused.value.message.startswith(said)


def test_another_document_is_refused() -> None:
    """What is no page and no array is not guessed at."""
    with pytest.raises(ExemplarIndexError, match="neither a page"):
        list(tat_json.read(b'{"results": 1}', "f"))


def test_hashes_of_other_lists() -> None:
    """They get the algorithm's name there, and no id."""
    record = HashRecord(origin="stopncii-json", signal_type="ImagePDQ", value="0" * 64, updated="7")
    (written,) = json.loads(tat_json.write([record]))["results"]
    assert ("PDQ", None, 7.0) == (written["algorithm"], written["id"], written["updated_on"])
