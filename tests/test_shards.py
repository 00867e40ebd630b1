"""Shards: every source in exactly one, by its URI alone, today and on every machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.errors import UsageError
from vscan.shards import Shard, parse_shard, share_of
from vscan.sources import Source


@given(st.sets(st.text(min_size=1)), st.integers(1, 40))
def test_every_source_is_in_one_shard(uris: set[str], count: int) -> None:
    """Whatever the names, surrogates of names that are not UTF-8 among them, and however many
    shards: each source has one, and the counts of what is left to others agree."""
    sources = [Source(uri, Path("a")) for uri in uris]
    left = 0

    def leave() -> None:
        nonlocal left
        left += 1

    shares = [
        list(share_of(sources, Shard(number, count), leave=leave)) for number in range(1, count + 1)
    ]
    assert sorted(uris) == sorted(source.uri for share in shares for source in share)
    assert left == (count - 1) * len(uris)


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name), st.integers(1, 9))
def test_names_of_any_bytes(name: bytes, count: int) -> None:
    """A name that is not UTF-8 has its shard, too."""
    uri = name.decode("utf-8", "surrogateescape")
    assert 1 == sum(Shard(number, count).holds(uri) for number in range(1, count + 1))


def test_the_shard_of_a_name_never_changes() -> None:
    """Jobs of other machines and versions agree: pinned, with the documented arithmetic."""
    by_name = {"clips/a.mp4": 1, "clips/b.mp4": 1, "über.mp4": 7, "b\udcff.mp4": 4}
    assert by_name == {
        uri: next(k for k in range(1, 8) if Shard(k, 7).holds(uri)) for uri in by_name
    }


def test_shards_are_about_equal() -> None:
    """No shard of ten has a fifth more or less than its share of ten thousand names."""
    sizes = Counter(
        next(k for k in range(1, 11) if Shard(k, 10).holds(f"clips/{number:05}.mp4"))
        for number in range(10_000)
    )
    assert all(800 <= sizes[k] <= 1200 for k in range(1, 11))


@pytest.mark.parametrize("text", ["1/1", "1/3", "3/3", "10/1000"])
def test_what_a_shard_is(text: str) -> None:
    """Which one, from 1 on, of how many."""
    assert text == str(parse_shard(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0/3", "there is no shard 0/3"),
        ("4/3", "there is no shard 4/3"),
        ("1/0", "there is no shard 1/0"),
        ("3", "'3' is no shard"),
        ("a/b", "'a/b' is no shard"),
        ("-1/3", "is no shard"),
        ("1/3 ", "is no shard"),
        ("¹/3", "is no shard"),
        ("", "is no shard"),
    ],
)
def test_what_is_none(text: str, told: str) -> None:
    """Anything else is an error that shows the form."""
    with pytest.raises(UsageError, match=told) as error:
        parse_shard(text)
    assert "--shard" in error.value.remedy
