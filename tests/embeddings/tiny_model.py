"""Makes a tiny CLIP with random weights in a folder, as open_clip writes models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {
            "image_size": 32,
            "patch_size": 16,
            "width": 32,
            "head_width": 16,
            "layers": 1,
        },
        "text_cfg": {
            "context_length": 12,
            "vocab_size": 49408,
            "width": 16,
            "heads": 2,
            "layers": 1,
        },
    },
    "preprocess_cfg": {"size": [32, 32], "resize_mode": "squash", "mean": [0.5, 0.5, 0.5]},
}


def write_tiny_model(folder: Path, *, seed: int = 0, config: dict[str, Any] | None = None) -> Path:
    """Write open_clip_config.json and random weights into `folder`; returns the weights' path.

    config: of another network than CONFIG.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config or CONFIG), "utf-8")
    torch.manual_seed(seed)
    module = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    path = folder / "tiny.safetensors"
    save_file({name: value.contiguous() for name, value in module.state_dict().items()}, path)
    return path
