"""What the built-in model must reach before it ships, and whether the figures reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gate:
    """One promise: a figure, its bound, and on which side of it the figure must lie."""

    what: str
    value: float
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the figure keeps the promise."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return (
            f"{self.what}: {self.value:g} ({sign} {self.bound:g}) {'met' if self.met else 'MISSED'}"
        )


def gates(figures: dict[str, Any]) -> list[Gate]:
    """Return every gate with its figure."""
    shown, like = figures["zero_shot"], figures["likeness"]
    rows = figures["policies"].values()
    aucs = [row["auc"] for row in rows]
    found = [
        Gate("zero-shot top-1, objects 0.25-0.7", shown["top1_0.25-0.7"], 0.85, True),
        Gate("zero-shot top-1, objects 0.5-0.7", shown["top1_0.5-0.7"], 0.92, True),
        Gate("lowest policy AUC", min(aucs), 0.90, True),
        Gate("mean policy AUC", round(sum(aucs) / len(aucs), 4), 0.95, True),
        Gate("most empty frames flagged", max(r["empty_flagged"] for r in rows), 0.01, False),
        Gate("lowest recall", min(row["recall"] for row in rows), 0.6, True),
        Gate("cosine with a JPEG20 copy, p5", like["jpeg20"]["p5"], 0.95, True),
        Gate("cosine with a mirrored copy, mean", like["mirrored"]["mean"], 0.90, True),
        Gate("cosine with a copy cropped to 80 %, mean", like["cropped_80"]["mean"], 0.85, True),
        Gate("cosine with other scenes, p95", like["other_scenes"]["p95"], 0.60, False),
    ]
    if "real_video" in figures:
        worst = max(figures["real_video"]["fired"].values())
        found.append(Gate("most real-video frames flagged", worst, 0.02, False))
    return found
