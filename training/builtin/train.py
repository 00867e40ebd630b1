"""Trains the built-in model: ``python -m training.builtin.train --steps N --seed S --out DIR``."""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import time
from pathlib import Path

import torch

from training.builtin import checkpoints, network
from training.builtin.batches import Batch, batches
from training.builtin.glyphs import load_concepts
from training.builtin.recipe import Recipe

STEPS = 12_000  # of the shipped weights
CACHE = Path.home() / ".cache" / "vscan-training"


def begin(plan: Recipe, concepts: int) -> checkpoints.Run:
    """Return an untrained run; its weights follow the seed."""
    torch.manual_seed(plan.seed)
    learner = network.Learner(concepts)
    named = [p for p in learner.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in named if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.peak, betas=(0.9, 0.98), fused=True)
    average = copy.deepcopy(learner).eval()
    learner.train()
    return checkpoints.Run(learner=learner, average=average, optimiser=optimiser)


@torch.no_grad()
def blend(run: checkpoints.Run, keep: float) -> None:
    """Move the averaged weights and statistics towards the current ones."""
    torch._foreach_lerp_(list(run.average.parameters()), list(run.learner.parameters()), 1 - keep)
    for old, new in zip(run.average.buffers(), run.learner.buffers(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def learn(run: checkpoints.Run, batch: Batch, plan: Recipe) -> dict[str, float]:
    """Take one step; return the parts of its loss."""
    for group in run.optimiser.param_groups:
        group["lr"] = plan.rate(run.step)
    parts = run.learner.losses(
        torch.from_numpy(batch.images),
        torch.from_numpy(batch.tokens),
        torch.from_numpy(batch.true),
        torch.from_numpy(batch.classes),
    )
    run.optimiser.zero_grad()
    total = torch.stack(list(parts.values())).sum()
    torch.autograd.backward(total)
    torch.nn.utils.clip_grad_norm_(run.learner.parameters(), plan.clip)
    run.optimiser.step()
    blend(run, plan.average(run.step))
    run.step += 1
    return {name: float(value.detach()) for name, value in parts.items()}


def train(
    plan: Recipe, out: Path, cache: Path, workers: int, every: int, stop_at: int | None = None
) -> Path:
    """Run or resume a recipe and return the weights' path; ``stop_at`` ends a sitting early."""
    out.mkdir(parents=True, exist_ok=True)
    network.write_shape(out)
    run = begin(plan, len(load_concepts(cache)))
    if checkpoints.load(out, run, plan):
        print(f"resumed at step {run.step} of {plan.steps}", file=sys.stderr)
    smooth: dict[str, float] = {}
    end = min(plan.steps, stop_at or plan.steps)
    before, clock = run.seconds, time.monotonic()
    with batches(plan, cache, run.step, workers) as source, (out / "log.jsonl").open("a") as log:
        while run.step < end:
            for name, value in learn(run, next(source), plan).items():
                smooth[name] = 0.97 * smooth.get(name, value) + 0.03 * value
            run.seconds = before + time.monotonic() - clock
            if run.step % 50 == 0 or run.step == end:
                row = {
                    "step": run.step,
                    "minutes": round(run.seconds / 60, 2),
                    "cpu_minutes": round(sum(os.times()[:2]) / 60, 2),
                    "side": plan.side(run.step),
                    "scale": round(float(run.learner.clip.logit_scale.detach().exp()), 2),
                    **{name: round(value, 4) for name, value in smooth.items()},
                }
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, file=sys.stderr, flush=True)
            if run.step % every == 0 or run.step == end:
                checkpoints.save(out, run, plan)
                checkpoints.export(out, run.average)
    return checkpoints.export(out, run.average)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a training run needs to know."""
    parser.add_argument("--steps", type=int, default=STEPS, help="64 pictures each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="weights, log and checkpoint")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the name list is kept")
    parser.add_argument("--threads", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    parser.add_argument("--save-every", type=int, default=250, metavar="STEPS")


def run(given: argparse.Namespace) -> Path:
    """Train or resume as the command line says; return the weights' path."""
    torch.set_num_threads(given.threads)
    plan = Recipe(steps=given.steps, seed=given.seed)
    return train(plan, given.out, given.cache, given.workers, given.save_every)


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m training.builtin.train", description=__doc__)
    add_arguments(parser)
    print(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
