"""vPDQ's text form: as Meta's program writes it, and what is refused by line and field."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import vpdq_text
from vscan.exemplars.formats.record import HashRecord

HASH = "e271017837246aaccddea259648fb7d62f435c89d9e99b2497763e216c8d055c"
LINE = f"3,98,{HASH},0.100\n"
INTEROP = os.environ.get("VSCAN_INTEROP")


def test_a_line() -> None:
    """Frame, quality, hash and timestamp, and the same bytes again."""
    (record,) = vpdq_text.read(LINE.encode(), "f")
    assert (3, 98, HASH, 0.1) == (record.frame, record.quality, record.value, record.time_s)
    assert LINE.encode() == vpdq_text.write([record])


def test_frames_without_number_or_quality() -> None:
    """They get their place in the list, and a quality that no matcher leaves out."""
    record = HashRecord(signal_type="pdq", value=HASH, time_s=2.0)
    assert f"0,100,{HASH},2.000\n1,100,{HASH},2.000\n".encode() == vpdq_text.write([record] * 2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"1,100,{HASH}", "f:2: 3 fields where frame,quality,hash,timestamp"),
        (f"x,100,{HASH},0.1", "f:2: frame: "),
        (f"1,-1,{HASH},0.1", "f:2: quality: "),
        (f"1,101,{HASH},0.1", "f:2: quality: 101"),
        (f"1,100,{HASH[:-1]},0.1", "f:2: a hash of type pdq is 64"),
        (f"1,100,{HASH},nan", "f:2: timestamp: "),
        (f"1,100,{HASH},inf", "f:2: timestamp: "),
        (f"1,100,{HASH},-1", "f:2: timestamp: "),
    ],
)
def test_a_bad_line_is_named(line: str, said: str) -> None:
    """The error has file, line, field and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(vpdq_text.read(f"{LINE}{line}\n{LINE}".encode(), "f"))
    assert refused.value.message.startswith(said)


@pytest.mark.skipif(not INTEROP, reason="VSCAN_INTEROP names no folder of partners' files")
def test_metas_own_files_come_back_byte_for_byte() -> None:
    """What Meta's program wrote is what is written after reading it."""
    files = sorted(Path(INTEROP or "").glob("vpdq-*.txt"))
    assert 4 == len(files)
    for file in files:
        data = file.read_bytes()
        records = list(vpdq_text.read(data, file.name))
        assert len(records) > 500
        assert data.decode().strip() == vpdq_text.write(records).decode().strip()
