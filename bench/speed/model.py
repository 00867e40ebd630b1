"""The model and the pack of the end-to-end measurement: random weights, the same for both sides."""

from __future__ import annotations

from pathlib import Path

MODEL = "ViT-B-32"
WEIGHTS, PACK = "weights.safetensors", "pack.toml"
_SEED = 7
_PACK = """\
# A few prompts to score. To random weights all pictures and texts are much alike, so that a score
# is about the share of a policy's prompts among all: far below the threshold, as for most content.
schema = "vscan.pack/1"
name = "bench-speed"
version = "1"
title = "A few prompts for measuring speed"
model = "ViT-B-32"
templates = ["{}", "a photo of {}"]
neutral = [
  "an ordinary scene", "nothing of note", "a landscape", "a street", "people talking", "an animal",
  "a room", "food on a table", "a sports event", "a title card", "the sky", "a drawing",
]

[[policy]]
id = "bench.weapons"
title = "Weapons"
severity = "high"
prompts = ["a person aiming a gun", "a knife"]
[policy.thresholds]
review = 0.99

[[policy]]
id = "bench.fire"
title = "Fire"
severity = "medium"
prompts = ["a house on fire", "an explosion"]
[policy.thresholds]
review = 0.99
"""


def weights_in(folder: Path) -> Path:
    """The file of random weights of MODEL in a folder, made where it is missing (600 MB)."""
    path = folder / WEIGHTS
    if not path.is_file():
        import open_clip
        import torch
        from safetensors.torch import save_file

        torch.manual_seed(_SEED)
        unfinished = path.with_name(path.name + ".part")
        save_file(open_clip.create_model(MODEL, load_weights=False).state_dict(), unfinished)
        unfinished.replace(path)
    return path


def pack_in(folder: Path) -> Path:
    """The pack, written into a folder."""
    path = folder / PACK
    path.write_text(_PACK, "utf-8")
    return path
