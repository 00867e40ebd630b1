"""python-threatexchange's local_file: a type and a hash a line."""

from __future__ import annotations

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import tx_local_file
from vscan.exemplars.formats.record import HashRecord


def test_lines() -> None:
    """The first space parts type and hash; texts may have more."""
    text = f"pdq {'0a' * 32}\nraw_text some words here\n"
    first, second = tx_local_file.read(text.encode(), "f")
    assert ("pdq", "0a" * 32) == (first.signal_type, first.value)
    assert ("raw_text", "some words here") == (second.signal_type, second.value)
    assert text.encode() == tx_local_file.write([first, second])


def test_a_line_without_a_hash_is_named() -> None:
    """The error has file and line."""
    with pytest.raises(ExemplarIndexError, match="f:2: a type and a hash are expected"):
        list(tx_local_file.read(b"md5 " + b"a" * 32 + b"\nmd5\n", "f"))


@pytest.mark.parametrize(
    ("signal_type", "value"), [("", "x"), ("a b", "x"), ("a", ""), ("a", "x\ny"), ("a", " x")]
)
def test_what_does_not_fit_on_a_line(signal_type: str, value: str) -> None:
    """It is refused rather than written as something else."""
    record = HashRecord(origin="tx-local-file", signal_type=signal_type, value=value)
    with pytest.raises(ExemplarIndexError, match="tx-local-file"):
        tx_local_file.write([record])
