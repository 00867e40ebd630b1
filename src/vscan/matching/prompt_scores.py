"""Prompt scores: how much more a frame looks like a policy's prompts than like anything else.

Pure numpy over vectors that were made before. docs/prompt-scores.md says what a score is and is
not; in short, it is no probability of a violation, and a threshold on it belongs to one model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.model_files import same_model
from vscan.embeddings.prompts import PackPrompts
from vscan.errors import ModelError
from vscan.tracks import Track

_ROWS = 32
"""Rows of every matrix product; fixed, so that a frame's scores do not depend on its company."""
_MOST_SCALE = 300.0
"""Up to here a softmax over all policies at once keeps every share's precision: no exponent falls
below -2 * 300, and a double goes down to exp(-708)."""
_UNIT_TOLERANCE = 0.01
"""How far a stored vector may be from length 1; rounding to float16 costs less than 0.001."""


@dataclass(frozen=True, eq=False)
class PolicyScores:
    """One policy's prompts on the samples of one source."""

    policy_id: str
    prompts: tuple[str, ...]
    times_s: NDArray[np.float64]
    """(T,) presentation times in seconds."""
    scores: NDArray[np.float64]
    """(T,) 0..1."""
    similarities: NDArray[np.float64]
    """(T, P) cosines -1..1 of every sample with every prompt, in the order of `prompts`."""

    def __post_init__(self) -> None:
        t = len(self.times_s)
        if self.scores.shape != (t,) or self.similarities.shape != (t, len(self.prompts)):
            raise ValueError(
                f"{self.policy_id}: scores {self.scores.shape} and similarities"
                f" {self.similarities.shape} do not fit {t} times, {len(self.prompts)} prompts"
            )

    def __repr__(self) -> str:
        top = f", highest {self.scores.max():.4f}" if len(self.scores) else ""
        return f"PolicyScores({self.policy_id}, {len(self.scores)} samples{top})"


class PromptScorer:
    """Scores embedding tracks of one model against a pack's prompts."""

    def __init__(self, prompts: PackPrompts) -> None:
        self.prompts = prompts
        stacked = [part for each in prompts.policies for part in (each.vectors, each.against)]
        self._sides: list[NDArray[np.intp]] = []
        """Columns of each policy's prompts, and of what they are contrasted with, in turn."""
        self._matrix = np.empty((0, 0), np.float64)
        """(D, U) unit vectors, each once: policies share most of what they are contrasted with."""
        self._members = np.empty((0, 0), np.float64)
        """(U, 2 * policies) how often a vector is on each of the sides."""
        if stacked:
            unique, column = np.unique(np.concatenate(stacked), axis=0, return_inverse=True)
            self._matrix = np.ascontiguousarray(_unit(unique).T)
            bounds = np.cumsum([len(part) for part in stacked])[:-1]
            self._sides = np.split(column.reshape(-1), bounds)
            self._members = np.zeros((len(unique), len(stacked)))
            for side, columns in enumerate(self._sides):
                np.add.at(self._members[:, side], columns, 1.0)

    def score(self, track: Track) -> tuple[PolicyScores, ...]:
        """Each policy's scores on an embedding track, in the pack's order.

        Raises ModelError where another model made the track, or its values are no unit vectors.
        """
        made_by = track.spec.get("model", self.prompts.model)
        if not same_model(made_by, self.prompts.model):
            raise ModelError(
                f"the embeddings were made by {made_by}, the prompts by {self.prompts.model}",
                remedy="use the same --model for both",
            )
        if not self.prompts.policies:
            return ()
        cosines, shares = self._scored(track.values)
        return tuple(
            PolicyScores(
                policy.policy_id,
                policy.prompts,
                track.times_s,
                shares[:, number],
                np.take(cosines, self._sides[2 * number], axis=1),
            )
            for number, policy in enumerate(self.prompts.policies)
        )

    def _scored(
        self, values: NDArray[np.float16] | NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(T, U) cosines with every vector, and (T, policies) scores."""
        if values.ndim != 2 or values.shape[1] != self._matrix.shape[0]:
            raise ModelError(
                f"the embeddings have {values.shape[1]} dimensions, the prompts"
                f" {self._matrix.shape[0]}",
                remedy="use the same --model for both",
            )
        vectors = values.astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=1)
        if not (np.abs(lengths - 1.0) <= _UNIT_TOLERANCE).all():
            raise ModelError(
                "the embeddings are not unit vectors: they are damaged",
                remedy="scan these videos again",
            )
        cosines = np.empty((len(vectors), self._matrix.shape[1]), np.float64)
        shares = np.empty((len(vectors), len(self.prompts.policies)), np.float64)
        block = np.zeros((_ROWS, vectors.shape[1]), np.float64)
        for at in range(0, len(vectors), _ROWS):
            part = vectors[at : at + _ROWS] / lengths[at : at + _ROWS, None]
            block[: len(part)] = part
            found = np.clip(block @ self._matrix, -1.0, 1.0)
            cosines[at : at + len(part)] = found[: len(part)]
            shares[at : at + len(part)] = self._shares(found)[: len(part)]
        return cosines, shares

    def _shares(self, cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        """(R, policies) scores of rows of cosines (R, U): `softmax_share` of each policy."""
        scale = self.prompts.logit_scale
        if scale > _MOST_SCALE:
            pairs = zip(self._sides[::2], self._sides[1::2], strict=True)
            each = [
                softmax_share(cosines[:, own], cosines[:, other], scale) for own, other in pairs
            ]
            return np.stack(each, axis=1)
        mass = np.exp(scale * (cosines - cosines.max(axis=1, keepdims=True))) @ self._members
        share: NDArray[np.float64] = mass[:, ::2] / (mass[:, ::2] + mass[:, 1::2])
        return share


def softmax_share(
    own: NDArray[np.float64], other: NDArray[np.float64], logit_scale: float
) -> NDArray[np.float64]:
    """(T,) share 0..1 of the softmax that falls on `own` (T, P) cosines, the rest on `other`.

    sum(exp(s * own)) / (sum(exp(s * own)) + sum(exp(s * other))), s = `logit_scale`: the zero-shot
    classifier of Radford et al. 2021 (arXiv:2103.00020), section 3.1.2, with a policy's prompts
    taken as one class. The highest logit is subtracted first, so nothing overflows.
    """
    top = np.maximum(own.max(axis=1), other.max(axis=1))[:, None]
    mass = np.exp(logit_scale * (own - top)).sum(axis=1)
    rest = np.exp(logit_scale * (other - top)).sum(axis=1)
    share: NDArray[np.float64] = mass / (mass + rest)
    return share


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    units: NDArray[np.float64] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return units
