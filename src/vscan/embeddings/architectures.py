"""open_clip's architectures by name: their configuration and how their pictures are prepared.

Read from open_clip's own files without importing it whole, so that naming a model loads no torch.
"""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any

from vscan.embeddings.open_clip_parts import open_clip_folder, open_clip_part
from vscan.embeddings.preprocessing import Preprocessing
from vscan.errors import ModelError

CONFIG_NAME = "open_clip_config.json"
_DESCRIBING = ("embed_dim", "vision_cfg", "text_cfg")
_NOT_THE_NETWORK = frozenset(
    {"timm_model_pretrained", "hf_model_pretrained", "hf_tokenizer_name", "tokenizer_kwargs"}
)
"""Keys of a configuration that say where files come from, not what the network is."""


@cache
def _config_files() -> dict[str, Path]:
    folder = open_clip_folder() / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def architecture_names() -> tuple[str, ...]:
    """Every architecture that the installed open_clip knows, sorted."""
    return tuple(_config_files())


def architecture_config(name: str) -> dict[str, Any]:
    """open_clip's `model_cfg` of that architecture. Raises ModelError with the nearest names."""
    files = _config_files()
    if name not in files:
        near = difflib.get_close_matches(name, files, n=3, cutoff=0.6)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise ModelError(
            f"open_clip has no architecture {name!r}",
            remedy=f"{meant}`vscan models list --architectures` shows all {len(files)}; one of"
            f" your own needs its {CONFIG_NAME} beside the weights",
        )
    config: dict[str, Any] = json.loads(files[name].read_text(encoding="utf-8"))
    return config


def default_preprocessing(name: str) -> Preprocessing:
    """How pictures are prepared for weights of that architecture of which nothing else is known.

    What open_clip lists for the architecture's published weights where they all agree (SigLIP:
    squash, mean 0.5), else open_clip's general default (the original CLIP's).
    """
    listed = open_clip_part("pretrained")
    size = architecture_config(name)["vision_cfg"].get("image_size", 224)
    published = {
        Preprocessing.from_config(listed.get_pretrained_cfg(name, tag), size)
        for tag in listed.list_pretrained_tags_by_model(name)
    }
    return published.pop() if len(published) == 1 else Preprocessing.from_config({}, size)


def read_config(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(`model_cfg`, `preprocess_cfg`) of an open_clip_config.json; raises ModelError naming it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        model, preprocess = content["model_cfg"], content.get("preprocess_cfg", {})
        if not all(isinstance(model[key], (dict, int)) for key in _DESCRIBING):
            raise KeyError("model_cfg")
        return dict(model), dict(preprocess)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: not an open_clip configuration ({type(error).__name__}: {error})",
            remedy="it needs model_cfg with embed_dim, vision_cfg and text_cfg; or move it away"
            " and name the architecture with --model",
        ) from error


def refuse_other_network(name: str, beside: dict[str, Any], path: Path) -> None:
    """Raise ModelError where the configuration at `path` describes another network than `name`."""
    known = architecture_config(name)
    for part, ours, theirs in (
        ("", known, beside),
        ("vision_cfg.", known["vision_cfg"], beside["vision_cfg"]),
        ("text_cfg.", known["text_cfg"], beside["text_cfg"]),
    ):
        for key in sorted(set(ours) & set(theirs) - _NOT_THE_NETWORK):
            if not isinstance(ours[key], dict) and ours[key] != theirs[key]:
                raise ModelError(
                    f"{path} describes another network than {name}: {part}{key} is"
                    f" {theirs[key]!r} there, {ours[key]!r} in open_clip's {name}",
                    remedy="name the right architecture with --model, or move the weights or that"
                    " file to a folder of their own",
                )
