"""Which of many stored sources may match an index at all: the others are not looked at closer.

A new exemplar is looked up in everything that was ever stored, of which next to nothing matches. So
the samples of many sources are first compared at once with few stand-ins for the index's rows, in a
way that lets everything pass that `search` could find a hit for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.threads import alone
from vscan.exemplars.vectors import unit_rows
from vscan.hashes.pdq import HASH_BYTES, MATCH_DISTANCE, MIN_QUALITY, hamming
from vscan.matching.normalization import Background, background_of
from vscan.matching.search import operating_similarity, usable_rows
from vscan.tracks import Track

COVER_BITS = 40
"""Rows within so many bits of a pivot are stood in for by it. With MATCH_DISTANCE on top that is
still far below the 128 bits by which hashes of unrelated pictures differ."""
MOST_PIVOTS = 512
MOST_ROWS = 4096
"""Pivots, or embeddings, beyond which an index's own search is quicker: then everything passes."""
_ROUNDING = 1e-5
_SHORTEST = 0.98
"""Length of a stored vector, at least: prompt scoring refuses what is further from 1 than 0.01."""
_AT_ONCE = 16_384

Tracks = Mapping[str, Track]


class Sieve:
    """Lets pass what may match the active exemplars of one index, by `pdq` and `embedding`.

    Keypoints are none of its business: they are looked up in full.
    """

    def __init__(self, index: ExemplarIndex, *, match_similarity: float | None = None) -> None:
        self._pivots: NDArray[np.uint8] | None = None
        self._rows: NDArray[np.float32] | None = None
        self._background: Background | None = None
        if "pdq" in index.signals:
            rows = index.rows("pdq")
            hashes = rows.values[usable_rows(index, rows)].astype(np.uint8, copy=False)
            self._pivots = cover(hashes, COVER_BITS, most=MOST_PIVOTS)
        if "embedding" in index.signals:
            rows = index.rows("embedding")
            usable = usable_rows(index, rows)
            self._point = operating_similarity(index, match_similarity)
            self._background = background_of(index)
            if usable.sum() <= MOST_ROWS:
                self._rows = unit_rows(rows.values[usable])

    def passing(self, sources: Sequence[Tracks]) -> NDArray[np.bool_]:
        """(N,) which of the sources may have a hit in the signals that they bring tracks of."""
        passing = np.zeros(len(sources), np.bool_)
        for signal, kept in (("pdq", self._by_hash), ("embedding", self._by_embedding)):
            having = [n for n, tracks in enumerate(sources) if len(tracks.get(signal, ()))]
            if having:
                tracks = [sources[n][signal] for n in having]
                owner = np.repeat(having, [len(track) for track in tracks])
                passing[owner[kept(tracks)]] = True
        return passing

    def _by_hash(self, tracks: Sequence[Track]) -> NDArray[np.bool_]:
        """(R,) rows of the tracks that lie near a pivot in one of their forms."""
        rows = sum(map(len, tracks))
        if self._pivots is None:
            return np.ones(rows, np.bool_)
        near = np.zeros(rows, np.bool_)
        if not len(self._pivots):
            return near
        values = np.concatenate([track.values for track in tracks]).astype(np.uint8, copy=False)
        quality = np.concatenate(
            [np.full(len(t), 100, np.uint8) if t.quality is None else t.quality for t in tracks]
        )
        seen = np.flatnonzero(quality >= MIN_QUALITY)
        forms = values.shape[1] // HASH_BYTES
        distance = nearest_bits(values[seen].reshape(-1, HASH_BYTES), self._pivots)
        near[seen] = distance.reshape(-1, forms).min(axis=1) <= COVER_BITS + MATCH_DISTANCE
        return near

    def _by_embedding(self, tracks: Sequence[Track]) -> NDArray[np.bool_]:
        """(R,) rows of the tracks that are as similar to one of the index's as they must be."""
        values = np.concatenate([track.values for track in tracks])
        if self._rows is None:
            return np.ones(len(values), np.bool_)
        near = np.zeros(len(values), np.bool_)
        if not len(self._rows):
            return near
        for start in range(0, len(values), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            if self._background is None:
                # Stored vectors have about length 1: that is near enough to let too much pass.
                product = (values[part].astype(np.float32) @ self._rows.T).max(axis=1)
                near[part] = product >= self._point * _SHORTEST
                continue
            units = unit_rows(values[part])
            needed = 1.0 - self._background.limits(units, self._point)
            near[part] = (units @ self._rows.T).max(axis=1) >= needed - _ROUNDING
        return near


def cover(hashes: NDArray[np.uint8], radius: int, *, most: int) -> NDArray[np.uint8] | None:
    """(P, 32) of the hashes (R, 32), so that each lies within `radius` bits of one of them.

    Chosen in order, each the first that none before covers. None where more than `most` are needed.
    """
    chosen: list[NDArray[np.uint8]] = []
    rest = np.unique(hashes, axis=0)
    while len(rest):
        if len(chosen) == most:
            return None
        chosen.append(rest[0])
        rest = rest[hamming(rest, rest[0][None]) > radius]
    return np.array(chosen, np.uint8).reshape(-1, HASH_BYTES)


def nearest_bits(queries: NDArray[np.uint8], pivots: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(Q,) bits by which each of the queries (Q, 32) differs from the nearest of the pivots."""
    import faiss

    flat = faiss.IndexBinaryFlat(8 * HASH_BYTES)
    flat.add(np.ascontiguousarray(pivots))
    alone()
    distance, _ = flat.search(np.ascontiguousarray(queries), 1)
    return np.asarray(distance[:, 0], np.int64)
