"""python-threatexchange's vPDQ signal: its rounded times are read, exact ones written."""

from __future__ import annotations

import json

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import vpdq_json
from vscan.exemplars.formats.record import HashRecord

HASH = "0a" * 32


def test_what_python_threatexchange_writes_is_read() -> None:
    """Three significant digits, with an exponent from 10 s on."""
    written = json.dumps([f"{HASH},{100},{time_s:.3}" for time_s in (0.0, 1.0, 12.0, 123.456)])
    assert "1.23e+02" in written
    times = [each.time_s for each in vpdq_json.read(written.encode(), "f")]
    assert [0.0, 1.0, 12.0, 123.0] == times


def test_times_are_written_exactly() -> None:
    """Nothing is rounded, and no exponent stands where an older reader may trip over it."""
    record = HashRecord(signal_type="pdq", value=HASH, quality=7, time_s=1234.5678)
    assert [f"{HASH},7,1234.5678"] == json.loads(vpdq_json.write([record]))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"0": 1}, "f: not a JSON array"),
        ([f"{HASH},100"], r"f: [0]: not "),
        ([f"{HASH},100,1", 7], "f: [1]: not "),
        ([f"{HASH},100,nan"], "f: [0]: 'nan' is not a finite number"),
        ([f"{HASH},1e2,1"], "f: [0]: '1e2' is not a whole number"),
        (["xyz,100,1"], "f: [0]: a hash of type pdq"),
    ],
    ids=str,
)
def test_a_bad_element_is_named(document: object, said: str) -> None:
    """The error has file, element and cause."""
    with pytest.raises(ExemplarIndexError) as refused:
        list(vpdq_json.read(json.dumps(document).encode(), "f"))
    assert refused.value.message.startswith(said)
