"""Checkpoints of a run as safetensors and JSON: a stopped run goes on exactly where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from training.builtin.network import Learner
from training.builtin.recipe import Recipe


@dataclass
class Run:
    """The state that a step changes: weights, their running average, the optimiser's moments."""

    learner: Learner
    average: Learner
    optimiser: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0  # spent training, over all sittings

    def __repr__(self) -> str:
        return f"Run(step={self.step}, seconds={self.seconds:.0f})"

    def _parameters(self) -> list[torch.nn.Parameter]:
        return [p for group in self.optimiser.param_groups for p in group["params"]]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return every tensor of the state by name."""
        found = {f"learner.{k}": v for k, v in self.learner.state_dict().items()}
        found |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for n, parameter in enumerate(self._parameters()):
            for key, value in self.optimiser.state[parameter].items():
                found[f"optimiser.{n}.{key}"] = value
        return {name: value.detach().clone().contiguous() for name, value in found.items()}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Set every tensor of the state."""

        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

        self.learner.load_state_dict(part("learner."))
        self.average.load_state_dict(part("average."))
        for n, parameter in enumerate(self._parameters()):
            # The fused kernel walks raw memory: moments must be laid out as their weights are.
            self.optimiser.state[parameter] = {
                key: torch.empty_like(parameter).copy_(value) if value.ndim else value
                for key, value in part(f"optimiser.{n}.").items()
            }


def save(folder: Path, run: Run, plan: Recipe) -> None:
    """Write the checkpoint; a crash half-way leaves the one before it whole."""
    note = {
        "step": str(run.step),
        "seconds": str(run.seconds),
        "recipe": json.dumps(plan.as_dict()),
    }
    scratch = folder / "checkpoint.safetensors.part"
    save_file(run.tensors(), scratch, metadata=note)
    scratch.replace(folder / "checkpoint.safetensors")


def load(folder: Path, run: Run, plan: Recipe) -> bool:
    """Restore the run from the folder's checkpoint; False where there is none.

    Raises:
        ValueError: the checkpoint is of another recipe; the text names both.
    """
    path = folder / "checkpoint.safetensors"
    if not path.is_file():
        return False
    with safe_open(path, "pt") as file:
        note: dict[str, Any] = file.metadata()
        made_by = json.loads(note["recipe"])
        if made_by != plan.as_dict():
            raise ValueError(
                f"{path} is of the recipe {made_by}, not {plan.as_dict()}: use --fresh"
            )
        run.restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    run.step, run.seconds = int(note["step"]), float(note["seconds"])
    return True


def export(folder: Path, average: Learner) -> Path:
    """Write the averaged CLIP weights as half-precision safetensors, as open_clip loads them."""
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in average.clip.state_dict().items()
    }
    path = folder / "open_clip_model.safetensors"
    save_file(weights, path, metadata={"what": "vscan built-in demo model; pictograms only"})
    return path
