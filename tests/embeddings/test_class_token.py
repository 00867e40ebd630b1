"""The tower whose last layer is computed for the class token alone: the module's own vectors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from vscan.embeddings.class_token import ClassTokenTower, class_token_tower
from vscan.embeddings.open_clip_parts import open_clip_part

SIZES: dict[str, Any] = {
    "image_size": 48,
    "patch_size": 16,
    "width": 64,
    "layers": 3,
    "heads": 4,
    "mlp_ratio": 4.0,
    "output_dim": 32,
}


def visual(**further: Any) -> Any:
    """A small VisionTransformer with random weights, its biases and norms too."""
    torch.manual_seed(7)
    made = open_clip_part("transformer").VisionTransformer(**(SIZES | further)).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return made


def tower_of(module: Any) -> ClassTokenTower:
    """The tower of a module that is of its kind."""
    tower = class_token_tower(module, module.image_size)
    assert tower is not None
    return tower


@pytest.mark.parametrize(
    "further",
    [
        {},
        {"layers": 1},
        {"act_layer": open_clip_part("transformer").QuickGELU},
        {"norm_layer": open_clip_part("transformer").LayerNormFp32},
        {"ls_init_value": 0.5},
        {"no_ln_pre": True},
        {"final_ln_after_pool": True},
        {"pos_embed_type": "sin_cos_2d"},
        {"patch_dropout": 0.5},
        {"image_size": (32, 64), "patch_size": (16, 32)},
    ],
    ids=lambda further: ",".join(further) or "plain",
)
def test_the_modules_vectors(further: dict[str, Any]) -> None:
    """Of every kind of block and norm that it takes, in fp32 but for rounding."""
    module = visual(**further)
    tower = tower_of(module)
    pictures = torch.randn(3, 3, *module.image_size)
    with torch.inference_mode():
        expected = module(pictures)
        torch.testing.assert_close(tower(pictures), expected, atol=1e-5, rtol=1e-4)
        assert float((expected[0] - expected[1]).abs().max()) > 0.01


def test_bf16() -> None:
    """In bf16 the vectors stay as near as the precision allows."""
    module = visual().to(torch.bfloat16)
    tower = tower_of(module)
    pictures = torch.randn(4, 3, 48, 48).to(torch.bfloat16)
    with torch.inference_mode():
        found, expected = tower(pictures).float(), module(pictures).float()
        cosine = torch.nn.functional.cosine_similarity(found, expected, dim=-1)
    assert float(cosine.min()) > 0.999


@pytest.mark.parametrize(
    "further",
    [
        {"pool_type": "avg"},
        {"attentional_pool": True},
        {"output_tokens": True},
        {"image_size": 50},
        {"block_type": "custom"},
        {"qk_norm": True},
    ],
    ids=lambda further: ",".join(further),
)
def test_others_are_left_to_the_module(further: dict[str, Any]) -> None:
    """Where all tokens count, or blocks or patches are of another kind."""
    module = visual(**further)
    assert class_token_tower(module, module.image_size) is None


def test_no_transformer() -> None:
    """A tower of another class, and one that is in training."""
    assert class_token_tower(torch.nn.Identity(), (48, 48)) is None
    assert class_token_tower(visual().train(), (48, 48)) is None


def test_other_pictures_and_parts() -> None:
    """Pictures of another size than the tower's, and a part that nobody here knows."""
    module = visual()
    assert class_token_tower(module, (64, 64)) is None
    module.registers = torch.nn.Parameter(torch.zeros(4, 64))
    assert class_token_tower(module, (48, 48)) is None
    module = visual()
    module.transformer.resblocks[1].ln_3 = torch.nn.Identity()
    assert class_token_tower(module, (48, 48)) is None
