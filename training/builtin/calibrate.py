"""Sets the demo pack's thresholds: ``python -m training.builtin.calibrate --model DIR``."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tomlkit

from training.builtin.glyphs import Concept, load_concepts
from training.builtin.scoring import Scorer
from training.builtin.train import CACHE
from training.builtin.trials import CALIBRATION_SEED, Trials
from vscan.policies import PolicyPack, load_pack

PACK = Path("configs/policies/demo.toml")
# Per action: the share of empty frames, and of frames of other objects, that may reach it.
ALLOWED = {"review": (0.005, 0.015), "escalate": (0.001, 0.004), "remove": (0.0005, 0.002)}
# Per action: the recall that its threshold leaves. Frames that no generator drew are stranger
# than any it draws, so a threshold is as high as recall affords, not as low as allowances let it.
RECALL = {"review": 0.70, "escalate": 0.62, "remove": 0.55}
EMPTY_FRAMES, OTHER_FRAMES, POLICY_FRAMES = 6000, 3000, 420

Scores = npt.NDArray[np.float64]


def threshold(own: Scores, empty: Scores, other: Scores, action: str) -> float:
    """Return an action's threshold, to 3 decimals, up.

    It is where recall on the policy's ``own`` frames falls to the action's ``RECALL``; higher
    where the allowances on ``empty`` and ``other`` frames ask for it; and never below 0.5.
    """
    of_empty, of_other = ALLOWED[action]
    least = max(np.quantile(empty, 1 - of_empty), np.quantile(other, 1 - of_other), 0.5)
    least = max(least, np.quantile(own, 1 - RECALL[action]))
    return min(math.ceil(least * 1000 - 1e-9) / 1000, 0.999)


def thresholds(
    scorer: Scorer, concepts: Sequence[Concept], seed: int, scale: float = 1.0
) -> dict[str, dict[str, float]]:
    """Return, by policy id, each action's threshold and the recall there."""
    trials = Trials(concepts, seed)
    empty = scorer.embed(trials.empty(int(EMPTY_FRAMES * scale)))
    members, frames = trials.scenes(int(OTHER_FRAMES * scale), family=2, empty=0.0)
    other = scorer.embed(frames)
    found = {}
    for policy in scorer.pack.policies:
        innocent = np.array([not trials.holds(m, policy.prompts) for m in members])
        against = scorer.policy(empty, policy), scorer.policy(other[innocent], policy)
        own = scorer.embed(trials.of_policy(policy.id, int(POLICY_FRAMES * scale)))
        scores = scorer.policy(own, policy)
        row: dict[str, float] = {}
        for action in ALLOWED:
            row[action] = threshold(scores, *against, action)
            row[f"{action}_recall"] = round(float((scores >= row[action]).mean()), 3)
        found[policy.id] = row
    return found


def write(pack: Path, found: dict[str, dict[str, float]]) -> None:
    """Set the thresholds that the pack already has, comments kept."""
    document = tomlkit.parse(pack.read_text("utf-8"))
    for policy in document["policy"]:
        table = policy["thresholds"]
        for action in list(table):
            table[action] = found[str(policy["id"])][action]
    pack.write_text(tomlkit.dumps(document), "utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Calibrate and write the pack back."""
    parser = argparse.ArgumentParser(prog="python -m training.builtin.calibrate")
    parser.add_argument("--model", type=Path, required=True, help="folder of the exported weights")
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--seed", type=int, default=CALIBRATION_SEED)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of frames")
    given = parser.parse_args(arguments)
    pack: PolicyPack = load_pack(str(given.pack))
    scorer = Scorer(given.model, pack)
    found = thresholds(scorer, load_concepts(given.cache), given.seed, given.scale)
    write(given.pack, found)
    print(json.dumps(found, indent=1), file=sys.stderr)


if __name__ == "__main__":
    main()
