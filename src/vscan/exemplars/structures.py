"""Which structure searches a signal: flat as long as that is best, then one that looks at less.

The limits were measured with bench/index_search.py; decision 0011 has the figures.
"""

from __future__ import annotations

import math

FLAT_UP_TO = {"embedding": 20_000, "pdq": 16_384, "keypoints": 4_096}
"""Vectors up to which comparing every one is about as fast as anything else, and exact."""
TYPES: dict[str, tuple[str, str]] = {
    "embedding": ("IndexFlatIP", "IndexIVFFlat"),
    "pdq": ("IndexBinaryFlat", "BitTables"),
    "keypoints": ("IndexBinaryFlat", "IndexBinaryIVF"),
}
"""Class by signal, for few vectors and for many: of FAISS, or of bit_tables.py."""
INVERTED = ("IndexIVFFlat", "IndexBinaryIVF")
"""Classes whose lists are put together from cells; see cells.py and inverted.py."""
PROBES = 32
"""Lists of an IndexIVFFlat that are looked at for each query."""
BINARY_PROBES = 8
"""Lists of an IndexBinaryIVF that are looked at for each descriptor."""
RECALL = {"pdq": 1.0, "keypoints": 0.7}
"""What BitTables must find of the pairs that lie at the very limit: see BitTables.range_search."""


def type_for(signal: str, vectors: int) -> str:
    """The class that searches so many vectors of the signal."""
    return TYPES[signal][vectors > FLAT_UP_TO[signal]]


def lists_for(signal: str, vectors: int) -> int:
    """Lists (cells) of inverted files, a power of two: next to 2 * sqrt(V) for embeddings, next to
    sqrt(V), at least 64, for descriptors, of which every one is compared with every centroid.
    """
    if signal == "embedding":
        return 1 << round(math.log2(2 * math.sqrt(max(1, vectors))))
    return max(64, 1 << round(math.log2(math.sqrt(max(1, vectors)))))


def key_bits_for(signal: str, vectors: int) -> int:
    """Bits of the keys of BitTables.

    16 for PDQ: 16 tables with one bit turned miss nothing up to 31 bits. For keypoints, whose
    limit is no promise, as many as make buckets of about one vector, up to 22 (16 MB a table).
    """
    return 16 if signal == "pdq" else min(22, max(16, vectors.bit_length() - 1))
