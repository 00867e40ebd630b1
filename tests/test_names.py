"""Names of any bytes are shown without harm and recorded without loss."""

from __future__ import annotations

import os

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.names import record_uri, shown, sort_key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clips/a b ü 日本.mp4", "clips/a b ü 日本.mp4"),
        ("a\nb", r"a\x0ab"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("gpj.\u202emp4", r"gpj.\u202emp4"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        (os.fsdecode(b"\xff\xfe.mp4"), r"\xff\xfe.mp4"),
        ("a\x9bb", r"a\x9bb"),
    ],
)
def test_shown(name: str, expected: str) -> None:
    """What would move the cursor, hide or turn text round stands escaped."""
    assert expected == shown(name)


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_record_uri_is_unambiguous(one: bytes, other: bytes) -> None:
    """Two names have the same URI only if they are the same, and JSON takes each of them."""
    first, second = os.fsdecode(one), os.fsdecode(other)
    assert (first == second) == (record_uri(first) == record_uri(second))
    assert record_uri(first) == orjson.loads(orjson.dumps(record_uri(first)))


def test_record_uri_keeps_plain_names() -> None:
    """A name that is Unicode stands as it is; only others and look-alikes are rewritten."""
    assert r"a\b ü.mp4" == record_uri(r"a\b ü.mp4")
    assert r"bytes:a\\b\xff" == record_uri(os.fsdecode(b"a\\b\xff"))
    assert record_uri(r"bytes:a\\b\xff") != record_uri(os.fsdecode(b"a\\b\xff"))


def test_sort_key() -> None:
    """Order is that of the composed form, and total for names of any bytes."""
    names = ["b", "e\u0301a", "éb", os.fsdecode(b"\xff"), "a"]
    backwards = names[::-1]
    assert sorted(names, key=sort_key) == sorted(backwards, key=sort_key)
    assert ["e\u0301a", "éb"] == [n for n in sorted(names, key=sort_key) if len(n) > 1]
