"""Search, then align: every part of a source that agrees with a part of an exemplar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import ExemplarIndex
from vscan.intervals import Interval
from vscan.matching.chains import Alignment, Chain
from vscan.matching.keypoint_search import INVERTED
from vscan.matching.match import (
    OPERATING_INLIERS,
    Match,
    inliers_score,
    pdq_score,
    similarity_score,
)
from vscan.matching.search import FrameHits, SourceTracks, operating_similarity, search
from vscan.matching.stills import shows_only_stills
from vscan.matching.timing import ExemplarTime, SourceSamples
from vscan.media import DIHEDRAL_FORMS

_UNDONE = {"rotated_90": "rotated_270", "rotated_270": "rotated_90"}
"""Form of the source's sample that agrees -> what was done to the exemplar; the others undo
themselves."""


def find_matches(
    index: ExemplarIndex,
    source: SourceTracks,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    match_similarity: float | None = None,
) -> list[Match]:
    """Every part of a source that agrees with a part of an exemplar, in time order.

    Signals of the source that the index does not hold are passed over. sha256 and md5: of the
    source's bytes, to tell an exact copy whatever its pictures; MD5 counts for exemplars of which
    nothing better is known. match_similarity: another operating point
    for embeddings than the index's own.
    """
    matches = list(_exact_copies(index, sha256, md5, source.end_s))
    for signal in index.signals:
        if signal == "keypoints":
            hits = source.keypoint_hits.get(index.name)
        elif signal in source.tracks:
            hits = search(index, signal, source, match_similarity=match_similarity)
        else:
            hits = None
        if hits is not None and len(hits):
            point = operating_similarity(index, match_similarity)
            matches += align(index, hits, source, match_similarity=point)
    return sorted(
        matches, key=lambda m: (m.source_span, m.exemplar, m.signal, m.exemplar_span, m.transform)
    )


def align(
    index: ExemplarIndex, hits: FrameHits, source: SourceTracks, *, match_similarity: float
) -> list[Match]:
    """The matches that the hits of one signal make, exemplar by exemplar.

    A sample stands for the time up to the next one, so a match ends where its last sample's time
    does, or where the exemplar ends. match_similarity: the operating point of `embedding`.
    """
    rows, samples = index.rows(hits.signal), SourceSamples.of(source)
    of_row = rows.exemplar[hits.row]
    matches = []
    for position in np.unique(of_row):
        exemplar = index.exemplars[position]
        one = Alignment(
            samples,
            ExemplarTime.of(exemplar, rows, int(position)),
            hits,
            np.flatnonzero(of_row == position),
            rows,
            match_similarity,
        )
        matches += [
            _match(index, exemplar, hits.signal, one, chain, match_similarity)
            for chain in one.chains()
            if not shows_only_stills(rows, int(position), one.row[chain.picked])
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
    source_s, exemplar_s = one.source.end_s, one.exemplar.duration_s
    score = pdq_score(median)
    distance: float | None = median
    similarity: float | None = None
    inliers: int | None = None
    if signal == "embedding":
        score, distance = similarity_score(1.0 - median, match_similarity), None
        cosine = one.similarity
        similarity = 1.0 - median if cosine is None else float(np.median(cosine[chain.picked]))
    elif signal == "keypoints":
        inliers, distance = round(OPERATING_INLIERS / median), None
        score = inliers_score(OPERATING_INLIERS / difference)
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
        score=score,
        distance=distance,
        similarity=similarity,
        inliers=inliers,
        speed=chain.speed,
        transform=_transform(one, chain),
        source_coverage=_share(chain.source_span, source_s),
        exemplar_coverage=_share(chain.exemplar_span, exemplar_s),
        samples=len(chain.picked),
    )


def _transform(one: Alignment, chain: Chain) -> str:
    """What was done to the exemplar to make the source."""
    form = DIHEDRAL_FORMS[chain.form % INVERTED]
    done = _UNDONE.get(form, form)
    if one.affine is not None:
        affine = one.affine[chain.picked]
        turn = float(np.degrees(np.median(np.arctan2(affine[:, 1, 0], affine[:, 0, 0]))))
        if abs((turn + 45.0) % 90.0 - 45.0) > _TURNED_DEG:
            done = "rotated" if done == "identity" else f"{done}_and_rotated"
    if chain.form < INVERTED:
        return done
    return "inverted" if done == "identity" else f"inverted_{done}"


_TURNED_DEG = 5.0
"""Degrees away from upright from which on keypoints call a picture rotated."""


def _share(span: Interval, whole_s: float) -> float:
    return min(1.0, span.length_s / whole_s) if whole_s > 0 else 1.0


def _exact_copies(
    index: ExemplarIndex, sha256: str | None, md5: str | None, end_s: float
) -> Iterator[Match]:
    for exemplar, active in zip(index.exemplars, index.active, strict=True):
        known = {"sha256": exemplar.sha256} if exemplar.sha256 else {"md5": exemplar.md5}
        (signal, digest), own = *known.items(), {"sha256": sha256, "md5": md5}
        if active and digest is not None and digest == own[signal]:
            yield Match(
                index=index.name,
                exemplar=exemplar.id,
                policy=exemplar.policy,
                opinion=exemplar.opinion,
                severity=exemplar.severity,
                signal=signal,
                source_span=Interval(0.0, end_s),
                exemplar_span=Interval(0.0, exemplar.duration_s or end_s),
                peak_s=0.0,
                score=1.0,
                source_coverage=1.0,
                exemplar_coverage=1.0,
                samples=0,
            )
