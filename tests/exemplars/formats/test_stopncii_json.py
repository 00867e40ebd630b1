"""StopNCII's records: fields, withdrawal, feedback, and what is refused by entry and field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import stopncii_json
from vscan.exemplars.formats.record import HashRecord

PDQ = "2a" * 32
RECORD: dict[str, Any] = {
    "lastModtimestamp": 1625175071,
    "signalType": "ImagePDQ",
    "hashValue": PDQ,
    "hashStatus": "Active",
    "caseNumbers": {"cc592711": "Active"},
    "hashRegions": ["UK"],
    "CSPFeedbacks": [{"source": "F", "feedbackValue": "Blocked", "tags": ["Nude"]}],
}


def page(*records: object) -> bytes:
    """A page as the service answers it."""
    return json.dumps({"count": len(records), "hashRecords": records}).encode()


def test_a_record() -> None:
    """Every field has its place, those that vscan does not know too, and all come back."""
    (record,) = stopncii_json.read(page(RECORD), "f")
    assert ("ImagePDQ", "pdq", PDQ) == (record.signal_type, record.kind, record.value)
    assert ("Active", "1625175071", False) == (record.status, record.updated, record.withdrawn)
    assert {"caseNumbers": {"cc592711": "Active"}, "hashRegions": ["UK"]} == record.extra
    assert "Blocked" == record.feedback[0]["feedbackValue"]
    written = json.loads(stopncii_json.write([record]))
    assert ([RECORD], 1, 1625175071) == (
        written["hashRecords"], written["count"], written["nextSetTimestamp"],
    )  # fmt: skip


@pytest.mark.parametrize("status", ["Withdrawn", "Deleted"])
def test_withdrawn_and_deleted_take_back(status: str) -> None:
    """Both statuses withdraw; a bare array of records is read as a page is."""
    (record,) = stopncii_json.read(json.dumps([RECORD | {"hashStatus": status}]).encode(), "f")
    assert record.withdrawn


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hashValue": "xyz"}, "f: hashRecords[1]: a hash of type ImagePDQ"),
        ({"hashValue": None}, "f: hashRecords[1].hashValue: is missing"),
        ({"signalType": 7}, "f: hashRecords[1].signalType: not a text"),
        ({"signalType": ""}, "f: hashRecords[1]: without a type"),
        ({"CSPFeedbacks": ["x"]}, "f: hashRecords[1].CSPFeedbacks: not an array"),
        ({"lastModtimestamp": [1]}, "f: hashRecords[1].lastModtimestamp: neither"),
    ],
    ids=str,
)
def test_a_bad_record_is_named(wrong: dict[str, Any], said: str) -> None:
    """The error has file, entry, field and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(stopncii_json.read(page(RECORD, RECORD | wrong), "f"))
    assert refused.value.message.startswith(said)


@pytest.mark.parametrize("document", [b"{}", b"7", b'{"hashRecords": {}}'])
def test_another_document_is_refused(document: bytes) -> None:
    """What is no page and no array is not guessed at."""
    with pytest.raises(ExemplarIndexError, match="neither a page"):
        list(stopncii_json.read(document, "f"))


def test_hashes_of_other_lists() -> None:
    """They are active cases without numbers, under the name that the hash has there."""
    record = HashRecord(origin="tx-csv", signal_type="video_md5", value="a" * 32)
    (written,) = json.loads(stopncii_json.write([record]))["hashRecords"]
    assert ("VideoMD5", "Active", {}) == (
        written["signalType"], written["hashStatus"], written["caseNumbers"],
    )  # fmt: skip
