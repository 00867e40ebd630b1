"""Stills: stretches of an exemplar in which nothing moves, which prove nothing by themselves.

Test cards, title cards, logos on a plain ground and end credits come back in videos that have
nothing else in common. So what agrees with such a stretch alone, of an exemplar that moves
elsewhere, is no match; an exemplar that is a still throughout (a picture, a slide show) may match.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.rows import SignalRows
from vscan.exemplars.vectors import unit_rows
from vscan.hashes.keypoints import DESCRIPTOR_BYTES, FEATURE_BYTES, UNUSED
from vscan.hashes.pdq import hamming

_STILL_BITS = 4
_STILL_COSINE = 0.9995
_STILL_FEATURES = 0.8
"""Share of the features that must be the same, at the same place."""
_FEATURE_BITS = 12
_LEAST_S = 0.9
"""Seconds from which on a picture that does not move is a still."""
_MOSTLY = 0.6
"""Share of an exemplar's samples that are stills from which on it may match by them."""


def shows_only_stills(rows: SignalRows, position: int, picked: NDArray[np.int64]) -> bool:
    """Whether the picked rows of the exemplar at `position` are all stills, and it moves elsewhere.

    picked: positions in rows.
    """
    own = np.flatnonzero(rows.exemplar == position)
    own = own[np.r_[True, np.diff(rows.times_s[own]) > 0]]  # the first region of every sample
    if len(own) < 2:
        return False
    still = _still(rows, own)
    if still.mean() >= _MOSTLY:
        return False
    return bool(still[np.searchsorted(rows.times_s[own], rows.times_s[picked])].all())


def _still(rows: SignalRows, own: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) which of an exemplar's samples lie in a run without motion of _LEAST_S or longer."""
    same = _same_as_next(rows, own)
    run = np.r_[0, np.cumsum(~same)]
    times_s = rows.times_s[own]
    begins = np.flatnonzero(np.r_[True, run[1:] != run[:-1]])
    ends = np.r_[begins[1:], len(own)] - 1
    long = times_s[ends] - times_s[begins] >= _LEAST_S - 1e-6
    return np.repeat(long, ends - begins + 1)


def _same_as_next(rows: SignalRows, own: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n - 1,) whether a sample's picture is that of the next one."""
    values = rows.values[own]
    if rows.signal == "pdq":
        bits = hamming(values[:-1].astype(np.uint8), values[1:].astype(np.uint8))
        return np.asarray(bits <= _STILL_BITS, np.bool_)
    if rows.signal == "embedding":
        unit = unit_rows(values)
        return np.asarray(np.einsum("rd,rd->r", unit[:-1], unit[1:]) >= _STILL_COSINE, np.bool_)
    slots = values.astype(np.uint8).reshape(len(own), -1, FEATURE_BYTES)
    return np.array([_same_features(one, other) for one, other in pairwise(slots)])


def _same_features(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether most features (K, W) of two samples are at the same place and alike."""
    one, other = one[one[:, -1] != UNUSED], other[other[:, -1] != UNUSED]
    if not len(one) or not len(other):
        return len(one) == len(other)
    bits = np.bitwise_count(
        one[:, None, :DESCRIPTOR_BYTES].view(np.uint64)
        ^ other[None, :, :DESCRIPTOR_BYTES].view(np.uint64)
    ).sum(axis=2)
    places = [
        each[:, DESCRIPTOR_BYTES : DESCRIPTOR_BYTES + 4].copy().view("<u2") for each in (one, other)
    ]
    apart = np.abs(places[0][:, None].astype(np.int32) - places[1][None]).max(axis=2)
    found = np.any((bits <= _FEATURE_BITS) & (apart <= 200), axis=1)
    return bool(found.mean() >= _STILL_FEATURES)
