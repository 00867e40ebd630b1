"""python-threatexchange's CSV: its columns, categories and tags, and what is refused."""

from __future__ import annotations

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import tx_csv
from vscan.exemplars.formats.record import HashRecord

HASH = "0a" * 32
HEADER = "signal_type,signal_str,collab,category,tags\n"


def test_a_row() -> None:
    """Every column has its field."""
    text = f'{HEADER}pdq,{HASH},"Sample, Data",POSITIVE_CLASS,a b\n'
    (record,) = tx_csv.read(text.encode(), "f")
    assert ("pdq", HASH, "Sample, Data") == (record.signal_type, record.value, record.collab)
    assert ("POSITIVE_CLASS", ("a", "b")) == (record.category, record.tags)
    assert text.splitlines() == tx_csv.write([record]).decode().splitlines()


def test_columns_in_any_order_and_categories_by_number() -> None:
    """Files of an older version of that program are read, and numbers are the names they mean."""
    text = f"collab,signal_type,signal_str,category,tags\nc,pdq,{HASH},0,\nc,url,http://x/,3,\n"
    first, second = tx_csv.read(text.encode(), "f")
    assert ("NEGATIVE_CLASS", "DISPUTED", ()) == (first.category, second.category, second.tags)


def test_a_vpdq_signal_of_any_length() -> None:
    """A whole video in one field, far beyond what csv takes by default; the limit stays its own."""
    import csv

    before = csv.field_size_limit()
    cell = '[""' + '"", ""'.join(f"{HASH},100,{time}.0" for time in range(3000)) + '""]'
    (record,) = tx_csv.read(f'{HEADER}vpdq,"{cell}",,,\n'.encode(), "f")
    assert (len(record.value) > 200_000, before) == (True, csv.field_size_limit())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"pdq,{HASH},c,POSITIVE_CLASS", "f:3: 4 fields under 5 columns"),
        (f"pdq,{HASH},c,MAYBE,", "f:3: category: 'MAYBE' is none of"),
        (",abc,,,", "f:3: signal_type: is empty"),
        ("pdq,abc,,,", "f:3: a hash of type pdq"),
        ("vpdq,abc,,,", "f:3: signal_str:1: not JSON"),
        ('pdq,"abc,,,', "f:3: not CSV"),
    ],
)
def test_a_bad_row_is_named(row: str, said: str) -> None:
    """The error has file, line, column and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(tx_csv.read(f"{HEADER}md5,{'a' * 32},,,\n{row}\n".encode(), "f"))
    assert refused.value.message.startswith(said)


@pytest.mark.parametrize(
    "header", ["signal_type,collab", "a,b", "signal_type,signal_str,tags,tags"]
)
def test_another_header_is_refused(header: str) -> None:
    """A table of something else is not guessed at."""
    with pytest.raises(ExemplarIndexError, match="f:1: a header of"):
        list(tx_csv.read(f"{header}\n".encode(), "f"))


@pytest.mark.parametrize(
    ("signal_type", "media", "name"),
    [("pdna", "image", "photodna"), ("tmk-pdqf", "video", "video_tmk_pdqf"),
     ("MD5", "mp4", "video_md5"), ("md5", "image", "md5"), ("odd", "", "odd")],
)  # fmt: skip
def test_hashes_of_other_lists_get_their_name_there(
    signal_type: str, media: str, name: str
) -> None:
    """What python-threatexchange has a name for is written under it; tags lose white space."""
    record = HashRecord(
        origin="ncmec-xml", signal_type=signal_type, value="a" * 32, media=media, tags=("a b",)
    )
    header, row = tx_csv.write([record]).decode().split("\r\n")[:2]
    assert (HEADER, f"{name},{'a' * 32},,,a_b") == (header + "\n", row)
