"""Keypoints of a source against those of an exemplar index: votes first, then verification.

Each feature of a sample votes for the exemplar rows that have a feature like it, apart by how far
it is turned there: the features of a copy agree about that, others do not (weak geometric
consistency: Jégou, Douze, Schmid, "Hamming embedding and weak geometric consistency for large scale
image search", ECCV 2008). Rows with the most votes are verified (verification.py). Samples are
searched as they are read: their features, 65 KB each, are not kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.rows import SignalRows
from vscan.hashes.keypoints import (
    DESCRIPTOR_BYTES,
    FEATURE_BYTES,
    GEOMETRY_BYTES,
    VARIANTS,
    in_variant,
    places,
    used,
)
from vscan.matching.match import OPERATING_INLIERS
from vscan.matching.search import FrameHits, no_hits
from vscan.matching.verification import Features, Verified, verify

VOTE_BITS = 56
"""Features that differ by more bits do not vote for each other."""
NEIGHBOURS = 16
"""Votes of one feature."""
MIN_VOTES = 6
"""Votes from which on a row may be verified."""
MAX_CANDIDATES = 6
"""Rows that may fail to verify for one sample before no more are tried."""
ROWS_OF_ONE = 2
"""Of them, rows of one exemplar in one variant; MOST_ROWS where much of one is there already."""
NEAR_MISS = 2 * OPERATING_INLIERS
"""Inliers from which on a frame that does not agree is likely to be beside one that does."""
MOST_ROWS = 8
"""Rows of an exemplar that are verified once one of them was: those voted for, and next to it."""
INVERTED = 8
"""Added to the form of a hit where the sample's negative agrees."""
_TURN_BINS = 8
_STILL_BITS = 24
_STILL_PLACE = 0.008
"""A feature stands still that has one like it as near as this in the frame beside it."""
_FORMS = {
    # (mirrored, quarter turns of the exemplar) -> the transform of the source that undoes both
    (False, 0): 0, (False, 1): 3, (False, 2): 2, (False, 3): 1,
    (True, 0): 4, (True, 1): 6, (True, 2): 5, (True, 3): 7,
}  # fmt: skip


@dataclass(frozen=True)
class _Hit:
    sample: int
    row: int
    form: int
    verified: Verified


class KeypointSearch:
    """Looks the samples of one source up in one index, batch by batch; `hits` has what agreed."""

    def __init__(self, index: ExemplarIndex) -> None:
        self._index = index
        self._known = _known_of(index)
        self._rows, self._slots = self._known.rows, self._known.slots
        self._hits: list[_Hit] = []
        self._samples = 0

    def feed(self, keypoints: NDArray[np.uint8]) -> None:
        """Look up the next samples' features (N, K, SOURCE_FEATURE_BYTES)."""
        for slots in keypoints:
            self._look_up(slots[used(slots)])
            self._samples += 1

    def hits(self) -> FrameHits:
        """What agreed so far; `sample` counts the samples in the order in which they were fed."""
        if not self._hits:
            return no_hits("keypoints")
        inliers = np.array([hit.verified.inliers for hit in self._hits], np.float64)
        found = FrameHits(
            "keypoints",
            np.array([hit.sample for hit in self._hits], np.int64),
            np.array([hit.row for hit in self._hits], np.int64),
            np.array([hit.form for hit in self._hits], np.int64),
            OPERATING_INLIERS / inliers,
            np.stack([hit.verified.affine for hit in self._hits]),
            np.array([(hit.verified.moving, hit.verified.still) for hit in self._hits], np.int64),
            np.array([hit.verified.telling for hit in self._hits], np.bool_),
        )
        return found.where(np.lexsort((found.form, found.row, found.sample)))

    def _look_up(self, slots: NDArray[np.uint8]) -> None:
        """slots: the (n, W) features of one sample."""
        variants, rows = self._voted_for(slots)
        owners = self._rows.exemplar[rows]
        asked: dict[tuple[int, int], int] = {}
        allowed: dict[tuple[int, int], int] = {}
        found: set[tuple[int, int]] = set()
        failed = 0
        seen: dict[int, Features] = {}
        for variant, row, exemplar in zip(variants.tolist(), rows.tolist(), owners, strict=True):
            owner = (variant, int(exemplar))
            if owner in found or asked.get(owner, 0) >= allowed.get(owner, ROWS_OF_ONE):
                continue
            if failed >= MAX_CANDIDATES:
                break
            asked[owner] = asked.get(owner, 0) + 1
            source = seen.setdefault(variant, _variant_of(slots, variant))
            verified = self._verify(source, variant, row)
            if verified is not None and verified.agrees:
                found.add(owner)
                # Frames of one exemplar share much of their scenery, and votes hardly tell them
                # apart: now that it is known to be there, its other frames are looked at as well.
                voted = rows[(variants == variant) & (owners == exemplar)]
                for other in self._other_rows(row, voted):
                    self._verify(source, variant, other)
            elif verified is not None and verified.inliers >= NEAR_MISS:
                allowed[owner] = MOST_ROWS  # a scene of it, or what all its scenes share
            else:
                failed += 1

    def _other_rows(self, row: int, voted: NDArray[np.int64]) -> list[int]:
        """Rows of the same exemplar that may agree better: those voted for, and the ones beside."""
        beside = self._known.beside(row)
        chosen = dict.fromkeys([*voted.tolist()[: MOST_ROWS - len(beside) + 1], *beside])
        return [other for other in chosen if other != row]

    def _verify(self, source: Features, variant: int, row: int) -> Verified | None:
        verified = verify(source, self._known.features(row), lambda: self._known.moving(row))
        if verified is not None and verified.agrees:
            form = _FORMS[VARIANTS[variant] == "mirrored", round(verified.turn_deg / 90.0) % 4]
            form += INVERTED if VARIANTS[variant] == "inverted" else 0
            self._hits.append(_Hit(self._samples, row, form, verified))
        return verified

    def _voted_for(self, slots: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Variants and rows with at least MIN_VOTES, those with the most first."""
        count = len(slots)
        none = np.empty(0, np.int64)
        if not count:
            return none, none
        queries, variant, feature = _queries(slots)
        found = self._index.vectors("keypoints").nearest(queries, NEIGHBOURS, VOTE_BITS)
        variant, feature = variant[found.query], feature[found.query]
        angle = slots[feature, -GEOMETRY_BYTES + 4].astype(np.int64)
        there = self._slots[found.row, found.slot, -GEOMETRY_BYTES + 4].astype(np.int64)
        turn = (np.choose(variant, (angle, 128 - angle, angle + 128)) - there) % 256
        # Two sets of bins, of which one is half a bin further on: no turn is at an edge of both.
        ballots = [
            (variant * len(self._rows) + found.row) * 2 * _TURN_BINS
            + (turn + shift) // 32 % _TURN_BINS
            + bins
            for shift, bins in ((0, 0), (16, _TURN_BINS))
        ]
        # A feature votes once, however many of a row's features are like it.
        votes = np.unique(np.concatenate(ballots) * count + np.tile(feature, 2))
        ballot, counted = np.unique(votes // count, return_counts=True)
        ballot, counted = ballot[counted >= MIN_VOTES], counted[counted >= MIN_VOTES]
        place = (ballot // (2 * _TURN_BINS))[np.argsort(-counted, kind="stable")]
        _, first = np.unique(place, return_index=True)
        place = place[np.sort(first)]
        return place // len(self._rows), place % len(self._rows)


class _Known:
    """The exemplars' side: features by row, and which of them move. One for each index."""

    def __init__(self, rows: SignalRows) -> None:
        self.rows = rows
        count = rows.values.shape[1] // FEATURE_BYTES
        self.slots = rows.values.astype(np.uint8, copy=False).reshape(
            len(rows), count, FEATURE_BYTES
        )
        """(R, K, W)."""
        self._moving: dict[int, NDArray[np.bool_]] = {}

    def features(self, row: int) -> Features:
        """Those of one row."""
        slots = self.slots[row][used(self.slots[row])]
        return Features(np.ascontiguousarray(slots[:, :DESCRIPTOR_BYTES]), places(slots))

    def beside(self, row: int) -> list[int]:
        """The rows before and after, of the same exemplar."""
        exemplar = self.rows.exemplar
        near = (each for each in (row - 1, row + 1) if 0 <= each < len(exemplar))
        return [each for each in near if exemplar[each] == exemplar[row]]

    def moving(self, row: int) -> NDArray[np.bool_]:
        """(n,) features of a row that no row beside it has at the same place.

        Threads of several sources may work it out at once: the same answer, kept twice.
        """
        if row not in self._moving:
            own, beside = self.features(row), self.beside(row)
            still = np.zeros(len(own), np.bool_)
            for other in beside:
                still |= _stands_in(own, self.features(other))
            # A picture has nothing beside it: nothing is known to move in it.
            self._moving[row] = ~still if beside else still
        return self._moving[row]


_KNOWN: WeakKeyDictionary[ExemplarIndex, _Known] = WeakKeyDictionary()
"""What was worked out of an index stays for the next source, as long as the index does."""


def _known_of(index: ExemplarIndex) -> _Known:
    known = _KNOWN.get(index)
    if known is None:
        known = _KNOWN[index] = _Known(index.rows("keypoints"))
    return known


def _queries(
    slots: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Descriptors (Q, 32) of a sample's features (n, W), and the variant and feature of each."""
    chosen = [np.flatnonzero(in_variant(slots, variant)) for variant in range(len(VARIANTS))]
    descriptors = [
        slots[features, variant * DESCRIPTOR_BYTES : (variant + 1) * DESCRIPTOR_BYTES]
        for variant, features in enumerate(chosen)
    ]
    variants = np.repeat(np.arange(len(VARIANTS)), [len(features) for features in chosen])
    return np.concatenate(descriptors), variants, np.concatenate(chosen)


def _variant_of(slots: NDArray[np.uint8], variant: int) -> Features:
    """A sample's features (n, W) as they are in that variant of its picture."""
    slots = slots[in_variant(slots, variant)]
    descriptors = slots[:, variant * DESCRIPTOR_BYTES : (variant + 1) * DESCRIPTOR_BYTES]
    side = np.array([-1 if VARIANTS[variant] == "mirrored" else 1, 1], np.float32)
    return Features(np.ascontiguousarray(descriptors), np.ascontiguousarray(places(slots) * side))


def _stands_in(own: Features, other: Features) -> NDArray[np.bool_]:
    """(n,) which features have one like them at the same place in the other frame."""
    if not len(own) or not len(other):
        return np.zeros(len(own), np.bool_)
    near = np.abs(own.places[:, None] - other.places[None]).max(axis=2) <= _STILL_PLACE
    one, another = np.nonzero(near)
    words = own.descriptors.view(np.uint64)[one] ^ other.descriptors.view(np.uint64)[another]
    alike = np.bitwise_count(words).sum(axis=1) <= _STILL_BITS
    stands = np.zeros(len(own), np.bool_)
    stands[one[alike]] = True
    return stands
