"""A plain vision transformer's vector, without what its last layer computes for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vscan.embeddings.open_clip_parts import open_clip_part

if TYPE_CHECKING:
    import torch

TOWER_PARTS = {
    "class_embedding", "positional_embedding", "proj",
    "conv1", "patch_dropout", "ln_pre", "transformer", "ln_post",
}  # fmt: skip
BLOCK_PARTS = {"ln_1", "attn", "ls_1", "ln_2", "mlp", "ls_2"}
"""What the two are made of in open_clip 3.3: with anything else they compute something else."""


class ClassTokenTower:
    """open_clip's VisionTransformer where its vector is that of the class token.

    The last block's other tokens go nowhere: of them only keys and values are needed, so five
    sixths of the block are left out, a fourteenth of a network of twelve. Patches, which do not
    overlap, are projected by a matrix product, which is quicker than a convolution. Sums are made
    in another order than in the module: the same vectors but for rounding (cosine 0.9999 in bf16).
    """

    def __init__(self, visual: Any) -> None:
        self._visual = visual

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised pictures -> (B, D) vectors of any length."""
        visual = self._visual
        tokens = self._tokens(pictures)
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            tokens = block(tokens)
        found: torch.Tensor = visual.ln_post(_first_token(last, tokens)) @ visual.proj
        return found

    def _tokens(self, pictures: torch.Tensor) -> torch.Tensor:
        """(B, 1 + patches, width): the class token and the patches, where they stand."""
        visual = self._visual
        (rows, columns), (high, wide) = visual.grid_size, visual.patch_size
        count, width = len(pictures), visual.conv1.out_channels
        patches = pictures.reshape(count, 3, rows, high, columns, wide).permute(0, 2, 4, 1, 3, 5)
        flat = patches.reshape(count * rows * columns, 3 * high * wide)
        projected = flat @ visual.conv1.weight.reshape(width, -1).T
        tokens = flat.new_empty(count, 1 + rows * columns, width)
        tokens[:, 0] = visual.class_embedding
        tokens[:, 1:] = projected.reshape(count, rows * columns, width)
        normed: torch.Tensor = visual.ln_pre(tokens + visual.positional_embedding)
        return normed


def class_token_tower(visual: Any, size: tuple[int, int]) -> ClassTokenTower | None:
    """The tower computed that way, or None where it is of another kind, has a part that is not
    known here, or is given pictures of another (height, width) than it was made for."""
    part = open_clip_part("transformer")
    if type(visual) is not part.VisionTransformer or visual.training:
        return None
    (high, wide), patch = visual.image_size, visual.patch_size
    by_class_token = (
        visual.attn_pool is None
        and visual.pool_type == "tok"
        and visual.proj is not None
        and not visual.output_tokens
    )
    fits = tuple(size) == (high, wide) and (high % patch[0], wide % patch[1]) == (0, 0)
    plain = visual.transformer.batch_first and all(
        type(block) is part.ResidualAttentionBlock and _parts_of(block) == BLOCK_PARTS
        for block in visual.transformer.resblocks
    )
    known = _parts_of(visual) == TOWER_PARTS and plain
    return ClassTokenTower(visual) if by_class_token and fits and known else None


def _parts_of(module: Any) -> set[str]:
    """Names of its modules and of its own parameters."""
    parameters = dict(module.named_parameters(recurse=False))
    return {*dict(module.named_children()), *parameters}


def _first_token(block: Any, tokens: torch.Tensor) -> torch.Tensor:
    """(B, width): what a ResidualAttentionBlock makes of the first of (B, L, width) tokens."""
    first = tokens[:, 0] + block.ls_1(_first_attending(block.attn, block.ln_1(tokens)))
    found: torch.Tensor = first + block.ls_2(block.mlp(block.ln_2(first)))
    return found


def _first_attending(attention: Any, tokens: torch.Tensor) -> torch.Tensor:
    """(B, width): multi-head attention of the first of (B, L, width) tokens to all of them."""
    from torch.nn.functional import linear, scaled_dot_product_attention

    (count, length, width), heads = tokens.shape, attention.num_heads
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    query = linear(tokens[:, 0], weight[:width], bias[:width])
    both = linear(tokens, weight[width:], bias[width:])
    key, value = both.view(count, length, 2, heads, -1).permute(2, 0, 3, 1, 4)
    seen = scaled_dot_product_attention(query.view(count, heads, 1, -1), key, value)
    found: torch.Tensor = attention.out_proj(seen.reshape(count, width))
    return found
