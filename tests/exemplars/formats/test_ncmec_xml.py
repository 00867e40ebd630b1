"""NCMEC's XML: entries of several fingerprints, tombstones, feedback, and what is refused."""

from __future__ import annotations

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import ncmec_xml
from vscan.exemplars.formats.record import HashRecord

PDQ = "0a" * 32
DOCUMENT = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
  <images count="2" maxTimestamp="2017-10-24T15:10:00Z">
    <image>
      <member id="42">Example Member</member>
      <timestamp>2017-10-24T15:00:00Z</timestamp>
      <id>image1</id>
      <classification>A1</classification>
      <fingerprints>
        <md5>{"a1" * 16}</md5>
        <pdna>a1a1...</pdna>
        <pdq>{PDQ.upper()}</pdq>
        <videntifier rel="self" href="/v2/one"/>
      </fingerprints>
      <feedback lastUpdateTimestamp="2023-06-01T12:48:14Z">
        <affirmativeFeedback type="Md5"><members/></affirmativeFeedback>
      </feedback>
      <categorizations><categorization guid="01"/></categorizations>
    </image>
    <deletedImage>
      <member id="43">Other</member><id>image4</id><timestamp>2017-10-24T15:10:00Z</timestamp>
    </deletedImage>
  </images>
  <videos count="1" maxTimestamp="2017-10-24T15:20:00Z">
    <video>
      <member id="42"/><id>video1</id><fingerprints><sha1>{"b1" * 20}</sha1></fingerprints>
    </video>
  </videos>
  <paging><next>/v2/entries?start=2001&amp;size=1000</next></paging>
</queryResult>
"""


def test_a_document() -> None:
    """Every fingerprint is a record with all that its entry says; a tombstone is one of none."""
    records = list(ncmec_xml.read(DOCUMENT.encode(), "f"))
    assert ["md5", "pdna", "pdq", "videntifier", "", "sha1"] == [
        each.signal_type for each in records
    ]
    assert [0, 0, 0, 0, 1, 2] == [each.entry for each in records]
    assert [False] * 4 + [True, False] == [each.withdrawn for each in records]
    image = records[2]
    assert (PDQ, "image1", "42", "Example Member", "A1", "image") == (
        image.value, image.source_id, image.member_id, image.member, image.classification,
        image.media,
    )  # fmt: skip
    assert "2017-10-24T15:00:00Z" == image.updated
    assert "affirmativeFeedback" == image.feedback[0]["children"][0]["tag"]
    assert {"rel": "self", "href": "/v2/one"} == records[3].extra["fingerprint"]
    assert ("43", "image4", "video") == (
        records[4].member_id, records[4].source_id, records[5].media
    )  # fmt: skip


def test_it_is_written_with_counts_and_newest_time() -> None:
    """The document again: `count` and `maxTimestamp` follow from the entries."""
    records = list(ncmec_xml.read(DOCUMENT.encode(), "f"))
    written = ncmec_xml.write(records).decode()
    assert '<images count="2" maxTimestamp="2017-10-24T15:10:00Z">' in written
    assert "<deletedImage>" in written
    assert 'xmlns="https://hashsharing.ncmec.org/hashsharing/v2"' in written
    assert records == list(ncmec_xml.read(written.encode(), "f"))


def test_hashes_of_other_lists() -> None:
    """They get an id made of the hash, no member, and the name that the fingerprint has there."""
    record = HashRecord(origin="tx-csv", signal_type="photodna", value="abc", updated="1508857200")
    (again,) = ncmec_xml.read(ncmec_xml.write([record]), "f")
    assert ("pdna", "abc", "0", "photodna-abc", "2017-10-24T15:00:00Z", "image") == (
        again.signal_type, again.value, again.member_id, again.source_id, again.updated,
        again.media,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("<id>image1</id>", ""), "f:4: an entry without id"),
        (('<member id="42">Example Member</member>', ""), "f:4: an entry without member"),
        (("<id>image1</id>", "<id>1</id><id>2</id>"), "f:4: two of id"),
        ((PDQ.upper(), "abc"), "f:12: a hash of type pdq"),
        (("<pdna>a1a1...</pdna>", "<pdna/>"), "f:11: pdna: a fingerprint without a value"),
        (("deletedImage>", "deletedVideo>"), "f:20: 'deletedVideo' among images"),
        (("queryResult", "status"), "f:2: not a queryResult"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_entry_is_named(change: tuple[str, str], said: str) -> None:
    """The error has file, line and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(ncmec_xml.read(DOCUMENT.replace(*change).encode(), "f"))
    assert refused.value.message.startswith(said)


def test_what_xml_cannot_hold_is_refused() -> None:
    """A control character or a name that is none is an error, not a broken document."""
    for record in (
        HashRecord(signal_type="md5", value="a" * 32, member="a\x01"),
        HashRecord(signal_type="odd name", value="x"),
    ):
        with pytest.raises(ExemplarIndexError, match="ncmec-xml"):
            ncmec_xml.write([record])
