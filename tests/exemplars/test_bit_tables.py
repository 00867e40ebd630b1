"""Bit tables: nothing within the limit is missed where that is promised, and nothing else found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vscan.exemplars import structures
from vscan.exemplars.bit_tables import BitTables
from vscan.hashes.pdq import MATCH_DISTANCE, hamming
from vscan.matching.keypoint_search import VOTE_BITS


def near(values: NDArray[np.uint8], most: int, count: int = 200) -> NDArray[np.uint8]:
    """Queries 0..most bits from some of the values."""
    rng = np.random.default_rng(5)
    bits = np.unpackbits(values[rng.integers(0, len(values), count)], axis=1)
    for query in range(count):
        bits[query, rng.choice(256, query % (most + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def values(count: int = 5000, ones: float = 0.5) -> NDArray[np.uint8]:
    """Vectors with that share of bits set."""
    rng = np.random.default_rng(4)
    return np.packbits(rng.random((count, 256)) < ones, axis=1)


@pytest.mark.parametrize("limit", [0, 1, 15, 16, 20, 31, 32, 47])
@pytest.mark.parametrize("ones", [0.5, 0.1], ids=["even", "skewed"])
def test_every_pair_within_the_limit_is_found_once(limit: int, ones: float) -> None:
    """What the tables find at any limit that they reach is what comparing all finds."""
    held = values(ones=ones)
    queries = near(held, limit + 3)
    query, vector, distance = BitTables(held, 16).range_search(queries, limit)
    apart = hamming(queries[:, None], held[None])
    expected = np.nonzero(apart <= limit)
    assert len(expected[0]) > 40
    assert expected[0].tolist() == query.tolist()
    assert expected[1].tolist() == vector.tolist()
    assert apart[expected].tolist() == distance.tolist()


def test_equal_vectors_are_all_found() -> None:
    """A picture that is in the index a thousand times fills its buckets, and is found as often."""
    held = np.repeat(values(3), 40_000, axis=0)
    query, _, distance = BitTables(held, 16).range_search(held[:1], 31)
    assert (40_000, {0}) == (len(query), set(distance.tolist()))


@pytest.mark.parametrize("key_bits", [17, 20, 22])
@pytest.mark.parametrize("limit", [24, 40, 56])
def test_recall_is_what_was_asked_for(key_bits: int, limit: int) -> None:
    """Of pairs exactly at the limit, the share that was asked for is found, and no wrong ones."""
    held = values(20_000)
    rng = np.random.default_rng(6)
    chosen = rng.integers(0, len(held), 500)
    bits = np.unpackbits(held[chosen], axis=1)
    for place in range(500):
        bits[place, rng.choice(256, limit, replace=False)] ^= 1
    tables = BitTables(held, key_bits)
    query, vector, distance = tables.range_search(np.packbits(bits, axis=1), limit, recall=0.6)
    assert max(distance.tolist()) <= limit
    found = set(zip(query.tolist(), vector.tolist(), strict=True))
    share = sum((place, int(row)) in found for place, row in enumerate(chosen)) / 500
    assert share >= 0.57


def test_what_the_tables_do_not_reach() -> None:
    """A limit that would take too many lookups is refused, and so are keys that no table holds."""
    tables = BitTables(values(100), 16)
    assert ([1] * 16, None) == (tables.radii(31), tables.radii(48))
    assert [1] * 5 + [0] * 11 == tables.radii(20)
    with pytest.raises(ValueError, match="do not reach"):
        tables.range_search(values(1), 48)
    with pytest.raises(ValueError, match="16 to 24"):
        BitTables(values(10), 12)


@pytest.mark.parametrize("vectors", [20_000, 1_000_000, 10_000_000, 1_000_000_000])
def test_tables_of_every_size_reach_what_matching_asks_for(vectors: int) -> None:
    """However many vectors there are, no search of a scan falls back to comparing all of them."""
    for signal, limit in (("pdq", MATCH_DISTANCE), ("keypoints", VOTE_BITS)):
        tables = BitTables(values(10), structures.key_bits_for(signal, vectors))
        assert tables.radii(limit, structures.RECALL[signal]) is not None


def test_no_vectors_and_no_queries() -> None:
    """Nothing is found in nothing, and by nothing."""
    assert 0 == len(BitTables(values(0), 16).range_search(values(3), 31)[0])
    assert 0 == len(BitTables(values(3), 16).range_search(values(0), 31)[0])
