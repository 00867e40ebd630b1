"""Parts of open_clip: its own networks, number for number, without the packages around it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.embeddings.tiny_model import CONFIG, write_tiny_model
from vscan.embeddings.model_files import model_files
from vscan.embeddings.network import build_network
from vscan.embeddings.open_clip_parts import PACKAGE, open_clip_part
from vscan.embeddings.state_dict import load_state

RESNET = {"image_size": 32, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None}


@pytest.mark.parametrize(
    "changes",
    [{}, {"quick_gelu": True}, {"custom_text": True}, {"vision_cfg": RESNET}],
    ids=["ViT", "quick GELU", "custom text", "ResNet"],
)
def test_networks_are_those_of_open_clip(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A network built from parts gives the very numbers of the one that open_clip builds."""
    import open_clip
    import torch

    config = CONFIG | {"model_cfg": CONFIG["model_cfg"] | changes}
    weights = write_tiny_model(tmp_path, config=config)
    files = model_files("mine", weights)
    ours: Any = build_network(files)
    load_state(ours, weights, "mine")
    theirs: Any = open_clip.create_model(f"local-dir:{tmp_path}", load_weights=False)
    load_state(theirs, weights, "mine")
    assert type(ours).__module__.startswith(PACKAGE)
    pictures = torch.from_numpy(np.random.default_rng(7).random((2, 3, 32, 32), np.float32))
    tokens = open_clip.tokenize(["a cat", "a dog"], context_length=12)
    with torch.inference_mode():
        for mine, other in (
            (ours.eval().encode_image(pictures), theirs.eval().encode_image(pictures)),
            (ours.encode_text(tokens), theirs.encode_text(tokens)),
        ):
            np.testing.assert_array_equal(mine.numpy(), other.numpy())


def test_a_network_with_a_tower_of_timm_is_open_clips_whole(tmp_path: Path) -> None:
    """What needs timm is built by open_clip itself, with timm."""
    vision = {"image_size": 32, "timm_model_name": "resnet10t", "timm_pool": "", "timm_proj": ""}
    config = CONFIG | {"model_cfg": CONFIG["model_cfg"] | {"embed_dim": 512, "vision_cfg": vision}}
    weights = write_tiny_model(tmp_path, config=config)
    built = build_network(model_files("mine", weights))
    assert type(built).__module__ == "open_clip.model"


def test_a_part_that_open_clip_lacks_is_an_import_error() -> None:
    """A name that no file of open_clip has is told as Python tells it."""
    with pytest.raises(ImportError, match="nothing_like_it"):
        open_clip_part("nothing_like_it")


def test_loading_a_plain_model_imports_nothing_around_it(tmp_path: Path) -> None:
    """A model without a tower of timm encodes without torchvision, timm or open_clip whole."""
    weights = write_tiny_model(tmp_path)
    program = (
        "import sys, numpy as np\n"
        "from vscan.embeddings.openclip import load_encoder\n"
        "from pathlib import Path\n"
        "encoder = load_encoder('mine', weights=Path(sys.argv[1]), device='cpu')\n"
        "encoder.encode_images(np.zeros((1, 32, 32, 3), np.uint8))\n"
        "encoder.encode_texts(['a cat'])\n"
        "heavy = ('torchvision', 'timm', 'transformers', 'open_clip')\n"
        "print(*[name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(weights)], capture_output=True, text=True, check=True
    )
    assert "" == done.stdout.strip()
