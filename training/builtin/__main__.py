"""One command from nothing to the shipped files: train, calibrate, measure, write the card."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

from training.builtin import calibrate, evaluate, shipment, speed, train
from training.builtin.card import write_card
from training.builtin.gates import gates
from training.builtin.glyphs import load_concepts
from training.builtin.recipe import Recipe
from training.builtin.scoring import Scorer
from training.builtin.trials import CALIBRATION_SEED, FINAL_SEED, Trials
from vscan.policies import load_pack

SHIPPED = Path("src/vscan/embeddings/builtin")
FILES = ("open_clip_model.safetensors", "open_clip_config.json", "bpe4096.txt.gz")


def ship(run: Path, given: argparse.Namespace) -> int:
    """Install the run's weights, set the pack's thresholds, measure both; 1 if a gate is missed."""
    concepts = load_concepts(given.cache)
    given.to.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(run / name, given.to / name)
    shipment.write_all(concepts, given.cache, given.to)
    found = calibrate.thresholds(
        Scorer(given.to, load_pack(str(given.pack))), concepts, CALIBRATION_SEED, given.scale
    )
    calibrate.write(given.pack, found)
    scorer = Scorer(given.to, load_pack(str(given.pack)))
    figures = evaluate.measure(scorer, Trials(concepts, FINAL_SEED), given.scale, given.real_video)
    figures["speed"] = speed.images_per_second()
    figures["calibration"] = found
    (run / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    last = json.loads((run / "log.jsonl").read_text("utf-8").splitlines()[-1])
    weights = (given.to / FILES[0]).read_bytes()
    write_card(
        given.to,
        figures,
        concepts=len(concepts),
        command=f"python -m training.builtin --steps {given.steps} --seed {given.seed} --out DIR",
        run={
            "recipe": Recipe(steps=given.steps, seed=given.seed).as_dict(),
            "minutes": last["minutes"],
            "machine": evaluate.machine(),
            "threads": given.threads,
            "note": given.note,
            "sha256": hashlib.sha256(weights).hexdigest(),
        },
    )
    results = gates(figures)
    print("\n".join(map(str, results)))
    return 0 if all(gate.met for gate in results) else 1


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, train or resume, then ship."""
    parser = argparse.ArgumentParser(prog="python -m training.builtin", description=__doc__)
    train.add_arguments(parser)
    parser.add_argument("--to", type=Path, default=SHIPPED, help="where the shipped files go")
    parser.add_argument("--pack", type=Path, default=calibrate.PACK, help="pack to calibrate")
    parser.add_argument(
        "--real-video", type=Path, metavar="DIR", help="also count false flags there"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies evaluation's frames")
    parser.add_argument("--note", default="", help="what the card says of the machine, as its load")
    given = parser.parse_args(arguments)
    train.run(given)
    sys.exit(ship(given.out, given))


if __name__ == "__main__":
    main()
