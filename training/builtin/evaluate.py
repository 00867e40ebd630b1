"""Measures exported weights: ``python -m training.builtin.evaluate --model DIR --json FILE``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from training.builtin import figures, real_video, speed
from training.builtin.gates import gates
from training.builtin.glyphs import load_concepts
from training.builtin.scoring import Scorer
from training.builtin.train import CACHE
from training.builtin.trials import FINAL_SEED, TUNING_SEED, Trials
from vscan.policies import load_pack


def machine() -> str:
    """Return processor, cores and library versions in words."""
    import cv2
    import torch

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [row for row in info.read_text().splitlines() if row.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return (
        f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__}, OpenCV {cv2.__version__}"
    )


def measure(
    scorer: Scorer, trials: Trials, scale: float, video: Path | None, each: int = 12
) -> dict[str, Any]:
    """Return all figures; ``scale`` multiplies the number of frames."""
    found: dict[str, Any] = {"machine": machine(), "seed": trials.seed}
    found["zero_shot"] = figures.zero_shot(scorer, trials, max(1, round(each * scale)))
    found["policies"] = figures.policies(scorer, trials, scale)
    frames = trials.scenes(int(500 * scale), family=4, empty=0.15)[1]
    found["likeness"] = figures.likeness(scorer, frames)
    if video is not None:
        found["real_video"] = real_video.fired(scorer, video)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure, say which gates are met, write the figures; exit 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m training.builtin.evaluate")
    parser.add_argument("--model", type=Path, required=True, help="folder of the exported weights")
    parser.add_argument("--pack", default="configs/policies/demo.toml")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--final", action="store_true", help="the seed kept for the published card")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of frames")
    parser.add_argument(
        "--real-video", type=Path, metavar="DIR", help="also count false flags there"
    )
    parser.add_argument("--cache", type=Path, default=CACHE)
    given = parser.parse_args(arguments)
    scorer = Scorer(given.model, load_pack(given.pack))
    trials = Trials(load_concepts(given.cache), FINAL_SEED if given.final else TUNING_SEED)
    found = measure(scorer, trials, given.scale, given.real_video)
    found["speed"] = speed.images_per_second()
    found["model"] = scorer.encoder.fingerprint.partition("#")[2]
    if given.json is not None:
        given.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(found, ensure_ascii=False, indent=1), file=sys.stderr)
    results = gates(found)
    print("\n".join(map(str, results)))
    sys.exit(0 if all(gate.met for gate in results) else 1)


if __name__ == "__main__":
    main()
