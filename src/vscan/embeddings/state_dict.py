"""Fits a .safetensors file into a network: everything in its place, or a clear refusal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vscan.embeddings.open_clip_parts import open_clip_part
from vscan.errors import ModelError

if TYPE_CHECKING:
    import torch

_POSITION_IDS = "text.transformer.embeddings.position_ids"


def load_state(module: torch.nn.Module, path: Path, architecture: str) -> None:
    """Fill `module` with the tensors of the .safetensors file at `path`.

    Checked before the first tensor is copied: names, shapes, kinds of number, and that every
    value is finite. Raises ModelError naming the file, what does not fit and what to do.
    """
    state = _in_open_clip_form(module, _read(path))
    _refuse_misfit(module.state_dict(), state, path, architecture)
    _refuse_not_finite(state, path)
    module.load_state_dict(state, strict=True)


def _read(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: dict[str, torch.Tensor] = load_file(path, device="cpu")
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{path}: not a whole .safetensors file: {error}",
            remedy="copy or download it again",
        ) from error
    if not state:
        raise ModelError(f"{path}: holds no tensors", remedy="copy or download it again")
    return state


def _in_open_clip_form(module: Any, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors under the names that open_clip uses now, as its own loader renames them."""
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    state = open_clip_part("convert").convert_state_dict(module, state)
    if "positional_embedding" in state and not hasattr(module, "positional_embedding"):
        state = open_clip_part("model").convert_to_custom_text_state_dict(state)
    for name in ("logit_scale", "logit_bias"):
        own = getattr(module, name, None)
        if name in state and own is not None and state[name].numel() == own.numel():
            state[name] = state[name].reshape(own.shape)
    if _POSITION_IDS not in module.state_dict():
        state.pop(_POSITION_IDS, None)
    return state


def _refuse_misfit(
    wanted: Mapping[str, torch.Tensor],
    state: Mapping[str, torch.Tensor],
    path: Path,
    architecture: str,
) -> None:
    missing = [name for name in wanted if name not in state]
    unknown = [name for name in state if name not in wanted]
    other = [
        f"{name} is {_shape(state[name])} there, {_shape(tensor)} in {architecture}"
        for name, tensor in wanted.items()
        if name in state
        and (
            state[name].shape != tensor.shape
            or state[name].is_floating_point() != tensor.is_floating_point()
        )
    ]
    problems = [
        f"{len(found)} tensors {words} ({found[0]}{', …' if len(found) > 1 else ''})"
        for found, words in (
            (other, "differ"),
            (missing, "are missing"),
            (unknown, "have no place"),
        )
        if found
    ]
    if problems:
        raise ModelError(
            f"{path}: these weights are not for {architecture}: {'; '.join(problems)}",
            remedy="name the architecture that they were made for with --model"
            " (`vscan models list --architectures`)",
        )


def _shape(tensor: torch.Tensor) -> str:
    sides = "x".join(map(str, tensor.shape)) or "one number"
    return sides if tensor.is_floating_point() else f"{sides} of {tensor.dtype}"


def _refuse_not_finite(state: Mapping[str, torch.Tensor], path: Path) -> None:
    import torch

    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(
                f"{path}: {name} holds values that are not finite numbers",
                remedy="the file is damaged or its training failed; get it again",
            )
