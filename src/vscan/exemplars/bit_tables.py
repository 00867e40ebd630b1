"""Multi-index hashing: 256-bit vectors found by parts of their bits instead of one by one.

Norouzi, Punjani, Fleet: "Fast Exact Search in Hamming Space with Multi-Index Hashing" (2012). The
bits are cut into parts; each part is the key of a table of all vectors. Vectors that differ in few
bits differ in very few bits of some part, so looking up every part with up to `radius` bits turned
finds them. With m parts, m * (radius + 1) > limit means that none is missed (the pigeonhole
principle); beyond it the chance to be missed can be told.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

BITS = 256
_AT_ONCE = 1 << 16
"""Candidates that are compared at once: 4 MB, which a core's cache holds."""
_MAX_RADIUS = 2


class BitTables:
    """Tables over vectors (V, 32) uint8 with 256 // key_bits parts of key_bits (16..24) each.

    Takes 4 * V bytes and 4 * 2^key_bits a table, beside the vectors themselves.
    """

    def __init__(self, vectors: NDArray[np.uint8], key_bits: int) -> None:
        if not 16 <= key_bits <= 24:
            raise ValueError(f"keys have 16 to 24 bits, got {key_bits}")
        self._vectors = np.ascontiguousarray(vectors)
        self.key_bits = key_bits
        self.tables = BITS // key_bits
        size = 1 << key_bits
        self._order = np.empty((self.tables, len(vectors)), np.uint32)
        self._start = np.zeros((self.tables, size + 1), np.uint32)
        for table in range(self.tables):
            keys = _keys(self._vectors, table * key_bits, key_bits)
            self._order[table] = _sorted(keys)
            np.cumsum(np.bincount(keys, minlength=size), out=self._start[table, 1:])

    def range_search(
        self, queries: NDArray[np.uint8], limit: int, *, recall: float = 1.0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(H,) query, vector and distance of every pair at most `limit` bits apart, by query.

        queries: (Q, 32) uint8. recall: with which chance a pair that is exactly `limit` bits apart
        must be found, if its bits are spread evenly; nearer ones are found more often. 1.0: all.
        Raises ValueError where that would take more lookups than comparing all.
        """
        radii = self.radii(limit, recall)
        if radii is None:
            raise ValueError(f"{self.tables} tables do not reach {limit} bits")
        queries = np.ascontiguousarray(queries, np.uint8)
        found = [np.empty((3, 0), np.int64)]
        for table, radius in enumerate(radii):
            found += self._lookup(table, queries, radius, limit)
        query, vector, distance = np.concatenate(found, axis=1)
        _, first = np.unique(query * len(self._vectors) + vector, return_index=True)
        return query[first], vector[first], distance[first]

    def radii(self, limit: int, recall: float = 1.0) -> list[int] | None:
        """Bits to turn in each table for that limit and recall; None where they do not reach."""
        most, further = divmod(limit, self.tables)
        if most <= _MAX_RADIUS:
            # Were every part beyond its radius, they would differ in more than `limit` bits.
            exact = [most] * (further + 1) + [most - 1] * (self.tables - further - 1)
            if recall >= 1.0 or most == 0:
                return exact
        for radius in range(_MAX_RADIUS + 1) if recall < 1.0 else ():
            if 1.0 - self._miss(limit, radius) >= recall:
                return [radius] * self.tables
        return None

    def _miss(self, limit: int, radius: int) -> float:
        """The chance that a pair `limit` bits apart, evenly spread, is in no bucket looked up."""
        share, bits = limit / BITS, self.key_bits
        near = sum(
            comb(bits, turned) * share**turned * (1 - share) ** (bits - turned)
            for turned in range(radius + 1)
        )
        return float((1.0 - near) ** self.tables)

    def _lookup(
        self, table: int, queries: NDArray[np.uint8], radius: int, limit: int
    ) -> list[NDArray[np.int64]]:
        """Query, vector and distance (3, H) of what the table brings, in pieces."""
        turned = _turned(self.key_bits, radius)
        keys = _keys(queries, table * self.key_bits, self.key_bits)[:, None] ^ turned[None]
        starts = self._start[table]
        start = starts[keys].ravel().astype(np.int64)
        count = starts[keys + np.uint32(1)].ravel().astype(np.int64) - start
        full = np.flatnonzero(count)
        start, count, query = start[full], count[full], full // len(turned)
        ends = np.cumsum(count)
        found, begin = [], 0
        while begin < len(full):
            done = ends[begin - 1] if begin else 0
            stop = max(begin + 1, int(np.searchsorted(ends, done + _AT_ONCE, "right")))
            piece = slice(begin, stop)
            total = int(ends[stop - 1] - done)
            shift = start[piece] - (ends[piece] - count[piece] - done)
            at = np.repeat(shift, count[piece]) + np.arange(total)
            found.append(
                self._compared(queries, np.repeat(query[piece], count[piece]), table, at, limit)
            )
            begin = stop
        return found

    def _compared(
        self,
        queries: NDArray[np.uint8],
        query: NDArray[np.int64],
        table: int,
        at: NDArray[np.int64],
        limit: int,
    ) -> NDArray[np.int64]:
        vector = self._order[table, at]
        words = self._vectors.view(np.uint64).take(vector, axis=0)
        words ^= queries.view(np.uint64).take(query, axis=0)
        # By columns: numpy sums so short an axis several times slower.
        a, b, c, d = np.bitwise_count(words).astype(np.uint16).T
        distance = a + b + c + d
        near = distance <= limit
        return np.stack((query[near], vector[near].astype(np.int64), distance[near]))


def _keys(vectors: NDArray[np.uint8], first: int, bits: int) -> NDArray[np.uint32]:
    """`bits` bits of each vector from bit `first` on, as a number."""
    byte = min(first // 8, BITS // 8 - 4)
    if not len(vectors):
        return np.empty(0, np.uint32)
    rows = np.ascontiguousarray(vectors)
    four: NDArray[np.uint32] = np.ndarray((len(rows),), "<u4", rows, byte, (BITS // 8,))
    return (four >> np.uint32(first - 8 * byte)) & np.uint32((1 << bits) - 1)


def _sorted(keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Positions in the order of their keys."""
    # Key and position in one number: numpy sorts numbers four times faster than it sorts by them.
    both = keys.astype(np.uint64) << np.uint64(32)
    both |= np.arange(len(keys), dtype=np.uint64)
    both.sort()
    return both.astype(np.uint32)


def _turned(bits: int, radius: int) -> NDArray[np.uint32]:
    """Every key with at most `radius` bits set: what a key is turned by; none for radius -1."""
    return np.array(
        [sum(1 << bit for bit in chosen)
         for size in range(radius + 1) for chosen in combinations(range(bits), size)],
        np.uint32,
    )  # fmt: skip
