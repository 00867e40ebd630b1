"""Samples of a source against every row of an exemplar index: which two frames agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.rows import SignalRows
from vscan.exemplars.vectors import unit_rows
from vscan.hashes.pdq import DIHEDRAL_COUNT, HASH_BYTES, MATCH_DISTANCE, MIN_QUALITY, hamming
from vscan.matching.normalization import background_of
from vscan.tracks import Track

MAX_HITS = 256
"""Hits kept of one sample with one exemplar in one form. Only a picture that stands still for a
minute in both has more; the best are kept, of equals those at the nearest time."""
_PAIRS_AT_ONCE = 4_000_000
"""Comparisons whose hits may be in memory at the same time: 50 MB if every one is a hit."""


@dataclass(frozen=True, eq=False)
class FrameHits:
    """Pairs of a source's sample and an exemplar's row that agree, by sample, row and form."""

    signal: str
    sample: NDArray[np.int64]
    """(H,) position in the source's samples, ascending."""
    row: NDArray[np.int64]
    """(H,) position in ExemplarIndex.rows(signal)."""
    form: NDArray[np.int64]
    """(H,) position in DIHEDRAL_FORMS: the transform of the source's sample that agrees. Of
    `keypoints` the nearest one, and 8 more where the sample's negative agrees."""
    difference: NDArray[np.float64]
    """(H,) less is better: Hamming distance in bits for `pdq`; for `embedding` 1 - cosine,
    stretched so that every sample's own limit lies at the operating point (see normalization.py);
    for `keypoints` the number of inliers at the operating point over that found."""
    affine: NDArray[np.float32] | None = None
    """(H, 2, 3) for `keypoints`: from places in the exemplar's frame to places in the source's,
    mirrored where the form is, both in shares of the longer side; see hashes/keypoints.py."""
    fitting: NDArray[np.int64] | None = None
    """(H, 2, 2) for `keypoints`: of the exemplar's features that move, and of those that stand
    still, how many fit and how many the source shows."""
    telling: NDArray[np.bool_] | None = None
    """(H,) for `keypoints`: whether the sample proves something by itself; see verification.py."""
    similarity: NDArray[np.float64] | None = None
    """(H,) for `embedding`: the plain cosine."""

    def __len__(self) -> int:
        return len(self.sample)

    def __repr__(self) -> str:
        return f"FrameHits({self.signal}, {len(self)} pairs)"

    def where(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> FrameHits:
        """Those pairs alone, in that order."""
        return FrameHits(
            self.signal,
            self.sample[which],
            self.row[which],
            self.form[which],
            self.difference[which],
            None if self.affine is None else self.affine[which],
            None if self.fitting is None else self.fitting[which],
            None if self.telling is None else self.telling[which],
            None if self.similarity is None else self.similarity[which],
        )


@dataclass(frozen=True, eq=False)
class SourceTracks:
    """A source as it is matched: when its samples are, and what was measured on them."""

    times_s: NDArray[np.float64]
    """(T,) of every sample, ascending, each once."""
    end_s: float
    """Presentation time at which the source ends."""
    tracks: Mapping[str, Track]
    """By signal; `pdq` may have several rows a sample, one for each region."""
    keypoint_hits: Mapping[str, FrameHits] = field(default_factory=dict)
    """By index: what keypoints agreed while the source was read."""

    @classmethod
    def of(cls, tracks: Mapping[str, Track], end_s: float) -> SourceTracks:
        """A source of which the tracks are all that is known."""
        every = [np.empty(0), *(track.times_s for track in tracks.values())]
        return cls(np.unique(np.concatenate(every)), end_s, tracks)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(T,) samples that may agree with anything: not those whose picture is blank.

        A sample counts by the best of its regions; one that was not hashed is taken as it is.
        """
        usable = np.ones(len(self.times_s), np.bool_)
        hashed = self.tracks.get("pdq")
        if hashed is not None and hashed.quality is not None:
            at = np.searchsorted(self.times_s, hashed.times_s)
            usable[at] = False
            usable[at[hashed.quality >= MIN_QUALITY]] = True
        return usable


def search(
    index: ExemplarIndex,
    signal: str,
    source: SourceTracks,
    *,
    match_similarity: float | None = None,
) -> FrameHits:
    """Every pair of a sample and a row that agree in `signal`, `pdq` or `embedding`.

    Two frames agree in `pdq` at a distance of at most MATCH_DISTANCE bits in one of the eight forms
    of the source's sample, and in `embedding` from the cosine `match_similarity` (by default the
    index's own) on, which is higher for a sample that resembles the background more than usual, and
    lower for one that resembles it less: see normalization.py. Pictures of a PDQ quality below
    MIN_QUALITY agree with nothing, on either side and in either signal: blank frames look alike.

    Raises ExemplarIndexError where the index does not hold the signal, ValueError where the
    source's vectors have another length than the index's.
    """
    rows, queries = index.rows(signal), _Queries.of(index, signal, source, match_similarity)
    usable = usable_rows(index, rows)
    found = [no_hits(signal)]
    if usable.any():
        step = max(1, _PAIRS_AT_ONCE // (len(rows) * queries.forms))
        for start in range(0, len(queries.sample), step):
            part = slice(start, start + step)
            values = queries.values[part].reshape(-1, queries.width)
            # Every sample has its own limit: the widest one finds the pairs of all.
            hits = index.vectors(signal).range_search(values, float(queries.limits[part].max()))
            asked = start + hits.query // queries.forms
            form = hits.query % queries.forms
            kept = usable[hits.row] & (hits.difference <= queries.limits[asked])
            pairs = queries.hits(signal, asked, hits.row, form, hits.difference)
            found.append(_thinned(pairs.where(kept), rows, source.times_s))
    return _joined(found)


def search_reference(
    index: ExemplarIndex,
    signal: str,
    source: SourceTracks,
    *,
    match_similarity: float | None = None,
) -> FrameHits:
    """The same as `search`, by comparing every pair in numpy: slow, and plainly right."""
    rows, queries = index.rows(signal), _Queries.of(index, signal, source, match_similarity)
    usable = usable_rows(index, rows)
    found = [no_hits(signal)]
    for query, values in enumerate(queries.values):
        each = values.reshape(queries.forms, -1)
        difference = (
            hamming(each[:, None], rows.values[None].astype(np.uint8)).astype(np.float64)
            if signal == "pdq"
            else 1.0 - each.astype(np.float64) @ unit_rows(rows.values).astype(np.float64).T
        )
        form, row = np.nonzero((difference <= queries.limits[query]) & usable)
        hits = queries.hits(signal, np.full(len(row), query), row, form, difference[form, row])
        found.append(_thinned(hits, rows, source.times_s))
    return _joined(found)


@dataclass(frozen=True, eq=False)
class _Queries:
    """The source's side of a search."""

    values: NDArray[np.uint8] | NDArray[np.float32]
    """(Q, forms * width)."""
    sample: NDArray[np.int64]
    """(Q,) the sample of each."""
    forms: int
    limits: NDArray[np.float64]
    """(Q,) largest difference of each that still agrees; above 0 for an embedding."""
    stretch: NDArray[np.float64] | None = None
    """(Q,) for an embedding: the limit at the operating point over that of each."""

    @property
    def width(self) -> int:
        return int(self.values.shape[1]) // self.forms

    def hits(
        self,
        signal: str,
        query: NDArray[np.int64],
        row: NDArray[np.int64],
        form: NDArray[np.int64],
        difference: NDArray[np.float64],
    ) -> FrameHits:
        """The hits (H,) of those queries with those rows."""
        sample = self.sample[query]
        if self.stretch is None:
            return FrameHits(signal, sample, row, form, difference)
        stretched = difference * self.stretch[query]
        return FrameHits(signal, sample, row, form, stretched, similarity=1.0 - difference)

    @classmethod
    def of(
        cls,
        index: ExemplarIndex,
        signal: str,
        source: SourceTracks,
        match_similarity: float | None,
    ) -> _Queries:
        track = source.tracks[signal]
        sample = np.searchsorted(source.times_s, track.times_s)
        if signal == "pdq":
            if len(track) and track.values.shape[1] != DIHEDRAL_COUNT * HASH_BYTES:
                raise ValueError(f"a source's pdq track holds eight hashes a row, got {track}")
            quality = np.full(len(track), 100) if track.quality is None else track.quality
            seen = quality >= MIN_QUALITY
            values = track.values[seen].astype(np.uint8).reshape(-1, DIHEDRAL_COUNT * HASH_BYTES)
            limits = np.full(len(values), float(MATCH_DISTANCE))
            return cls(values, sample[seen], DIHEDRAL_COUNT, limits)
        width = index.rows(signal).values.shape[1]
        if len(track) and track.values.shape[1] != width:
            raise ValueError(f"{track} against an index of vectors of {width} numbers")
        point = operating_similarity(index, match_similarity)
        seen = source.usable[sample]
        vectors, sample = unit_rows(track.values[seen]), sample[seen]
        limits = np.full(len(vectors), 1.0 - point)
        if (background := background_of(index)) is not None:
            limits = background.limits(vectors, point)
        told = limits > 0
        vectors, sample, limits = vectors[told], sample[told], limits[told]
        return cls(vectors, sample, 1, limits, (1.0 - point) / limits)


def operating_similarity(index: ExemplarIndex, match_similarity: float | None = None) -> float:
    """The cosine from which two embeddings agree, where the sample resembles the background as much
    as usual: `match_similarity`, or else the index's own."""
    model = index.manifest.model
    if match_similarity is not None:
        if not 0.0 < match_similarity < 1.0:
            raise ValueError(f"a match similarity is within 0..1, got {match_similarity}")
        return match_similarity
    return 1.0 if model is None else model.match_similarity


def usable_rows(index: ExemplarIndex, rows: SignalRows) -> NDArray[np.bool_]:
    """(R,) rows that may agree with anything: of active exemplars, and not of blank pictures."""
    active = np.asarray(index.active, np.bool_)
    return (rows.quality >= MIN_QUALITY) & active[rows.exemplar]


def no_hits(signal: str) -> FrameHits:
    """No pair at all."""
    none = np.empty(0, np.int64)
    return FrameHits(signal, none, none, none, np.empty(0, np.float64))


def _thinned(hits: FrameHits, rows: SignalRows, times_s: NDArray[np.float64]) -> FrameHits:
    """The best hit of each sample, exemplar time and form, and of those the best MAX_HITS of each
    sample, exemplar and form."""
    if not len(hits):
        return hits
    exemplar, row_time = rows.exemplar[hits.row], rows.times_s[hits.row]
    order = np.lexsort((hits.row, hits.difference, row_time, hits.form, exemplar, hits.sample))
    key = np.stack((hits.sample, exemplar, hits.form, row_time))[:, order]
    hits = hits.where(order[np.r_[True, np.any(key[:, 1:] != key[:, :-1], axis=0)]])
    exemplar = rows.exemplar[hits.row]
    apart = np.abs(rows.times_s[hits.row] - times_s[hits.sample])
    order = np.lexsort((apart, hits.difference, hits.form, exemplar, hits.sample))
    key = np.stack((hits.sample, exemplar, hits.form))[:, order]
    begins = np.flatnonzero(np.r_[True, np.any(key[:, 1:] != key[:, :-1], axis=0)])
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
    return hits.where(np.sort(order[rank < MAX_HITS]))


def _joined(parts: list[FrameHits]) -> FrameHits:
    sample, row, form, difference = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("sample", "row", "form", "difference")
    )
    order = np.lexsort((form, row, sample))
    cosines = [part.similarity for part in parts if part.similarity is not None]
    similarity = np.concatenate(cosines) if cosines else None
    hits = FrameHits(parts[0].signal, sample, row, form, difference, similarity=similarity)
    return hits.where(order)
