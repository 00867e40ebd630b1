"""The network's shape, its tokenizer's vocabulary, and the losses it learns from."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

VOCABULARY = 4096
CONTEXT = 16
WIDTH = 256
BPE_NAME = "bpe4096.txt.gz"
# What open_clip writes into a model without preprocess settings of its own.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": WIDTH,
        "vision_cfg": {
            "timm_model_name": "resnet10t",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": 64,
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": VOCABULARY,
            "width": 128,
            "heads": 4,
            "layers": 2,
            "mlp_ratio": 4.0,
        },
    },
    "preprocess_cfg": {
        "size": [64, 64],
        "mode": "RGB",
        "mean": list(MEAN),
        "std": list(STD),
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
}

_work_folder: Path | None = None


def write_shape(folder: Path) -> None:
    """Write the configuration and the vocabulary, the first merges of open_clip's own."""
    from open_clip.tokenizer import default_bpe

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=1) + "\n", "utf-8")
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")
    merges = lines[: 1 + VOCABULARY - 2 * 256 - 2]  # a header, merges, bytes twice, two marks
    packed = gzip.compress("\n".join(merges).encode(), mtime=0)  # no time, so that bytes repeat
    (folder / BPE_NAME).write_bytes(packed)


def tokenizer(folder: Path | None = None) -> Any:
    """Return open_clip's tokenizer over the small vocabulary (texts -> (N, 16) int64)."""
    import tempfile

    from open_clip.tokenizer import SimpleTokenizer

    if folder is not None:
        return SimpleTokenizer(bpe_path=str(folder / BPE_NAME), context_length=CONTEXT)
    with tempfile.TemporaryDirectory() as scratch:
        write_shape(Path(scratch))
        return SimpleTokenizer(bpe_path=str(Path(scratch) / BPE_NAME), context_length=CONTEXT)


class Learner(nn.Module):
    """The CLIP model and a classifier over concepts that training throws away."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, concepts: int) -> None:
        super().__init__()
        from open_clip.model import CLIP

        shape = CONFIG["model_cfg"]
        self.clip = CLIP(shape["embed_dim"], shape["vision_cfg"], shape["text_cfg"])
        self.classifier = nn.Linear(WIDTH, concepts + 1)
        self.clip.visual.to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1) * 255, persistent=False)

    def losses(
        self,
        images: torch.Tensor,
        tokens: torch.Tensor,
        true: torch.Tensor,
        classes: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Return the parts of the loss of one batch (shapes as in ``Batch``), weights applied.

        ``image`` and ``text`` are the contrastive cross-entropies of CLIP (Radford et al. 2021)
        with the truth spread over all captions that hold; ``view`` is InfoNCE (van den Oord et
        al. 2018) between two views of a scene; ``align`` draws these together directly.
        """
        pixels = images.permute(0, 3, 1, 2).float().sub_(self.mean).div_(self.std)
        raw = self.clip.encode_image(pixels.contiguous(memory_format=torch.channels_last))
        image = functional.normalize(raw, dim=-1)
        text = functional.normalize(self.clip.encode_text(tokens), dim=-1)
        true = true.repeat(2, 1)
        scores = self.clip.logit_scale.exp().clamp(max=60) * image @ text.T
        per_image = (true * scores.log_softmax(1)).sum(1) / true.sum(1).clamp(min=1)
        shown = true.sum(0) > 0
        per_text = (true * scores.log_softmax(0)).sum(0)[shown] / true.sum(0)[shown]
        count = len(image)
        alike = image @ image.T
        other = alike / 0.1 - 1e4 * torch.eye(count)
        twin = torch.arange(count).roll(count // 2)
        named = (classes.repeat(2, 1) * self.classifier(raw).log_softmax(1)).sum(1)
        return {
            "image": -per_image.mean(),
            "text": -0.5 * per_text.mean(),
            "view": 0.25 * functional.cross_entropy(other, twin),
            "align": 0.5 * (1 - alike[torch.arange(count), twin]).mean(),
            "class": -named.mean(),
        }
