"""Search, then align: every part of a source that agrees with a part of an exemplar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.parts import picture_quality
from vscan.hashes.pdq import MIN_QUALITY
from vscan.intervals import Interval
from vscan.matching.chains import Alignment, Chain, ExemplarTime, SourceSamples
from vscan.matching.match import Match, pdq_score, similarity_score
from vscan.matching.search import FrameHits, operating_similarity, search
from vscan.media import DIHEDRAL_FORMS
from vscan.tracks import Track

_UNDONE = {"rotated_90": "rotated_270", "rotated_270": "rotated_90"}
"""Form of the source's sample that agrees -> what was done to the exemplar; the others undo
themselves."""


def find_matches(
    index: ExemplarIndex,
    tracks: Mapping[str, Track],
    *,
    end_s: float,
    sha256: str | None = None,
    match_similarity: float | None = None,
) -> list[Match]:
    """Every part of a source that agrees with a part of an exemplar, in time order.

    tracks: of the source, by signal; signals that the index does not hold are passed over.
    end_s: presentation time at which the source ends. sha256: of the source's bytes, to tell an
    exact copy whatever its pictures. match_similarity: another operating point for embeddings than
    the index's own.
    """
    matches = [] if sha256 is None else list(_exact_copies(index, sha256, end_s))
    for signal in index.signals:
        if signal in tracks:
            hits = search(index, signal, tracks, match_similarity=match_similarity)
            point = operating_similarity(index, match_similarity)
            matches += align(index, hits, tracks, end_s=end_s, match_similarity=point)
    return sorted(
        matches, key=lambda m: (m.source_span, m.exemplar, m.signal, m.exemplar_span, m.transform)
    )


def align(
    index: ExemplarIndex,
    hits: FrameHits,
    tracks: Mapping[str, Track],
    *,
    end_s: float,
    match_similarity: float,
) -> list[Match]:
    """The matches that the hits of one signal make, exemplar by exemplar.

    A sample stands for the time up to the next one, so a match ends where its last sample's time
    does, or where the exemplar ends. match_similarity: the operating point of `embedding`.
    """
    rows, track = index.rows(hits.signal), tracks[hits.signal]
    source = SourceSamples.of(track, picture_quality(track, tracks) >= MIN_QUALITY, end_s)
    of_row = rows.exemplar[hits.row]
    matches = []
    for position in np.unique(of_row):
        exemplar = index.exemplars[position]
        chosen = np.flatnonzero(of_row == position)
        one = Alignment(
            source,
            ExemplarTime.of(exemplar, rows, int(position)),
            hits,
            chosen,
            rows,
            match_similarity,
        )
        matches += [
            _match(index, exemplar, hits.signal, one, chain, match_similarity)
            for chain in one.chains()
        ]
    return matches


def _match(
    index: ExemplarIndex,
    exemplar: Exemplar,
    signal: str,
    one: Alignment,
    chain: Chain,
    match_similarity: float,
) -> Match:
    difference = one.difference[chain.picked]
    median = float(np.median(difference))
    best = one.sample[chain.picked[int(np.argmin(difference))]]
    is_pdq = signal == "pdq"
    form = DIHEDRAL_FORMS[chain.form]
    source_s, exemplar_s = one.source.end_s, one.exemplar.duration_s
    return Match(
        index=index.name,
        exemplar=exemplar.id,
        policy=exemplar.policy,
        opinion=exemplar.opinion,
        severity=exemplar.severity,
        signal=signal,
        source_span=chain.source_span,
        exemplar_span=chain.exemplar_span,
        peak_s=float(one.source.times_s[best]),
        score=pdq_score(median) if is_pdq else similarity_score(1.0 - median, match_similarity),
        distance=median if is_pdq else None,
        similarity=None if is_pdq else 1.0 - median,
        transform=_UNDONE.get(form, form),
        source_coverage=_share(chain.source_span, source_s),
        exemplar_coverage=_share(chain.exemplar_span, exemplar_s),
        samples=len(chain.picked),
    )


def _share(span: Interval, whole_s: float) -> float:
    return min(1.0, span.length_s / whole_s) if whole_s > 0 else 1.0


def _exact_copies(index: ExemplarIndex, sha256: str, end_s: float) -> Iterator[Match]:
    for exemplar in index.exemplars:
        if exemplar.enabled and exemplar.sha256 == sha256:
            yield Match(
                index=index.name,
                exemplar=exemplar.id,
                policy=exemplar.policy,
                opinion=exemplar.opinion,
                severity=exemplar.severity,
                signal="sha256",
                source_span=Interval(0.0, end_s),
                exemplar_span=Interval(0.0, exemplar.duration_s or end_s),
                peak_s=0.0,
                score=1.0,
                source_coverage=1.0,
                exemplar_coverage=1.0,
                samples=0,
            )
