"""The model's figures on procedural frames: zero-shot, policies, robustness of embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.builtin.concepts import EVALUATED
from training.builtin.scoring import Scorer
from training.builtin.trials import Trials, jpeg

Pixels = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float64]
SIZES = ((0.25, 0.7), (0.15, 0.25), (0.25, 0.4), (0.4, 0.5), (0.5, 0.7))


def area_under_roc(positive: Scores, negative: Scores) -> float:
    """Return the chance that a positive scores above a negative, ties half (Mann-Whitney)."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / (2 * len(order)))


def zero_shot(scorer: Scorer, trials: Trials, each: int) -> dict[str, Any]:
    """Return top-1 over the 65 evaluated concepts by size of the object, and over all."""
    concepts = trials.concepts
    chosen = [n for n, c in enumerate(concepts) if c.glyph in EVALUATED]
    names = scorer.prompts([c.name for c in concepts])
    found: dict[str, Any] = {"concepts": len(chosen), "all_concepts": len(concepts)}
    for size in SIZES:
        right, right_of_all, worst = [], [], {}
        for place, concept in enumerate(chosen):
            count = each if size in (SIZES[0], SIZES[-1]) else max(1, each // 3)
            scores = scorer.embed(trials.single(concept, count, size)) @ names.T
            right.append(float((scores[:, chosen].argmax(1) == place).mean()))
            right_of_all.append(float((scores.argmax(1) == concept).mean()))
            worst[concepts[concept].name] = round(right[-1], 2)
        label = f"{size[0]}-{size[1]}"
        found[f"top1_{label}"] = round(float(np.mean(right)), 4)
        if size == SIZES[0]:
            found["top1_all_concepts"] = round(float(np.mean(right_of_all)), 4)
            found["lowest"] = dict(sorted(worst.items(), key=lambda item: item[1])[:8])
    return found


def policies(scorer: Scorer, trials: Trials, scale: float) -> dict[str, dict[str, float]]:
    """Return, by policy, its AUC against other scenes, and recall and false flags at review."""
    empty = scorer.embed(trials.empty(int(3000 * scale)))
    members, frames = trials.scenes(int(1500 * scale), family=3, empty=0.15)
    other = scorer.embed(frames)
    found = {}
    for policy in scorer.pack.policies:
        innocent = np.array([not trials.holds(m, policy.prompts) for m in members])
        own = scorer.policy(scorer.embed(trials.of_policy(policy.id, int(210 * scale))), policy)
        wrong = scorer.policy(other[innocent], policy)
        blank = scorer.policy(empty, policy)
        limit = policy.thresholds.review or 1.0
        large = [
            frame
            for n, c in enumerate(trials.concepts)
            if c.policy == policy.id
            for frame in trials.single(n, max(4, int(24 * scale)), (0.4, 0.7))
        ]
        found[policy.id] = {
            "auc": round(area_under_roc(own, wrong), 4),
            "threshold": limit,
            "recall": round(float((own >= limit).mean()), 4),
            "recall_alone_0.4-0.7": round(
                float((scorer.policy(scorer.embed(large), policy) >= limit).mean()), 4
            ),
            "empty_flagged": round(float((blank >= limit).mean()), 4),
            "others_flagged": round(float((wrong >= limit).mean()), 4),
        }
    return found


def _crop(share: float) -> Callable[[Pixels], Pixels]:
    def crop(frame: Pixels) -> Pixels:
        height, width = frame.shape[:2]
        dy, dx = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
        return frame[dy : height - dy, dx : width - dx]

    return crop


def _smaller(frame: Pixels) -> Pixels:
    return np.asarray(cv2.resize(frame, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "jpeg20": lambda frame: jpeg(frame, 20),
    "mirrored": lambda frame: np.ascontiguousarray(frame[:, ::-1]),
    "cropped_80": _crop(0.8),
    "cropped_90": _crop(0.9),
    "small_160x120": _smaller,
    "brighter": lambda frame: np.clip(frame * 1.3, 0, 255).astype(np.uint8),
}


def likeness(scorer: Scorer, frames: Sequence[Pixels]) -> dict[str, Any]:
    """Return cosines between frames and changed copies, and between different frames."""
    base = scorer.embed(frames)
    found: dict[str, Any] = {}
    for name, change in CHANGES.items():
        cosine = (scorer.embed([change(frame) for frame in frames]) * base).sum(1)
        found[name] = {
            "mean": round(float(cosine.mean()), 4),
            "p5": round(float(np.quantile(cosine, 0.05)), 4),
        }
    between = (base @ base.T)[~np.eye(len(base), dtype=bool)]
    found["other_scenes"] = {
        "mean": round(float(between.mean()), 4),
        "p95": round(float(np.quantile(between, 0.95)), 4),
    }
    return found
