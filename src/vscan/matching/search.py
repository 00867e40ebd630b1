"""Samples of a source against every sample of an exemplar index: which two frames agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.faiss_files import unit_rows
from vscan.exemplars.index import ExemplarIndex, SignalRows
from vscan.exemplars.parts import picture_quality
from vscan.hashes.pdq import DIHEDRAL_COUNT, HASH_BYTES, MATCH_DISTANCE, MIN_QUALITY, hamming
from vscan.tracks import Track

MAX_HITS = 256
"""Hits kept of one sample with one exemplar in one form. Only a picture that stands still for a
minute in both has more; the best are kept, of equals those at the nearest time."""
_PAIRS_AT_ONCE = 4_000_000
"""Comparisons whose hits may be in memory at the same time: 50 MB if every one is a hit."""


@dataclass(frozen=True, eq=False)
class FrameHits:
    """Pairs of a source's sample and an exemplar's sample that agree, by sample, row and form."""

    signal: str
    sample: NDArray[np.int64]
    """(H,) position in the source's track, ascending."""
    row: NDArray[np.int64]
    """(H,) position in ExemplarIndex.rows(signal)."""
    form: NDArray[np.int64]
    """(H,) position in DIHEDRAL_FORMS: the transform of the source's sample that agrees."""
    difference: NDArray[np.float64]
    """(H,) Hamming distance in bits for `pdq`, 1 - cosine for `embedding`: less is better."""

    def __len__(self) -> int:
        return len(self.sample)

    def __repr__(self) -> str:
        return f"FrameHits({self.signal}, {len(self)} pairs)"


def search(
    index: ExemplarIndex,
    signal: str,
    tracks: Mapping[str, Track],
    *,
    match_similarity: float | None = None,
) -> FrameHits:
    """Every pair of samples that agree in `signal`, found with FAISS.

    tracks: of the source, by signal: `pdq` (T, 8 * 32) with quality, `embedding` (T, D). Two
    samples agree in `pdq` at a distance of at most MATCH_DISTANCE bits in one of the eight forms
    of the source's sample, and in `embedding` from the cosine `match_similarity` (by default the
    index's own) on. Pictures of a PDQ quality below MIN_QUALITY agree with nothing, on either
    side and in either signal: all blank frames look alike.

    Raises ExemplarIndexError where the index does not hold the signal, ValueError where the
    source's vectors have another length than the index's.
    """
    rows, queries = index.rows(signal), _Queries.of(index, signal, tracks, match_similarity)
    usable = _usable_rows(index, rows)
    found = [_no_hits(signal)]
    if usable.any():
        step = max(1, _PAIRS_AT_ONCE // (len(rows) * queries.forms))
        for start in range(0, len(queries.samples), step):
            part = queries.samples[start : start + step]
            hits = _range_search(index, queries, part)
            found.append(_thinned(_kept(hits, usable[hits.row]), rows, queries.times_s))
    return _joined(found)


def search_reference(
    index: ExemplarIndex,
    signal: str,
    tracks: Mapping[str, Track],
    *,
    match_similarity: float | None = None,
) -> FrameHits:
    """The same as `search`, by comparing every pair in numpy: slow, and plainly right."""
    rows, queries = index.rows(signal), _Queries.of(index, signal, tracks, match_similarity)
    usable = _usable_rows(index, rows)
    found = [_no_hits(signal)]
    for sample in queries.samples:
        values = queries.values[sample].reshape(queries.forms, -1)
        difference = (
            hamming(values[:, None], rows.values[None].astype(np.uint8)).astype(np.float64)
            if signal == "pdq"
            else 1.0 - values.astype(np.float64) @ unit_rows(rows.values).astype(np.float64).T
        )
        form, row = np.nonzero((difference <= queries.limit) & usable)
        hits = FrameHits(signal, np.full(len(row), sample), row, form, difference[form, row])
        found.append(_thinned(hits, rows, queries.times_s))
    return _joined(found)


@dataclass(frozen=True, eq=False)
class _Queries:
    """The source's side of a search."""

    signal: str
    times_s: NDArray[np.float64]
    values: NDArray[np.uint8] | NDArray[np.float32]
    """(T, forms * width)."""
    forms: int
    samples: NDArray[np.int64]
    """Positions of the samples that may agree with anything."""
    limit: float
    """Largest difference that still agrees."""

    @classmethod
    def of(
        cls,
        index: ExemplarIndex,
        signal: str,
        tracks: Mapping[str, Track],
        match_similarity: float | None,
    ) -> _Queries:
        track = tracks[signal]
        samples = np.flatnonzero(picture_quality(track, tracks) >= MIN_QUALITY)
        if signal == "pdq":
            if len(track) and track.values.shape[1] != DIHEDRAL_COUNT * HASH_BYTES:
                raise ValueError(f"a source's pdq track holds eight hashes a sample, got {track}")
            values: NDArray[np.uint8] | NDArray[np.float32] = track.values.astype(np.uint8)
            return cls(signal, track.times_s, values, DIHEDRAL_COUNT, samples, MATCH_DISTANCE)
        width = index.rows(signal).values.shape[1]
        if len(track) and track.values.shape[1] != width:
            raise ValueError(f"{track} against an index of vectors of {width} numbers")
        limit = 1.0 - operating_similarity(index, match_similarity)
        return cls(signal, track.times_s, unit_rows(track.values), 1, samples, limit)


def operating_similarity(index: ExemplarIndex, match_similarity: float | None = None) -> float:
    """The cosine from which two embeddings agree: `match_similarity`, or else the index's own."""
    model = index.manifest.model
    if match_similarity is not None:
        if not 0.0 < match_similarity < 1.0:
            raise ValueError(f"a match similarity is within 0..1, got {match_similarity}")
        return match_similarity
    return 1.0 if model is None else model.match_similarity


def _range_search(index: ExemplarIndex, queries: _Queries, part: NDArray[np.int64]) -> FrameHits:
    faiss_index = index.faiss_index(queries.signal)
    values = queries.values[part].reshape(len(part) * queries.forms, -1)
    if queries.signal == "pdq":
        # FAISS's binary range search is strict: distance < radius.
        limits, difference, row = faiss_index.range_search(values, int(queries.limit) + 1)
    else:
        # Strict as well; a little below the limit so that float32 loses nothing that is on it.
        limits, cosine, row = faiss_index.range_search(values, 1.0 - queries.limit - 1e-6)
        difference = 1.0 - cosine.astype(np.float64)
    query = np.repeat(np.arange(len(values)), np.diff(limits.astype(np.int64)))
    return FrameHits(
        queries.signal,
        part[query // queries.forms],
        row.astype(np.int64),
        query % queries.forms,
        np.maximum(difference.astype(np.float64), 0.0),
    )


def _usable_rows(index: ExemplarIndex, rows: SignalRows) -> NDArray[np.bool_]:
    """Rows that may agree with anything: of enabled exemplars, and not of blank pictures."""
    enabled = np.array([exemplar.enabled for exemplar in index.exemplars], np.bool_)
    return (rows.quality >= MIN_QUALITY) & enabled[rows.exemplar]


def _thinned(hits: FrameHits, rows: SignalRows, times_s: NDArray[np.float64]) -> FrameHits:
    """The best MAX_HITS of each sample, exemplar and form."""
    exemplar = rows.exemplar[hits.row]
    apart = np.abs(rows.times_s[hits.row] - times_s[hits.sample])
    order = np.lexsort((apart, hits.difference, hits.form, exemplar, hits.sample))
    key = np.stack((hits.sample, exemplar, hits.form))[:, order]
    begins = np.flatnonzero(np.r_[True, np.any(key[:, 1:] != key[:, :-1], axis=0)])
    length = np.diff(np.r_[begins, len(order)])
    rank = np.arange(len(order)) - np.repeat(begins[: len(length)], length)
    return _kept(hits, np.sort(order[rank < MAX_HITS])) if len(order) else hits


def _kept(hits: FrameHits, which: NDArray[np.bool_] | NDArray[np.int64]) -> FrameHits:
    return FrameHits(
        hits.signal,
        hits.sample[which],
        hits.row[which],
        hits.form[which],
        hits.difference[which],
    )


def _joined(parts: list[FrameHits]) -> FrameHits:
    sample, row, form, difference = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("sample", "row", "form", "difference")
    )
    order = np.lexsort((form, row, sample))
    return _kept(FrameHits(parts[0].signal, sample, row, form, difference), order)


def _no_hits(signal: str) -> FrameHits:
    none = np.empty(0, np.int64)
    return FrameHits(signal, none, none, none, np.empty(0, np.float64))
